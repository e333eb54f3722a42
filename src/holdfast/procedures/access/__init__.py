"""Procedure 3, strict access control: who may see what, for which contact, and for how long.

Enforces: persons, employers, assignments to programmes and queues, credentials bound to network, device and key, with
effect on the very next request; exports of records. The judgement itself is ``holdfast.spine.decision``, that of
administration ``holdfast.spine.administration``; what a second person says yes to is ``holdfast.spine.approvals``.
Measures: refusals by rule, budgets used.
Proves: a leaf for each person, assignment and credential, in the log of every client whose data they can reach.
Not yet: reviews computed from real use.
"""
