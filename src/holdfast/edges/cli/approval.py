"""``holdfast approval list``, ``show``, ``approve`` and ``refuse``: the second person.

Administrative acts are decided in the name of who acts here. Looks and actions at a client's customers are decided as
over HTTP, by the person whose token ``HOLDFAST_TOKEN`` holds: that token is what the decision judges.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from holdfast.edges.cli.context import open_house_from
from holdfast.kit.clock import rfc3339
from holdfast.kit.errors import Denied, NotAuthenticated
from holdfast.kit.terminal import emit, json_option, say

if TYPE_CHECKING:
    from holdfast.spine.administration.approving import Waiting
    from holdfast.spine.house import House
    from holdfast.spine.turn.answers import ApprovalShown, Asked, Refused

HERE = "127.0.0.1"  # where the command line is: on the house's own machine
MOST_LISTED = 100


@click.command("list")
@json_option
@click.pass_context
def list_all(ctx: click.Context, *, as_json: bool) -> None:
    """List what waits for a second person: who asks, what it is, and what it would change or show.

    With HOLDFAST_TOKEN set, looks and actions that wait for that person are listed as well, and their own.

    \b
    Examples:
      holdfast approval list
      holdfast approval list --json
    """
    from holdfast.spine.administration.approving import waiting

    house = open_house_from(ctx)
    found = [_data(one) for one in house.read(waiting(house))]
    found += [laid_out(one) for one in _looks(house)]
    if as_json:
        emit(found, as_json=True)
        return
    if not found:
        say("Nothing waits for you.")
        return
    emit(found, as_json=False, text="\n\n".join(_text(one) for one in found))


def _looks(house: House) -> tuple[ApprovalShown, ...]:
    from holdfast.spine.operations.waiting import list_approvals

    if house.settings.token is None:
        return ()
    work = list_approvals(house, caller_of(house), after="", limit=MOST_LISTED)
    return house.transact(work).approvals


def caller_of(house: House) -> Asked:
    """Who asks or decides about looks: the holder of the token, here."""
    from holdfast.spine.identity.acting import proved_here
    from holdfast.spine.identity.credentials import hash_secret
    from holdfast.spine.turn.answers import Asked

    if house.settings.token is None:
        raise NotAuthenticated(
            "this is done by the person whose token HOLDFAST_TOKEN holds, and it is not set",
            remedy="Set HOLDFAST_TOKEN to your own token, or decide over HTTP.",
        )
    secret, proved = hash_secret(house.settings.token.reveal()), proved_here(house.settings)
    return Asked(client="", collection="", contact="", secret_hash=secret, proved=proved, peer=HERE)


def _data(one: Waiting) -> dict[str, Any]:
    return {
        "approval": one.id,
        "act": one.act,
        "by": one.by,
        "clients": list(one.clients),
        "summary": one.summary,
        "state": "asked",
        "expires": rfc3339(one.expires_us),
    }


def laid_out(one: ApprovalShown) -> dict[str, Any]:
    """A request about a client's customers, as commands print it."""
    summary: dict[str, Any] = {
        name: said
        for name, said in (("reason", one.reason), ("collection", one.collection))
        if said
    }
    summary |= {name.lstrip(":"): how for name, how in one.wanted.items()}
    return {
        "approval": one.approval,
        "act": one.operation,
        "by": one.requester,
        "clients": [one.client],
        "summary": summary,
        "state": one.state,
        "expires": one.expires_at,
        **({"glass": one.glass} if one.glass else {}),
    }


def _text(one: dict[str, Any]) -> str:
    clients = ", ".join(one["clients"]) or "the house"
    lines = [f"{one['approval']}  {one['act']}  {clients}  by {one['by']}  ({one['state']})"]
    for name, value in one["summary"].items():
        values = value if isinstance(value, list) else [value]
        lines += [f"  {name}: {text}" for text in values]
    lines += [f"  {name} is now {value}" for name, value in one.get("preview", {}).items()]
    if one.get("glass"):
        lines.append(f"  glass: {one['glass']}")
    return "\n".join(lines)


@click.command()
@click.argument("approval")
@json_option
@click.pass_context
def show(ctx: click.Context, *, approval: str, as_json: bool) -> None:
    """Show what somebody asks for. Of a look: the fields as they are now, masked.

    Looking at a look leaves a line in the client's log and costs your own budget, as any look does.

    \b
    Examples:
      holdfast approval show apr_01kb…
    """
    from holdfast.spine.administration.approving import waiting
    from holdfast.spine.operations.approve import show_approval

    house = open_house_from(ctx)
    found = [_data(one) for one in house.read(waiting(house)) if one.id == approval]
    if not found:
        shown = _told(house.transact(show_approval(house, caller_of(house), approval)))
        preview = {name: one.value for name, one in shown.fields.items() if one.value}
        found = [{**laid_out(shown), "preview": preview}]
    emit(found[0], as_json=as_json, text=_text(found[0]))


def _told(answer: ApprovalShown | Refused) -> ApprovalShown:
    """Return what is shown; a refusal is told as the command line tells one."""
    from holdfast.spine.turn.answers import Refused

    if isinstance(answer, Refused):
        first = answer.reasons[0]
        raise Denied(
            f"{answer.decision} is refused by {first.rule}: {first.label}",
            remedy=first.remedy.text,
            code=answer.code,
        )
    return answer


@click.command()
@click.argument("approval")
@json_option
@click.pass_context
def approve(ctx: click.Context, *, approval: str, as_json: bool) -> None:
    """Approve exactly what somebody else has tried to do.

    They then run their command again within a day, or repeat their look within 15 minutes. You must be one who might do
    it yourself, or may approve by the client's contract, and you stand in the client's log beside them.

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
    from holdfast.spine.approvals.requests import load
    from holdfast.spine.operations.approve import decide_approval
    from holdfast.spine.operations.waiting import HERE as OF_CLIENTS

    house = open_house_from(ctx)
    known = house.read(load(approval))
    if known is not None and known.kind in OF_CLIENTS:
        work = decide_approval(house, caller_of(house), approval, grant=grant)
        emit(laid_out(_told(house.transact(work))), as_json=as_json)
        return
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
