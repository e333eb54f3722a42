"""The data plane: search, reveal, verify, update, feeds and log files over HTTP, one event loop per process.

It has neither ORM nor Django. ``app.py`` turns requests into operations of the spine, ``turn.py`` runs those of one
turn of the loop in one transaction, ``main.py`` is the process.
"""
