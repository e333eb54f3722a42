"""What a verification found."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any, Final

MOST_FINDINGS: Final = 50


class Outcome(IntEnum):
    """The verdict; its number is the exit code of ``holdfast verify``."""

    AUTHENTIC = 0  # whole, signed by every given key, continues what was seen before
    NOT_AUTHENTICATED = 4  # consistent with itself; without a key nothing says who made it
    BROKEN = 6  # edited, cut, forged, or a signature of a given key is missing
    HISTORY_BROKEN = 8  # rolled back, or another history than the one seen before
    PROMISE_BROKEN = 9  # whole, but a leaf is missing that a genuine receipt promised


class Kind(StrEnum):
    """What a finding is about."""

    INTEGRITY = "integrity"
    HISTORY = "history"
    PROMISE = "promise"


class Promise(StrEnum):
    """What became of the promise in a receipt."""

    KEPT = "kept"  # the leaf is in the log
    NOT_YET_DUE = "not_yet_due"  # genuine; this log does not reach to when it is due
    BROKEN = "broken"  # genuine, due, and not in the log
    UNKNOWN = "unknown"  # nobody vouches for the receipt: no key was given


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. ``code`` is stable; ``message`` is for people."""

    kind: Kind
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class CertificateResult:
    """A certificate in the bundle. ``accepted`` means: signed by a given key and borne out by the log."""

    file: str
    customer: str
    accepted: bool
    says: str


@dataclass(frozen=True, slots=True)
class ReceiptResult:
    """A receipt, held against the log. ``index`` is where its leaf stands, or None."""

    file: str
    leaf: str
    promise: Promise
    index: int | None
    says: str


@dataclass(slots=True)
class Report:
    """Everything that ``holdfast verify`` prints. Times are RFC 3339; ``root`` is base64."""

    folder: str
    origin: str = ""
    size: int = 0
    root: str = ""
    signed_by: list[str] = field(default_factory=list)
    signed_at: str = ""
    first_leaf: str = ""
    last_leaf: str = ""
    types: dict[str, int] = field(default_factory=dict)
    history: str = ""
    certificates: list[CertificateResult] = field(default_factory=list)
    receipts: list[ReceiptResult] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    more_findings: int = 0
    with_key: bool = False

    def broken(self, code: str, message: str) -> None:
        """Add a finding about the bundle itself."""
        self._add(Finding(Kind.INTEGRITY, code, message))

    def history_broken(self, code: str, message: str) -> None:
        """Add a finding about what was seen before."""
        self._add(Finding(Kind.HISTORY, code, message))

    def promise_broken(self, code: str, message: str) -> None:
        """Add a finding about what a receipt promised."""
        self._add(Finding(Kind.PROMISE, code, message))

    def _add(self, finding: Finding) -> None:
        if len(self.findings) < MOST_FINDINGS or finding.kind is not Kind.INTEGRITY:
            self.findings.append(finding)
        else:
            self.more_findings += 1

    @property
    def whole(self) -> bool:
        """Whether nothing is wrong with the bundle itself."""
        return not any(finding.kind is Kind.INTEGRITY for finding in self.findings)

    @property
    def outcome(self) -> Outcome:
        """The verdict: what is broken outweighs broken history, that a broken promise, and that the want of a key."""
        if not self.whole:
            return Outcome.BROKEN
        kinds = {finding.kind for finding in self.findings}
        if Kind.HISTORY in kinds:
            return Outcome.HISTORY_BROKEN
        if Kind.PROMISE in kinds:
            return Outcome.PROMISE_BROKEN
        return Outcome.AUTHENTIC if self.with_key else Outcome.NOT_AUTHENTICATED

    def as_data(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "outcome": self.outcome.name.lower(),
            "exit_code": int(self.outcome),
            "origin": self.origin,
            "size": self.size,
            "root": self.root,
            "signed_by": self.signed_by,
            "signed_at": self.signed_at,
            "first_leaf": self.first_leaf,
            "last_leaf": self.last_leaf,
            "types": self.types,
            "history": self.history,
            "certificates": [
                {
                    "file": result.file,
                    "customer": result.customer,
                    "accepted": result.accepted,
                    "says": result.says,
                }
                for result in self.certificates
            ],
            "receipts": [
                {
                    "file": result.file,
                    "leaf": result.leaf,
                    "promise": result.promise.value,
                    "index": result.index,
                    "says": result.says,
                }
                for result in self.receipts
            ],
            "notes": self.notes,
            "findings": [
                {"kind": found.kind.value, "code": found.code, "message": found.message}
                for found in self.findings
            ],
            "more_findings": self.more_findings,
        }
