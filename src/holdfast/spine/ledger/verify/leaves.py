"""Whether the entries of a log are leaves as this product writes them: canonical, declared, in the order of time."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from holdfast.kit.canonical import canonical_json
from holdfast.spine.ledger.entries import MOST_LATE_US
from holdfast.spine.ledger.verify.reading import is_deep, moment
from holdfast.vocabulary.leaves import SPECS, VERSION, LeafType

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.spine.ledger.verify.report import Report

_COMMON: Final = ("v", "type", "id", "time")
_DECLARED: Final = {kind.value: frozenset((*_COMMON, *SPECS[kind].fields)) for kind in LeafType}


class LeafReader:
    """Looks at every entry in turn; keeps those leaves whose ids were asked for."""

    def __init__(self, report: Report, wanted: Iterable[str]) -> None:
        self._report = report
        self._wanted = frozenset(wanted)
        self._last_us = 0
        self._types: Counter[str] = Counter()
        self._unknown = 0
        self.found: dict[str, tuple[int, dict[str, Any]]] = {}

    def read(self, index: int, entry: bytes) -> None:
        """Judge the entry at ``index``; what is wrong goes into the report."""
        leaf = _parse(entry)
        if leaf is None:
            self._report.broken(
                "malformed_leaf", f"leaf {index} is no canonical JSON object with type, id and time"
            )
            return
        at_us = moment(leaf["time"])
        if at_us is None:
            self._report.broken("bad_time", f"leaf {index} has no proper time")
        elif at_us < self._last_us - MOST_LATE_US:
            self._report.broken(
                "time_went_back", f"leaf {index} lies before leaves that precede it"
            )
        else:
            self._last_us = max(self._last_us, at_us)
        if not self._report.first_leaf:
            self._report.first_leaf = leaf["time"]
        self._report.last_leaf = leaf["time"]
        self._check_fields(index, leaf)
        if leaf["id"] in self._wanted:
            self.found.setdefault(leaf["id"], (index, leaf))

    def _check_fields(self, index: int, leaf: dict[str, Any]) -> None:
        kind = leaf["type"]
        self._types[kind] += 1
        declared = _DECLARED.get(kind)
        if leaf["v"] != VERSION or declared is None:
            self._unknown += 1
        elif leaf.keys() != declared:
            odd = ", ".join(sorted(leaf.keys() ^ declared))
            self._report.broken(
                "undeclared_fields", f"leaf {index} ({kind}) differs from its declaration: {odd}"
            )

    def finish(self) -> None:
        """Write the counts into the report."""
        self._report.types = dict(sorted(self._types.items()))
        if self._unknown:
            self._report.notes.append(
                f"{self._unknown} leaves are of a kind that this verifier does not know;"
                " their place in the log was checked, their fields were not."
            )


def _parse(entry: bytes) -> dict[str, Any] | None:
    try:
        leaf = json.loads(entry)
        if not isinstance(leaf, dict) or canonical_json(leaf) != entry or is_deep(leaf):
            return None
    except (ValueError, TypeError, RecursionError):
        return None
    texts = all(isinstance(leaf.get(name), str) for name in ("type", "id", "time"))
    # `type`, not `isinstance`: to Python, true is the integer 1
    return leaf if texts and type(leaf.get("v")) is int else None
