"""``holdfast export``: records leave the house in a sealed file."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from holdfast.kit.errors import InvalidInput
from holdfast.kit.terminal import emit, json_option, say
from holdfast.procedures.access.commands.shared import opened_house

if TYPE_CHECKING:
    from holdfast.spine.operations.export import ExportShown


@click.command()
@click.argument("client")
@click.argument("collection")
@click.option("--field", "fields", multiple=True, required=True, help="A field; may be repeated.")
@click.option("--customer", "customers", multiple=True, help="Number or id; may be repeated.")
@click.option("--all", "everybody", is_flag=True, help="All customers of the collection.")
@click.option("--recipient", required=True, help="For whom, as the contract names them.")
@click.option("--reason", required=True, help="Why, as the contract names it.")
@json_option
def request(client: str, collection: str, *, everybody: bool, as_json: bool, **given: Any) -> None:
    """Ask that records of CLIENT leave the house in a file that only the recipient opens.

    What may leave, to whom and why stands in the client's contract. A second person approves it; the same command then
    goes through, and the worker writes the file. The client's log tells each step.

    \b
    Examples:
      holdfast export request bank-01 customers --field name --all --recipient bank-dpo --reason audit
    """
    from holdfast.procedures.access.services.exports import ask
    from holdfast.spine.operations.export import Wanted

    if everybody is bool(given["customers"]):
        raise InvalidInput("name customers, or all of them", field="customer")
    wanted = Wanted(
        client,
        collection,
        tuple(dict.fromkeys(given["fields"])),
        None if everybody else tuple(given["customers"]),
        given["recipient"],
        given["reason"],
    )
    with opened_house() as house:
        export = ask(house, wanted)
    emit(_told(export), as_json=as_json)
    say("The worker writes the file. `holdfast export list` shows when it is done.")


@click.command("list")
@click.argument("client")
@json_option
def list_all(client: str, as_json: bool) -> None:
    """List the exports of CLIENT, newest first.

    ``commitment`` stands in the client's log; it is SHA-256 over label, salt and the file's sha256.

    \b
    Examples:
      holdfast export list bank-01
    """
    from holdfast.procedures.access.services.exports import listed

    with opened_house() as house:
        exports = listed(house, client)
    if not exports:
        say("No export was asked for.")
    emit([_told(export) for export in exports], as_json=as_json)


@click.command()
@click.argument("export")
@json_option
def show(export: str, as_json: bool) -> None:
    """Show how EXPORT stands: waiting for the worker, done, failed or expired.

    \b
    Examples:
      holdfast export show exp_01k8yhzq0x5k3t9d8q2m4n6p7r
    """
    from holdfast.procedures.access.services.exports import one

    with opened_house() as house:
        found = one(house, export)
    emit(_told(found), as_json=as_json)


@click.command()
@click.argument("export")
@click.option("--out", type=click.Path(path_type=Path), default=None, help="Where to write it.")
@json_option
def fetch(export: str, out: Path | None, as_json: bool) -> None:
    """Take the sealed file of EXPORT; the client's log tells it. Nobody but the recipient opens the file.

    \b
    Examples:
      holdfast export fetch exp_01k8yhzq0x5k3t9d8q2m4n6p7r --out customers.hfex
    """
    from holdfast.procedures.access.services.exports import taken

    target = out or Path(f"{export}.hfex")
    if target.exists():
        raise InvalidInput(f"{target} exists", field="out", remedy="Name another file.")
    with opened_house() as house:
        shutil.copyfile(taken(house, export), target)
    emit({"export": export, "file": str(target)}, as_json=as_json)


def _told(export: ExportShown) -> dict[str, Any]:
    return {
        "export": export.export,
        "state": export.state,
        "collection": export.collection,
        "fields": list(export.fields),
        "recipient": export.recipient,
        "reason": export.reason,
        "rows": export.rows,
        "expires": export.expires,
        "sha256": export.sha256,
        "salt": export.salt,
        "commitment": export.commitment,
    }
