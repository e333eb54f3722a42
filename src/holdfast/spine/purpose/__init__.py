"""Purpose: why a person may look at all. It is a live contact, told by a feed, never typed by the agent.

``contact.py`` judges what a contact allows at a moment; ``merge.py`` folds a feed's events into it, in whatever order
they come; ``store.py`` holds the SQL of both.
"""
