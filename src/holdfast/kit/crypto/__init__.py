"""Thin, typed names for the primitives of ``cryptography``.

Only vault, ledger, identity, signals and the procedure *encryption* may import it.
"""
