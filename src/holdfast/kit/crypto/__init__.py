"""Thin, typed names for the primitives of ``cryptography``. Only vault, ledger, identity, signals and encryption may import it."""
