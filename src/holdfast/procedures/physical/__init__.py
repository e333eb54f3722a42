"""Procedure 8, physical security: presence at an approved place as a live fact.

It does nothing yet: no badge feed, no zones, no visitors. A contract that asks for presence is therefore refused rather
than accepted without effect.
"""
