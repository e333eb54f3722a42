"""Procedure 13, evolving protocols: a rule changes only tested, versioned, and in the client's sight.

Enforces: a contract is compiled, validated and run against its own test cases before it can be published; a client
that signs its contracts signs each version. What a contract would have changed in past decisions is told before.
Measures: rules per client, test cases passed.
Proves: a leaf in the client's log for each version published, with the digest of what was compiled.
Not yet: drills from incidents, dates by which a contract is looked at again.
"""
