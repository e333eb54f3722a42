"""The judgement: may this person do this, to these fields, now, and why not (DESIGN §5, SPINE 1–6).

``judge.py`` is where to start. The rules stand as Cedar policies in ``guards/``; a client's contract adds grants and
rules of its own. Everything here is pure but ``store.py`` (SQL) and the works in ``publish.py``.
"""
