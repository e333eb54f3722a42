"""``holdfast policy diff``: what a contract would have changed, had it been in force."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from holdfast.kit.clock import rfc3339
from holdfast.kit.terminal import emit, json_option, paint, say
from holdfast.procedures.protocols.commands.policy import client_of, opened_house, read_contract

if TYPE_CHECKING:
    from holdfast.procedures.protocols.services.diff import Difference, Row

_FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)
_COLOURS: Final = {"wider": "red", "narrower": "yellow", "other": "yellow"}


@click.command()
@click.argument("client", required=False)
@click.option("--contract", "path", type=_FILE, required=True, help="The contract that may come.")
@click.option(
    "--days", type=click.IntRange(1, 400), default=7, show_default=True, help="How far back."
)
@click.option(
    "--most",
    type=click.IntRange(0, 100),
    default=3,
    show_default=True,
    help="Examples to name of each change.",
)
@json_option
def diff(*, client: str | None, path: Path, days: int, most: int, as_json: bool) -> None:
    """Say which real decisions of the last days would have come out otherwise under another contract.

    Each is judged anew by the contract in force and by the other one, on what was known then; collections are read as
    they are declared now. What the record of a decision does not hold is counted as "cannot be told", never taken as
    unchanged. A line in the client's log says how many decisions were opened for it.

    \b
    Examples:
      holdfast policy diff bank-01 --contract contract.toml
      holdfast policy diff --contract contract.toml --days 30 --json
    """
    from holdfast.procedures.protocols.services import diff as service

    text = read_contract(path)
    with opened_house() as house:
        asked = service.Asked(service.since_us(house, days), days, most)
        found = service.difference(house, client or client_of(text), text, asked)
    emit(_data(found), as_json=as_json, text=_text(found, days))
    if found.changed and not as_json:
        say("`holdfast explain DECISION` shows one of them in full.")


def _data(found: Difference) -> dict[str, Any]:
    return {
        "client": found.client,
        "in_force": found.in_force,
        "policies": found.policies,
        "since": rfc3339(found.since_us),
        "decisions": found.decisions,
        "situations": found.situations,
        "changed": found.changed,
        "unchanged": found.unchanged,
        "cannot_be_told": found.untold_decisions,
        "cannot_be_told_for": dict(found.untold.most_common()),
        "otherwise_already": found.otherwise_already,
        "changes": [_row_data(row) for row in _rows(found)],
    }


def _row_data(row: Row) -> dict[str, Any]:
    return {
        "operation": row.operation,
        "before": row.before,
        "after": row.after,
        "direction": row.direction,
        "count": row.count,
        "rules": dict(row.rules.most_common()),
        "fields": [
            {"field": name, "before": before, "after": after, "count": count}
            for (name, before, after), count in row.fields.most_common()
        ],
        "examples": row.examples,
    }


def _rows(found: Difference) -> list[Row]:
    order = {"wider": 0, "other": 1, "narrower": 2}
    return sorted(found.rows.values(), key=lambda row: (order[row.direction], -row.count))


def _text(found: Difference, days: int) -> str:
    head = (
        f"{found.decisions:,} decisions of {days} days, by version {found.in_force} (in force) and by this contract: "
        f"{paint(f'{found.changed:,} would change', 'bold')}"
    )
    lines = [head]
    for row in _rows(found):
        lines += ["", *_row_lines(row)]
    lines.append("")
    lines.append(f"Unchanged: {found.unchanged:,}")
    if found.untold_decisions:
        lacks = ", ".join(f"{name} ({count:,})" for name, count in found.untold.most_common())
        lines.append(f"Cannot be told: {found.untold_decisions:,}, for the record lacks: {lacks}")
    if found.otherwise_already:
        already = f"{found.otherwise_already:,} come out differently by the contract in force too"
        lines.append(f"Otherwise already: {already}")
    return "\n".join(lines)


def _row_lines(row: Row) -> list[str]:
    word = paint(row.direction, _COLOURS[row.direction])
    lines = [f"{row.operation}: {row.before} → {row.after}  {row.count:,}  {word}"]
    if row.rules:
        lines.append(
            "  because of " + ", ".join(f"{r} ({n:,})" for r, n in row.rules.most_common(5))
        )
    for (name, before, after), count in row.fields.most_common(10):
        lines.append(f"  {name}: {before} → {after} ({count:,})")
    if row.examples:
        lines.append(f"  e.g. {', '.join(row.examples)}")
    return lines
