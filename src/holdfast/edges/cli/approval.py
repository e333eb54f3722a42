"""``holdfast approval list``, ``approve`` and ``refuse``: the second person of an administrative act."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from holdfast.edges.cli.context import open_house_from
from holdfast.kit.clock import rfc3339
from holdfast.kit.terminal import emit, json_option, say

if TYPE_CHECKING:
    from holdfast.spine.administration.approving import Waiting


@click.command("list")
@json_option
@click.pass_context
def list_all(ctx: click.Context, *, as_json: bool) -> None:
    """List administrative acts that wait for a second person: who asks, what it is, and what it would change.

    \b
    Examples:
      holdfast approval list
      holdfast approval list --json
    """
    from holdfast.spine.administration.approving import waiting

    house = open_house_from(ctx)
    found = house.read(waiting(house))
    if as_json:
        emit([_data(one) for one in found], as_json=True)
        return
    if not found:
        say("Nothing waits for you.")
        return
    emit(found, as_json=False, text="\n\n".join(_text(one) for one in found))


def _data(one: Waiting) -> dict[str, Any]:
    return {
        "approval": one.id,
        "act": one.act,
        "by": one.by,
        "clients": list(one.clients),
        "summary": one.summary,
        "expires": rfc3339(one.expires_us),
    }


def _text(one: Waiting) -> str:
    lines = [f"{one.id}  {one.act}  {', '.join(one.clients) or 'the house'}  by {one.by}"]
    for name, value in one.summary.items():
        values = value if isinstance(value, list) else [value]
        lines += [f"  {name}: {text}" for text in values]
    return "\n".join(lines)


@click.command()
@click.argument("approval")
@json_option
@click.pass_context
def approve(ctx: click.Context, *, approval: str, as_json: bool) -> None:
    """Approve exactly what somebody else has tried to do; they then run their command again, within a day.

    You must be one who might do it yourself, and you stand in the client's log beside them.

    \b
    Examples:
      holdfast approval approve apr_01kb…
    """
    _decide(ctx, approval, grant=True, as_json=as_json)


@click.command()
@click.argument("approval")
@json_option
@click.pass_context
def refuse(ctx: click.Context, *, approval: str, as_json: bool) -> None:
    """Refuse what somebody else has tried to do. They can ask again, and be seen to.

    \b
    Examples:
      holdfast approval refuse apr_01kb…
    """
    _decide(ctx, approval, grant=False, as_json=as_json)


def _decide(ctx: click.Context, approval: str, *, grant: bool, as_json: bool) -> None:
    from holdfast.spine.administration.approving import decide_request

    house = open_house_from(ctx)
    request = house.transact(decide_request(house, approval, grant=grant))
    data = {
        "approval": request.id,
        "act": request.operation,
        "clients": list(request.clients),
        "state": request.state.value,
    }
    if grant:
        data["usable_until"] = rfc3339(request.expires_us)
    emit(data, as_json=as_json)
