"""``holdfast client freeze`` and ``unfreeze``: a client stops every look at its customers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from holdfast.edges.cli.context import open_house_from
from holdfast.kit.errors import Denied, InvalidInput
from holdfast.kit.terminal import emit, json_option, say
from holdfast.vocabulary.levels import FreezeReason

if TYPE_CHECKING:
    from holdfast.spine.operations.freeze import Step
    from holdfast.spine.turn.answers import FreezeStands


@click.command()
@click.argument("client")
@click.option(
    "--reason",
    type=click.Choice([reason.value for reason in FreezeReason]),
    help="Why, as a code; it stands in the client's log.",
)
@click.option("--confirm", is_flag=True, help="Confirm a freeze as the second user of the client.")
@json_option
@click.pass_context
def freeze(
    ctx: click.Context, *, client: str, reason: str | None, confirm: bool, as_json: bool
) -> None:
    """Stop every look at the client's customers, in every process, from the next request on.

    A user of the client does this, or the house's security. Without --confirm by a second user of the client it ends
    after four hours. Calls whose reason the contract exempts ([freeze] exempt_reasons) go on; each says so in the log.

    \b
    Examples:
      holdfast client freeze bank-01 --reason misuse
      holdfast client freeze bank-01 --confirm
    """
    from holdfast.spine.operations.freeze import Step

    if confirm and reason:
        raise InvalidInput("a confirmation has no reason of its own", field="reason")
    step = Step.CONFIRM if confirm else Step.FREEZE
    done = _take(ctx, client, step, FreezeReason(reason or FreezeReason.UNSPECIFIED))
    ends = f"until {done.until}" if done.until else "until a user of the client lifts it"
    emit(_data(done), as_json=as_json, text=f"{done.client} is frozen {ends}")
    if not done.confirmed:
        say(
            f"To keep it so, a second user of the client: holdfast client freeze {client} --confirm"
        )


@click.command()
@click.argument("client")
@json_option
@click.pass_context
def unfreeze(ctx: click.Context, *, client: str, as_json: bool) -> None:
    """Lift a client's freeze. A user of the client does this, who was one before it began.

    \b
    Examples:
      holdfast client unfreeze bank-01
      holdfast client unfreeze bank-01 --json
    """
    from holdfast.spine.operations.freeze import Step

    done = _take(ctx, client, Step.UNFREEZE)
    emit(_data(done), as_json=as_json, text=f"{done.client} is {done.state}")


def _take(
    ctx: click.Context, client: str, step: Step, reason: FreezeReason = FreezeReason.UNSPECIFIED
) -> FreezeStands:
    from holdfast.spine.operations.freeze import freeze_here
    from holdfast.spine.turn.answers import FreezeRefused

    house = open_house_from(ctx)
    answer = house.transact(freeze_here(house, client, step, reason))
    if isinstance(answer, FreezeRefused):
        raise Denied(answer.message, remedy=answer.remedy, code=answer.code)
    return answer


def _data(done: FreezeStands) -> dict[str, object]:
    return {
        "client": done.client,
        "state": done.state,
        "until": done.until,
        "confirmed": done.confirmed,
        "leaf": done.leaf.id,
    }
