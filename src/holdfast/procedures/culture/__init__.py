"""Procedure 11, security culture: reporting that is easy, answered, and practised.

It does nothing yet: no reports, no drills.
"""
