"""Procedure 7a, surveillance: detection over every decision and every signal.

It does nothing yet. Signals are raised and recorded by the spine, where an auditor can read them; nobody is alerted.
"""
