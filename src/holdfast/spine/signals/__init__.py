"""Signals: what other systems tell the house, signed, and how it is taken in (SPINE 13).

``envelope.py`` says who speaks, ``events.py`` what is said, ``batch.py`` whether they may say it; ``intake.py`` takes
it in; ``registry.py`` registers feeds and their keys. What a contact is stands in :mod:`holdfast.spine.purpose`.
"""
