"""``holdfast log timeline`` and ``log tally``: what a log says of one reference, and how much it says of what."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

import click

from holdfast.edges.cli.context import open_house_from
from holdfast.kit.clock import DAY_US, rfc3339
from holdfast.kit.errors import InvalidInput, NotFound
from holdfast.kit.terminal import emit, json_option, say
from holdfast.vocabulary.acts import Act
from holdfast.vocabulary.ids import CUSTOMER, CUSTOMER_REF, HOUSE_LOG, PERSON_REF, client_log

if TYPE_CHECKING:
    from holdfast.kit.db import Work
    from holdfast.spine.house import House

_SHOWN: Final = ("op", "act", "signal", "outcome", "person", "by", "count")


@click.command()
@click.argument("client", required=False, default="")
@click.option("--person", default="", help="Staff id, id or reference of a person.")
@click.option("--customer", default="", help="Id or reference of a customer.")
@click.option(
    "--reference",
    default="",
    help="Any other: of a contact, credential, decision, approval, export, hold, permit.",
)
@click.option("--before", type=click.IntRange(0), default=None, help="Leaves before this index.")
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True)
@json_option
@click.pass_context
def timeline(
    ctx: click.Context,
    *,
    client: str,
    person: str,
    customer: str,
    reference: str,
    before: int | None,
    limit: int,
    as_json: bool,
) -> None:
    """Show the leaves of a client's log that name one person, customer or other reference, newest first.

    Without CLIENT it is the house's own log. Each leaf is compared with the tree when it is shown. Whom a reference
    stands for is not said; a staff id or a customer's id is turned into the reference for those who may look it up.

    \b
    Examples:
      holdfast log timeline bank-01 --person A0001
      holdfast log timeline bank-01 --customer c_y3k5cz0x6v8nq2m4h7j9r1t3w5 --json
      holdfast log timeline bank-01 --reference dec_01k8yq2v6f0000000000000000
    """
    from holdfast.spine.stream.timeline import timeline as read

    given = [
        (kind, name)
        for kind, name in (("person", person), ("customer", customer), ("", reference))
        if name
    ]
    if len(given) != 1:
        raise InvalidInput("give one of --person, --customer, --reference", field="reference")
    house = open_house_from(ctx)
    log, named = house.read(_whose(house, client, given[0]))
    page = house.read_evidence(partial(read, log, named, before=before, most=limit))
    leaves = [{"index": one.index, **one.leaf} for one in page.leaves]
    data = {
        "log": client_log(client) if client else HOUSE_LOG,
        "leaves": leaves,
        "before": page.before,
        "unread": page.size - page.indexed,
    }
    if not as_json and not leaves:
        say("No leaf names it.")
    emit(data if as_json else [_line(one) for one in leaves], as_json=as_json)
    if page.before is not None:
        say(f"There are more: --before {page.before}")
    if page.size > page.indexed:
        say(f"The newest {page.size - page.indexed} leaves are not in the index yet.")


def _whose(house: House, client: str, given: tuple[str, str]) -> Work[tuple[str, str]]:
    """Return log and reference to somebody who may read it."""
    log = yield from _readable(house, client)
    return log, (yield from _reference(house, client, *given))


def _reference(house: House, client: str, kind: str, name: str) -> Work[str]:
    """Turn a name into the reference of this log, for somebody who may look that up."""
    if kind == "person" and not name.startswith(f"{PERSON_REF}_"):
        return (yield from _person(house, client, name))
    if kind == "customer" and not name.startswith(f"{CUSTOMER_REF}_"):
        return (yield from _customer(house, client, name))
    return name


def _person(house: House, client: str, name: str) -> Work[str]:
    from holdfast.kit.db import Round
    from holdfast.spine.administration.scene import administer
    from holdfast.spine.identity.people import find_person
    from holdfast.spine.identity.store import REFERENCE

    yield from administer(house, Act.PERSON_LIST)
    member = yield from find_person(name)
    log = client_log(client) if client else HOUSE_LOG
    (rows,) = yield Round(data=(REFERENCE(person=member.id, log=log),))
    if not rows:
        raise NotFound(f"{log} does not name {name}")
    return str(rows[0][0])


def _customer(house: House, client: str, name: str) -> Work[str]:
    from holdfast.kit.db import Round
    from holdfast.spine.administration.scene import administer
    from holdfast.spine.vault.keyring.store import CUSTOMER_REFERENCE

    if not client or not name.startswith(f"{CUSTOMER}_"):
        raise InvalidInput(
            "a customer is named by an id or by the reference in a client's log",
            field="customer",
            remedy="`holdfast customer find` tells the id.",
        )
    yield from administer(house, Act.CUSTOMER_FIND, clients=(client,))
    (rows,) = yield Round(keys=(CUSTOMER_REFERENCE(client=client, customer=name),))
    if not rows:
        raise NotFound(
            "no live customer of this id stands in the log",
            remedy="The reference of one who was erased is known from the log alone.",
        )
    return str(rows[0][0])


@click.command()
@click.argument("client", required=False, default="")
@click.option("--days", type=click.IntRange(1, 400), default=7, show_default=True)
@json_option
@click.pass_context
def tally(ctx: click.Context, *, client: str, days: int, as_json: bool) -> None:
    """Count what a client's log says, by day: looks by operation and outcome, refusals by rule, signals.

    Without CLIENT it is the house's own log. A line without a rule counts each leaf once; one with a rule counts those
    that name it. Days are UTC, today included.

    \b
    Examples:
      holdfast log tally bank-01
      holdfast log tally bank-01 --days 30 --json | jq 'map(select(.rule != "")) | group_by(.rule)'
    """
    from holdfast.spine.stream.tally import tally as read

    house = open_house_from(ctx)
    house.floor_clock()
    since_day = house.clock.now_us() // DAY_US - days + 1
    log = house.read(_readable(house, client))
    rows = [
        {
            "day": rfc3339(one.day * DAY_US)[:10],
            "type": one.type,
            "what": one.what,
            "outcome": one.outcome,
            "rule": one.rule,
            "count": one.count,
        }
        for one in house.read_evidence(partial(read, log, since_day=since_day))
    ]
    emit(rows, as_json=as_json)


def _readable(house: House, client: str) -> Work[str]:
    """Return the log's name to somebody who may read it; who may not learns nothing of a client."""
    from holdfast.spine.administration.scene import administer

    yield from administer(house, Act.LOG_READ, clients=(client,) if client else ())
    return client_log(client) if client else HOUSE_LOG


def _line(leaf: dict[str, Any]) -> dict[str, Any]:
    told = {name: leaf[name] for name in _SHOWN if leaf.get(name) not in {None, ""}}
    return {
        "index": leaf["index"],
        "time": leaf["time"],
        "type": leaf["type"],
        "says": " ".join(f"{name}={value}" for name, value in told.items()),
    }
