"""Procedure 9, safe data elimination: destroying a customer's keys, or all of a client's, and proving it.

Enforces: from the moment a shred is requested the customer's values cannot be read; keys and index rows are deleted,
an unfinished deletion is completed at the next start, a later import does not revive the customer, and neither does an
older copy that is put back. A whole client is erased by two persons, and with its signature if it gave a key.
Measures: the time from request to erased.
Proves: two leaves in the client's log and a certificate that ``holdfast verify`` accepts. It says "copies: not
determined" as long as backups are not reached.
An open incident keeps, sealed apart, what it takes to tell an erased customer of it.
Not yet: retention leases, reach into backups, sanitisation of media.
"""
