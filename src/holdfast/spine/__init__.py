"""The one path from request to answer, and the parts it is made of. Read ``reveal.py`` first."""
