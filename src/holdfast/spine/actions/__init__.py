"""What is done to a customer's account beyond a look: permits for target systems, and values that prove nothing yet.

The operations stand beside it: :mod:`holdfast.spine.operations.act` and :mod:`holdfast.spine.operations.outcome`.
"""
