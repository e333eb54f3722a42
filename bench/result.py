"""The one shape of a result: lines of figures with their targets, and beside them what only this workload measures."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypedDict

from bench.measure import percentile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: ``aead_open_us`` of the machine that the targets were set on.
REFERENCE_AEAD_US = 1.14

Measure = Literal["ours_us", "per_second", "per_cpu_second", "p50_ms", "p99_ms"]
_RATES = frozenset({"per_second", "per_cpu_second"})
_UNITS = {
    "ours_us": "µs CPU",
    "per_second": "/s",
    "per_cpu_second": " per CPU s",
    "p50_ms": "ms p50",
    "p99_ms": "ms p99",
}


class Cpu(NamedTuple):
    """CPU seconds by whose they are: Holdfast's processes, who asks them, the database's; None where nobody is that."""

    ours: float | None = None
    client: float | None = None
    database: float | None = None

    @classmethod
    def together(cls, parts: Sequence[Cpu]) -> Cpu:
        """What several took; None stays None where one of them is."""
        columns = zip(*parts, strict=True)
        return cls(*(None if None in column else sum(column) for column in columns))

    def per(self, operations: int) -> dict[str, float | None]:
        """Microseconds per operation."""
        return {
            name: None if spent is None else round(spent / max(1, operations) * 1e6, 1)
            for name, spent in self._asdict().items()
        }


class Target(NamedTuple):
    """What a figure should be at most (times), or at least (rates)."""

    of: Measure
    value: float

    @property
    def is_rate(self) -> bool:
        """Whether more is better."""
        return self.of in _RATES

    def __str__(self) -> str:
        """As a person reads it."""
        unit = _UNITS[self.of]
        blank = " " if not self.is_rate else ""
        return f"{'≥' if self.is_rate else '≤'} {self.value:,.0f}{blank}{unit}"

    def times(self, figures: Mapping[str, Any], aead_open_us: float) -> float | None:
        """How many times the target's cost it took, allowing for the machine: 1 or less meets it."""
        measured: float = figures["cpu_us"]["ours"] if self.of == "ours_us" else figures[self.of]
        if not measured:
            return None
        allowed = aead_open_us / REFERENCE_AEAD_US
        cost = self.value / measured if self.is_rate else measured / self.value
        return round(cost / allowed, 2)


@dataclass(frozen=True, kw_only=True)
class Line:
    """One row of the table: an operation that was repeated. ``p50_ms`` and ``p99_ms`` are None where none was timed."""

    what: str
    operations: int
    wall_s: float
    cpu_s: Cpu = field(default_factory=Cpu)
    p50_ms: float | None = None
    p99_ms: float | None = None
    bytes_per_record: float | None = None
    targets: tuple[Target, ...] = ()

    def figures(self, aead_open_us: float) -> dict[str, Any]:
        """As it is kept."""
        ours = self.cpu_s.ours
        found: dict[str, Any] = {
            "what": self.what,
            "operations": self.operations,
            "wall_s": round(self.wall_s, 3),
            "per_second": _rate(self.operations, self.wall_s),
            "per_cpu_second": _rate(self.operations, ours) if ours else None,
            "p50_ms": _rounded(self.p50_ms),
            "p99_ms": _rounded(self.p99_ms),
            "cpu_us": self.cpu_s.per(self.operations),
            "bytes_per_record": _rounded(self.bytes_per_record),
        }
        found["targets"] = [
            {
                "of": one.of,
                "value": one.value,
                "text": str(one),
                "times": one.times(found, aead_open_us),
            }
            for one in self.targets
        ]
        return found


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What a workload found on one storage."""

    lines: tuple[Line, ...]
    details: Mapping[str, Any] = field(default_factory=dict)


class Quantiles(TypedDict):
    """Median and 99th percentile, milliseconds."""

    p50_ms: float
    p99_ms: float


def quantiles_ms(times_s: Sequence[float]) -> Quantiles:
    """Return the quantiles of times in seconds, for a :class:`Line`."""
    return Quantiles(
        p50_ms=round(percentile(times_s, 0.5) * 1e3, 3),
        p99_ms=round(percentile(times_s, 0.99) * 1e3, 3),
    )


def _rate(operations: int, seconds: float) -> float:
    return round(operations / seconds, 1) if seconds > 0 else 0.0


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
