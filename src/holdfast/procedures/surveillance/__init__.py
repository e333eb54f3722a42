"""Procedure 7a, surveillance: detection over every decision and every signal.

Enforces: by way of ``holdfast.spine.ledger``: no answer without a durable line and a receipt for it, and logs that
cannot be changed unseen.
Measures: what feeds sent and was refused, and other signals, as lines that an auditor reads.
Proves: a log per client that ``holdfast verify`` and one offline page judge without the house.
Not yet: nothing watches. There is no detection, no alert, and nobody is called.
"""
