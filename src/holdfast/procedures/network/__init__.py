"""Procedure 6, secure network and strong login: from where, and how strongly, a person is present.

Enforces: by way of ``holdfast.spine.identity`` and the house's rules: tokens bound to network ranges and device,
contracts that name networks, what a plain token reaches, step-up by a second person; ``serve`` stays on loopback.
Measures and proves: lines for each token and step-up; a refusal names the network or the device.
Not yet: proof of possession and passkeys, zones, firewall rules, drift checks, intrusion feeds.
"""
