"""``holdfast person import``: following an export of a personnel system."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from holdfast.kit.terminal import emit, json_option, say
from holdfast.procedures.access import rules
from holdfast.procedures.access.commands.shared import opened_house
from holdfast.procedures.access.services import personnel


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--employer", required=True, help="Whose people the file lists.")
@click.option(
    "--map",
    "pairs",
    multiple=True,
    metavar="COLUMN=FIELD",
    help=f"Which column is what: {', '.join(rules.FIELDS)}. Without, it is guessed from their names.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be done, and write nothing.")
@json_option
def import_people(
    *, file: Path, employer: str, pairs: tuple[str, ...], dry_run: bool, as_json: bool
) -> None:
    """Follow an export of a personnel system (CSV): who joins is added, whose last day is over leaves.

    Newcomers are agents without a line; assign them. Every line of the file is in the answer, with its number.

    \b
    Examples:
      holdfast person import people.csv --employer house --map "Employee ID=staff_id" --map "Last day=exit" --dry-run
    """
    table = rules.take_apart(file.read_bytes())
    mapping = rules.mapped(pairs) or rules.guessed(table.columns)
    said = rules.read(table, mapping)
    with opened_house() as house:
        steps = house.read(personnel.plan(house, said, employer))
        if not dry_run:
            steps = personnel.follow(house, steps, employer)
    shown = [
        {"line": one.line, "staff_id": one.staff_id, "what": one.what, "note": one.note}
        for one in steps
    ]
    emit(shown, as_json=as_json)
    counted = Counter(one.what for one in steps)
    figures = ", ".join(f"{what}: {count}" for what, count in sorted(counted.items()))
    say(f"{table.encoding}, {len(steps)} lines. {figures}" + (" (nothing done)" if dry_run else ""))
