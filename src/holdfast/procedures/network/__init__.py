"""Procedure 6, secure network and strong login: from where, and how strongly, a person is present.

It does nothing of its own yet. Network ranges of credentials and contracts are enforced by the spine's identity and
decision; zones, firewall rules, drift checks, intrusion feeds and passkeys come later.
"""
