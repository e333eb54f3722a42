"""Procedure 11, security culture: reporting that is easy, answered, and practised.

Enforces: everybody who is signed in reports something odd in one step, without their name if they wish, and security
has a list of what waits for an answer. Nothing is practised yet: there are no drills.
"""
