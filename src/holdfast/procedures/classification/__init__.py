"""Procedure 1, value of customer data: nothing is kept whose worth and harm nobody has named.

Enforces: a collection is taken in only under a schema that gives each field a type, a class from C0 (public) to C4
(critical), a handling and an owner; card security codes and PINs are refused.
Measures: what a proposal recognised in the sampled values of each column, and how surely.
Proves: a leaf in the client's log for each schema and each import, with counts.
Not yet: finding secrets and card numbers where they should not be, and measured recall per type.
"""
