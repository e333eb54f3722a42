"""Procedure 12, third-party risk: a vendor's standing is a condition for its people's access.

It does nothing yet of its own: no register, no due diligence. Which employers a contract approves is already a fact of
every decision; an employer that is not named there sees nothing.
"""
