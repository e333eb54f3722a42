"""Procedure 6, secure network and strong login: from where, and how strongly, a person is present.

Enforces: by way of ``holdfast.spine.identity`` and the house's rules: tokens bound to network ranges and device,
contracts that name networks, what a plain token reaches, proof of possession, step-up by a second person; by way of
``holdfast.edges.dataplane`` rates per credential and client. Without TLS of its own or a trusted proxy ``serve`` stays
on loopback.
Measures and proves: lines for each token and step-up; a refusal names the network or the device.
Not yet: passkeys, zones, firewall rules, drift checks, intrusion feeds.
"""
