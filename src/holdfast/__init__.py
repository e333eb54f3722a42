"""Holdfast: every look at a customer has a reason, and the client can check it."""

__version__ = "0.1.0"
