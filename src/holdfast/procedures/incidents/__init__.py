"""Procedure 7b, incident response: contain, measure the exact blast radius, notify in time.

Enforces: by way of ``holdfast.spine.operations.freeze`` that a user of the client stops every look, and by way of
``holdfast.spine.recovery`` that an older copy undoes no erasure, suspension or freeze.
Measures: what a restore had to put back, as counts.
Proves: lines for each freeze, its confirmation, its end and each restore.
Not yet: incidents with clocks, containment by detection, notices. Who saw which customer's fields and when is in each
client's log from the first day on.
"""
