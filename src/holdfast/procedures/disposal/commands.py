"""``holdfast customer shred``, ``customer find``, ``client shred`` and ``hold``."""

from __future__ import annotations

import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from holdfast.kit.clock import DAY_US, HOUR_US, parse_rfc3339, rfc3339
from holdfast.kit.terminal import ExitCode, emit, json_option, say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.spine.house import House
    from holdfast.spine.vault.holds import Hold


_DURATION: Final = re.compile(r"(\d{1,4})\s*(h|d)")
_UNITS: Final = {"h": HOUR_US, "d": DAY_US}


class Until(click.ParamType[tuple[int, int]]):
    """A date, a time with its offset, or a duration such as ``90d``: a moment, or a while from now, microseconds."""

    name = "date or duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        """Read it; click tells the person when it is none."""
        if isinstance(value, tuple):
            return value
        text = str(value)
        found = _DURATION.fullmatch(text)
        if found:
            return 0, int(found[1]) * _UNITS[found[2]]
        try:
            return parse_rfc3339(text if "T" in text else f"{text}T00:00:00Z"), 0
        except ValueError:
            self.fail(f"{value!r} is no date and no duration; write 2026-12-31 or 90d.", param, ctx)


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
        **({"held": _held(certificate["held"])} if "held" in certificate else {}),
    }


def _held(held: Any) -> str:
    return f"{held['fields']} fields until {held['until']}"


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


@click.command()
@click.argument("client")
@click.argument("customer")
@click.option("--incident", required=True, help="Code of the incident: letters, digits, hyphens.")
@click.option(
    "--until",
    "until",
    type=Until(),
    required=True,
    help="E.g. 2026-12-31 or 90d; 400 days at most.",
)
@json_option
def hold_place(
    client: str, customer: str, *, incident: str, until: tuple[int, int], as_json: bool
) -> None:
    """Let an erasure of the customer keep what it takes to tell them of an incident.

    CUSTOMER is the client's own number, an id such as cus_01k…, or the log's reference. A hold hinders no erasure: the
    fields that the contract names under [incident] notify are then sealed apart, and destroyed at the date.

    \b
    Examples:
      holdfast hold place bank-01 C-000123 --incident INC-2026-07 --until 90d
    """
    from holdfast.spine.operations.holding import place

    at_us, after_us = until
    with _opened_house() as house:
        until_us = at_us or house.clock.now_us() + after_us
        hold = house.transact(place(house, client, customer, incident=incident, until_us=until_us))
    emit(_shown(hold), as_json=as_json)


@click.command()
@click.argument("client")
@json_option
def hold_list(client: str, as_json: bool) -> None:
    """Show a client's holds, over or not; no value is shown.

    \b
    Examples:
      holdfast hold list bank-01
    """
    from holdfast.spine.operations.holding import holds_of

    with _opened_house() as house:
        holds = house.transact(holds_of(house, client))
    emit([_shown(hold) for hold in holds], as_json=as_json)


@click.command()
@click.argument("client")
@click.argument("hold")
@json_option
def hold_lift(client: str, hold: str, as_json: bool) -> int:
    """End a hold before its date; what it kept of an erased customer is destroyed at once.

    Exit code 3: it cannot be opened any more, but a reader holds the keys store open; the worker goes on.

    \b
    Examples:
      holdfast hold lift bank-01 hld_01k8yhzq0x5k3t9d8q2m4n6p7r
    """
    from holdfast.kit.errors import Unavailable
    from holdfast.spine.operations.holding import lift
    from holdfast.spine.vault.holds import destroy_ended

    with _opened_house() as house:
        lifted = house.transact(lift(house, client, hold))
        emit(_shown(lifted), as_json=as_json)
        try:
            destroy_ended(house)
        except Unavailable as error:
            say(f"Its key is not destroyed yet: {error.message}.", colour="yellow")
            return ExitCode.PARTIAL
    return ExitCode.OK


@click.command()
@click.argument("client")
@click.argument("hold")
@json_option
def hold_open(client: str, hold: str, as_json: bool) -> None:
    """Show what was kept of an erased customer, to tell them of the incident. It takes a second person.

    \b
    Examples:
      holdfast hold open bank-01 hld_01k8yhzq0x5k3t9d8q2m4n6p7r --json
    """
    from holdfast.spine.operations.holding import open_kept

    with _opened_house() as house:
        opened = house.transact(open_kept(house, client, hold))
    found = [
        (one.collection, {name: value.reveal() for name, value in one.fields.items()})
        for one in opened.kept
    ]
    lines = [
        f"{collection}.{name}  {value}" for collection, own in found for name, value in own.items()
    ]
    told = [{"collection": collection, "fields": own} for collection, own in found]
    emit(told, as_json=as_json, text="\n".join(lines))


def _shown(hold: Hold) -> dict[str, object]:
    return {
        "hold": hold.id,
        "customer": hold.reference,
        "incident": hold.incident,
        "state": hold.state,
        "until": rfc3339(hold.until_us),
        "fields": ", ".join(hold.fields),
    }
