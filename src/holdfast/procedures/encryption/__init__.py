"""Procedure 4, encryption: every field is sealed on its own under keys that can be inventoried, rotated and destroyed.

Enforces: by way of ``holdfast.spine.vault``: a root that stands outside the databases, one key per client, one per
customer and class, and a commitment that a swapped key cannot meet.
A manifest per record and class, compared with a digest in the other store, tells an edited or rolled-back row.
Measures and proves: known-answer tests of every primitive; attacks on every stored part.
Not yet here: key inventory, rotation on a schedule, sealing a client outside its window, client-held roots.
"""
