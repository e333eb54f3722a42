"""Procedure 5, employee training: nobody without current courses sees customer data.

It does nothing yet: no courses, no completion, no fact. A contract that names required courses is therefore refused
rather than accepted without effect.
"""
