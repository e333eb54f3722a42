"""Running the checks: for ``holdfast doctor``, and before anything is bound."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.edges.checks.catalogue import CHECKS
from holdfast.edges.checks.findings import Skipped
from holdfast.kit.errors import HoldfastError, Unavailable
from holdfast.manifests import checks as declared_checks
from holdfast.vocabulary.manifest import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.kit.config import Settings
    from holdfast.vocabulary.manifest import Check


@dataclass(frozen=True, slots=True)
class Examined:
    """One check and what it found; no findings means that all is well, unless there was nothing to examine."""

    check: Check
    findings: tuple[Finding, ...]
    skipped: bool = False

    @property
    def severity(self) -> Severity:
        """The worst of its findings."""
        found = {finding.severity for finding in self.findings}
        for severity in (Severity.ERROR, Severity.WARNING):
            if severity in found:
                return severity
        return Severity.OK


def examine(settings: Settings, checks: Iterable[Check] | None = None) -> tuple[Examined, ...]:
    """Run ``checks`` (default: all that are declared) in their order.

    A check that fails to run is itself an error: what cannot be examined is not sound.
    """
    chosen = declared_checks(CHECKS).values() if checks is None else checks
    return tuple(_run(check, settings) for check in chosen)


def require_sound(settings: Settings) -> tuple[Finding, ...]:
    """Return the warnings, or raise :class:`Unavailable` naming each error: nothing is bound then."""
    findings = [finding for examined in examine(settings) for finding in examined.findings]
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    if errors:
        told = "".join(f"\n  {f.check}  {f.message}\n      {f.remedy}" for f in errors)
        raise Unavailable(
            f"the house does not start: {len(errors)} check(s) failed{told}",
            remedy="`holdfast doctor` repeats the checks.",
        )
    return tuple(findings)


def _run(check: Check, settings: Settings) -> Examined:
    try:
        return Examined(check, _findings(check, settings))
    except Skipped:
        return Examined(check, (), skipped=True)


def _findings(check: Check, settings: Settings) -> tuple[Finding, ...]:
    module, _, name = check.run.partition(":")
    try:
        return tuple(
            Finding(check.id, finding.severity, finding.message, finding.remedy)
            for finding in getattr(importlib.import_module(module), name)(settings)
        )
    except Skipped:
        raise
    except HoldfastError as error:
        return (Finding(check.id, Severity.ERROR, error.message, error.remedy),)
    except Exception as error:  # noqa: BLE001  a broken check must not hide behind its own failure
        from holdfast.kit.log import place_of  # noqa: PLC0415  structlog costs a quarter of a second

        return (
            Finding(
                check.id,
                Severity.ERROR,
                f"the check itself failed: {type(error).__name__} at {place_of(error)}",
                "Please report this with the output of `holdfast doctor --json`.",
            ),
        )
