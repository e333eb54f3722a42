"""Procedure 1, value of customer data: nothing is kept whose worth and harm nobody has named.

Enforces: a collection is taken in only under a schema that gives each field a type, a class from C0 (public) to C4
(critical), a handling and an owner; card security codes and PINs are refused; an import tells no value.
Measures: what a proposal recognised in the sampled values of each column, and how surely; card numbers, ids, passwords
and keys in the sampled free text, as counts.
Proves: a leaf in the client's log for each schema and each import, with counts.
Not yet: redacting secrets and card numbers where they should not be, and measured recall per type.

Read ``services/importing`` first: look at the file (``reading``), find the fields (``fields``), give its rows
(``rows``), let the vault write them, list what was rejected (``rejects``). ``services/proposing`` and
``rules/columns`` judge unknown files.
"""
