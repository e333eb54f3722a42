"""Proposing a schema for a file: sampling its rows in constant memory, then judging the columns."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from holdfast.kit.errors import InvalidInput
from holdfast.procedures.classification.rules.columns import Column
from holdfast.procedures.classification.rules.dialect import NDJSON
from holdfast.procedures.classification.rules.headers import MOST_COLUMNS
from holdfast.procedures.classification.rules.proposal import propose
from holdfast.procedures.classification.rules.render import Sampled
from holdfast.procedures.classification.services.reading import inspect
from holdfast.procedures.classification.services.rows import open_rows

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    from holdfast.procedures.classification.rules.proposal import Proposal
    from holdfast.procedures.classification.services.reading import Source

MOST_ROWS: Final = 200_000
MOST_SAMPLED: Final = 2000
_UNIQUE_AMONG: Final = 20_000  # rows whose values are compared to tell whether a column is unique
_MOST_REPEATED: Final = _UNIQUE_AMONG // 200
_LONGEST_SAMPLED: Final = 4096


def propose_for(
    path: Path,
    *,
    encoding: str = "",
    headerless: bool = False,
    told: Callable[[int], None] = lambda _: None,
) -> tuple[Proposal, Sampled]:
    """Read the file and propose its schema; :class:`InvalidInput` when it is no table or has no rows."""
    source = inspect(path, encoding=encoding, headerless=headerless)
    sample = Sample()
    with open_rows(source) as rows:
        for batch in rows:
            for cells in batch.cells:
                sample.add(cells if isinstance(cells, dict) else dict(enumerate(cells)))
            sample.bad.update(one.reason for one in batch.bad)
            told(batch.read)
            if sample.read >= MOST_ROWS:
                break
    source.refuse_changed()
    if not sample.read:
        why = (
            f"no row can be read: each {sample.bad.most_common(1)[0][0]}"
            if sample.bad
            else "the file has no row"
        )
        raise InvalidInput(why, code="empty")
    columns = sample.columns(_headers(source, sample))
    about = Sampled(path.name, source.encoding, source.dialect.name, sample.read, len(sample.rows))
    proposal = propose(columns)
    warnings = (*proposal.warnings, *_about_rows(source, sample))
    return replace(proposal, warnings=warnings), about


def _about_rows(source: Source, sample: Sample) -> list[str]:
    told = [
        f"{count:,} row(s) cannot be read: {reason}" for reason, count in sample.bad.most_common(3)
    ]
    if source.dialect.skip > 1:
        told.append(f"the first {source.dialect.skip} lines were taken for titles and passed over")
    return told


def _headers(source: Source, sample: Sample) -> dict[Any, str]:
    """Return what stands above each column: by place for CSV, by key for NDJSON in the order of first appearance."""
    if source.dialect.kind != NDJSON:
        return dict(enumerate(source.header))
    if len(sample.keys) > MOST_COLUMNS:
        raise InvalidInput(
            f"the objects have {len(sample.keys)} keys; at most {MOST_COLUMNS} are read",
            code="header",
        )
    return {key: key for key in sample.keys}


class Sample:
    """At most :data:`MOST_SAMPLED` rows, spread evenly over those read: every row, then every second, every fourth.

    Uniqueness is judged on the first rows, all of them.
    """

    def __init__(self) -> None:
        self.read = 0
        self.rows: list[dict[Any, str]] = []
        self.keys: dict[Any, None] = {}
        self.bad: Counter[str] = Counter()  # rows that cannot be read, by reason
        self._stride = 1
        self._seen: dict[Any, set[int]] = {}
        self._repeated: dict[Any, int] = {}
        self._compared: dict[Any, int] = {}

    def add(self, row: dict[Any, str]) -> None:
        """Take a row into account."""
        if len(self.keys) <= MOST_COLUMNS:
            self.keys.update(dict.fromkeys(row))
        if self.read < _UNIQUE_AMONG:
            self._compare(row)
        if self.read % self._stride == 0:
            self.rows.append({key: value.strip()[:_LONGEST_SAMPLED] for key, value in row.items()})
            if len(self.rows) > MOST_SAMPLED:
                self.rows = self.rows[::2]
                self._stride *= 2
        self.read += 1

    def _compare(self, row: dict[Any, str]) -> None:
        for key, value in row.items():
            if not (value := value.strip()):
                continue
            self._compared[key] = self._compared.get(key, 0) + 1
            if self._repeated.get(key, 0) > _MOST_REPEATED:
                self._seen.pop(key, None)
                continue
            seen = self._seen.setdefault(key, set())
            if (mark := hash(value)) in seen:
                self._repeated[key] = self._repeated.get(key, 0) + 1
            else:
                seen.add(mark)

    def columns(self, headers: dict[Any, str]) -> list[Column]:
        """Return the sampled columns under their headers."""
        columns = []
        for position, (key, header) in enumerate(headers.items(), 1):
            values = tuple(value for row in self.rows if (value := row.get(key, "")))
            repeated, compared = self._repeated.get(key, 0), self._compared.get(key, 0)
            columns.append(Column(position, header, values, len(self.rows), repeated, compared))
        return columns
