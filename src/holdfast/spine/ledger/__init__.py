"""The transparency log of each client and of the house (DESIGN §7, SPINE 25–28).

How a leaf travels::

    recorder.append        one INSERT in the operation's own transaction: from its commit the decision is true
    sequencer              claims and deletes pending rows, gives each an index, writes tiles, bundles and head
    signer                 signs a committed head, but only one that continues what it signed before
    publish                writes static files that any C2SP tool reads: tiles first, `checkpoint` last
    registrar              one tick of the three for all logs that grew
    export, proofs, tail   what clients and procedures take out
    verify/                trusts nothing of the above: no database, no network, no Django

``tree``, ``tiles``, ``note``, ``checkpoint``, ``statements`` and ``growth`` are pure.
"""
