"""Drivers of what Holdfast is measured beside: a small port, plain HTTP, one connection."""
