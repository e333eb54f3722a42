"""Results as a table: for a terminal, and for ``README.md``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

COLUMNS = (
    "workload",
    "storage",
    "a second",
    "p50 ms",
    "p99 ms",
    "CPU µs: ours",
    "client",
    "database",
    "B/record",
    "fsync µs",
    "target",
    "× target",
)
_LEFT = frozenset({"workload", "storage", "target"})
NONE = "–"


class Row(NamedTuple):
    """A row: its cells in the order of :data:`COLUMNS`."""

    cells: tuple[str, ...]


def rows_of(results: Iterable[Mapping[str, Any]]) -> list[Row]:
    """Return one row per line of figures; a peer that is not present has a row that says so."""
    found = []
    for result in results:
        fsync = result["machine"]["fsync_p50_us"]
        disk = f"{fsync['before']:,.0f} → {fsync['after']:,.0f}"
        found += [_row(result, line, disk) for line in result["lines"]]
        for absent in result["details"].get("not_present", ()):
            cells = [f"{result['name']} {absent}: not present", *[NONE] * (len(COLUMNS) - 1)]
            found.append(Row(tuple(cells)))
    return found


def _row(result: Mapping[str, Any], line: Mapping[str, Any], disk: str) -> Row:
    cpu, targets = line["cpu_us"], line["targets"]
    return Row(
        (
            f"{result['name']} {line['what']}",
            NONE if result["storage"] == "none" else result["storage"],
            number(line["per_second"]),
            number(line["p50_ms"]),
            number(line["p99_ms"]),
            number(cpu["ours"]),
            number(cpu["client"]),
            number(cpu["database"]),
            number(line["bytes_per_record"]),
            disk,
            "; ".join(target["text"] for target in targets) or NONE,
            "; ".join(number(target["times"]) for target in targets) or NONE,
        )
    )


def number(value: float | None) -> str:
    """A figure with as many digits as it is worth."""
    if value is None:
        return NONE
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def text_of(results: Sequence[Mapping[str, Any]]) -> str:
    """The table for a terminal, then what each workload found beyond it."""
    rows = [Row(COLUMNS), *rows_of(results)]
    widths = [max(len(row.cells[at]) for row in rows) for at in range(len(COLUMNS))]
    lines = ["  ".join(_padded(row, widths)).rstrip() for row in rows]
    lines.insert(1, "  ".join("─" * width for width in widths))
    found = [text for result in results if (text := beyond(result))]
    return "\n".join([*lines, *found])


def _padded(row: Row, widths: Sequence[int]) -> list[str]:
    return [
        cell.ljust(width) if column in _LEFT else cell.rjust(width)
        for column, cell, width in zip(COLUMNS, row.cells, widths, strict=True)
    ]


def beyond(result: Mapping[str, Any]) -> str:
    """What a workload says in words: findings, and the parts of a profile."""
    said: Sequence[str] = result["details"].get("findings", ())
    head = f"\n{result['name']} ({result['storage']}): {result['title']}"
    return "\n".join([head, *(f"  {one}" for one in said)]) if said else ""


def markdown_of(results: Sequence[Mapping[str, Any]]) -> str:
    """The table as Markdown."""
    ruler = ["---" if column in _LEFT else "--:" for column in COLUMNS]
    rows = [COLUMNS, tuple(ruler), *(row.cells for row in rows_of(results))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)
