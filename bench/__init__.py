"""Workloads, each one command with a JSON result: ``python -m bench.reveal``. Nothing here is a test."""
