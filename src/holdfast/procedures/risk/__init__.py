"""Procedure 2, evaluating threats: how strict the policy is follows from measured risk.

It does nothing yet: no threat register, no loss curve, no exceptions. The strictness in force is what each client's
contract says. It will read control strength from the other procedures' measures instead of typed scores.
"""
