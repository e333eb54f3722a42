"""Procedure 10, adherence to regulations: duties as inputs of the decision, evidence from what was decided.

It does nothing yet beyond collecting the other procedures' controls (``docs/procedures.md`` lists them): no
data-subject requests, no clocks, no assurance portal.
"""
