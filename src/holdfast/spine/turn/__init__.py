"""The road that every operation takes.

``arrival``: who asks, from where. ``target``: about whom. ``questions``: what is asked of the decision. ``steps``: what
is judged is written. ``repeats``: a refusal that came a moment ago. ``answers``: what the requester is told.
"""
