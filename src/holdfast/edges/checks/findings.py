"""Short ways to say what a check found; the runner adds the check's id."""

from holdfast.vocabulary.manifest import Finding, Severity


class Skipped(Exception):
    """What the check examines does not exist; the check that asks for it says so."""


def wrong(message: str, remedy: str) -> Finding:
    """Say that something refuses the start."""
    return Finding("", Severity.ERROR, message, remedy)


def doubtful(message: str, remedy: str) -> Finding:
    """Say that something deserves attention but does not refuse the start."""
    return Finding("", Severity.WARNING, message, remedy)
