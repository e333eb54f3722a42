"""``holdfast provisional list`` and ``clear``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from holdfast.edges.cli.context import open_house_from
from holdfast.kit.clock import rfc3339
from holdfast.kit.terminal import emit, json_option, say
from holdfast.vocabulary.acts import Act

if TYPE_CHECKING:
    from holdfast.kit.db import Work
    from holdfast.spine.house import House
    from holdfast.spine.purpose.provisional import Provisional


@click.command("list")
@click.option("--client", default="", help="Only those of this client.")
@click.option("--all", "every", is_flag=True, help="Those that are settled, too.")
@json_option
@click.pass_context
def list_all(ctx: click.Context, *, client: str, every: bool, as_json: bool) -> None:
    """List contacts that persons opened on their own word: those that wait for the feed or were not confirmed.

    `unreconciled` suspends the person's privilege until a lead of another line clears it.

    \b
    Examples:
      holdfast provisional list
      holdfast provisional list --client tel-01 --all --json
    """
    house = open_house_from(ctx)
    found = house.read(_found(house, client, every=every))
    if not found:
        say("No contact waits for its feed or was left unconfirmed.")
    now_us = house.clock.now_us()
    emit([_row(one, now_us) for one in found], as_json=as_json)


def _found(house: House, client: str, *, every: bool) -> Work[list[Provisional]]:
    from holdfast.spine.administration.scene import administer
    from holdfast.spine.purpose.settle import list_provisionals

    yield from administer(house, Act.PROVISIONAL_LIST)
    return (yield from list_provisionals(client, every=every))


@click.command()
@click.argument("ident", metavar="ID")
@json_option
@click.pass_context
def clear(ctx: click.Context, *, ident: str, as_json: bool) -> None:
    """Clear a contact that no feed confirmed, after looking into it: its person may open provisional contacts again.

    A lead of another line does it; nobody clears their own, or their own line's.

    \b
    Examples:
      holdfast provisional clear prv_01k8yq2v6f0000000000000000
    """
    house = open_house_from(ctx)
    cleared = house.transact(cleared_by_acting(house, ident))
    emit(_row(cleared, house.clock.now_us()), as_json=as_json)


def cleared_by_acting(house: House, ident: str) -> Work[Provisional]:
    """Clear one in the name of who acts; judged, so that it is a lead of another line."""
    from holdfast.spine.administration.scene import enter
    from holdfast.spine.purpose.settle import clear as clear_one
    from holdfast.spine.purpose.settle import find

    entered = yield from enter(house, Act.PROVISIONAL_CLEAR)
    given = yield from find(ident)
    scene = yield from entered.judge(clients=(given.client,), on=given.person)
    return (yield from clear_one(given, by=scene.acting.reference, now_us=scene.now_us))


def _row(given: Provisional, now_us: int) -> dict[str, str]:
    from holdfast.spine.purpose.provisional import State, is_overdue

    state = State.UNRECONCILED.value if is_overdue(given, now_us) else given.state
    return {
        "id": given.id,
        "client": given.client,
        "person": given.person,
        "contact": given.contact,
        "queue": given.queue,
        "basis": given.basis,
        "state": state,
        "looked": "yes" if given.customer else "no",
        "opened": rfc3339(given.opened_us),
    }
