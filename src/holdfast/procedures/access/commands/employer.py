"""``holdfast employer add`` and ``list``."""

from __future__ import annotations

import click

from holdfast.kit.terminal import emit, json_option
from holdfast.procedures.access.commands.shared import opened_house
from holdfast.procedures.access.services import people


@click.command()
@click.argument("employer")
@click.option("--name", default="", help="How pages show it (default: its id).")
@json_option
def add(employer: str, name: str, as_json: bool) -> None:
    """Add an employer: the house itself or a vendor, whose people a client's contract may accept.

    \b
    Examples:
      holdfast employer add vendor-7 --name "Vendor Seven"
    """
    with opened_house() as house:
        house.transact(people.add_employer(house, employer, name))
    emit({"employer": employer, "name": name or employer}, as_json=as_json)


@click.command()
@json_option
def list_all(as_json: bool) -> None:
    """List employers.

    \b
    Examples:
      holdfast employer list --json
    """
    with opened_house() as house:
        emit(house.transact(people.employers(house)), as_json=as_json)
