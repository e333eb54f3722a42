"""The shared nouns of Holdfast: ids, levels, operations, facts, leaves, schemas, contracts, manifests.

No I/O, no Django: everything here can be imported by the verifier on a laptop without a database.
"""
