"""``holdfast customer shred``, ``customer find`` and ``client shred``."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from holdfast.kit.terminal import ExitCode, emit, json_option, say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.spine.house import House


@contextmanager
def _opened_house() -> Iterator[House]:
    from holdfast.kit.config import load_settings
    from holdfast.spine.house import open_house

    house = open_house(load_settings())
    try:
        yield house
    finally:
        house.close()


@click.command()
@click.argument("client")
@click.argument("customer")
@json_option
def shred(client: str, customer: str, as_json: bool) -> int:
    """Erase a customer: every look is refused at once, then the keys are destroyed and a certificate is written.

    CUSTOMER is the client's own customer number, or an id such as cus_01k…. It cannot be undone, and a later import
    does not bring the customer back. The certificate names the two leaves in the client's log; it says
    "copies: not determined", because backups of the keys store are not looked into.

    Exit code 0: erased and certified. 3: refused from now on, but a reader holds the store open; the worker goes on.

    \b
    Examples:
      holdfast customer shred bank-01 C-000123
      holdfast customer shred bank-01 cus_01k8yhzq0x5k3t9d8q2m4n6p7r --json
    """
    from holdfast.procedures.disposal.services import shred_customer

    with _opened_house() as house:
        done = shred_customer(house, client, customer)
        kept = house.home / "certificates" / client / f"{done.operation}.json"
    if done.certificate is None:
        say(
            f"Refused from {done.refused_at} on. Not erased yet: {done.waits_for}.", colour="yellow"
        )
        emit(
            {"operation": done.operation, "refused_at": done.refused_at, "state": "erasing"},
            as_json=as_json,
        )
        return ExitCode.PARTIAL
    emit(done.certificate if as_json else _told(done.certificate), as_json=as_json)
    say(f"Certificate: {kept}")
    return ExitCode.OK


def _told(certificate: dict[str, object]) -> dict[str, object]:
    told = {
        key: certificate[key]
        for key in ("customer", "operation", "refused_at", "erased_at", "copies")
    }
    classes = certificate["classes"]
    return {
        **told,
        "records": certificate["records"],
        "classes": ", ".join(classes) if isinstance(classes, list) else "",
    }


@click.command()
@click.argument("client")
@click.argument("number")
@json_option
def find(client: str, number: str, as_json: bool) -> None:
    """Say which customer has the client's own customer NUMBER, and whether it is live. No field is shown.

    \b
    Examples:
      holdfast customer find bank-01 C-000123
    """
    from holdfast.procedures.disposal.services import find_customer

    with _opened_house() as house:
        found = find_customer(house, client, number)
    emit({"customer": found.customer, "state": found.state}, as_json=as_json)


@click.command()
@click.argument("client")
@click.option("--statement", is_flag=True, help="Print what the client signs, and do nothing.")
@click.option(
    "--signature",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The client's Ed25519 signature over the statement; needed if its contract names a key.",
)
@json_option
def shred_client(client: str, statement: bool, signature: Path | None, as_json: bool) -> int:
    """Erase a whole client: everything is refused at once, then all its keys and records are destroyed.

    It takes a second person, and the client's signature if its contract names a key. Assignments, tokens, feeds and
    contacts end with it. The client's log stays and stays verifiable; its id is never used again. It cannot be undone.

    Exit code 0: erased and certified. 3: refused from now on, but a reader holds the store open; the worker goes on.

    \b
    Examples:
      holdfast client shred bank-01
      holdfast client shred bank-01 --statement > order.txt
      holdfast client shred bank-01 --signature order.sig --json
    """
    from holdfast.procedures.disposal import services

    with _opened_house() as house:
        if statement:
            click.echo(services.statement_of(house, client), nl=False)
            return ExitCode.OK
        given = signature.read_bytes() if signature else b""
        done = services.shred_client(house, client, signature=given)
    if done.certificate is None:
        say(f"Refused from now on. Not erased yet: {done.waits_for}.", colour="yellow")
        emit({"operation": done.operation, "state": "erasing"}, as_json=as_json)
        return ExitCode.PARTIAL
    told = ("client", "operation", "refused_at", "erased_at", "copies", "customers", "records")
    shown = done.certificate if as_json else {key: done.certificate[key] for key in told}
    emit(shown, as_json=as_json)
    return ExitCode.OK
