"""The ledger as a stream: who follows the logs, how far they are, and what they keep.

``follower`` who follows · ``reading`` leaves that verify · ``folding`` from leaves to writes · ``following`` the steps,
each one transaction · ``standing`` how far everybody is · ``timeline`` and ``tally`` two that every house has.
"""
