"""``holdfast break-glass open`` and ``end``: looking without a contact, in an emergency, with a second person."""

from __future__ import annotations

import click

from holdfast.edges.cli.approval import caller_of, laid_out
from holdfast.edges.cli.context import open_house_from
from holdfast.kit.terminal import emit, json_option, say
from holdfast.vocabulary.levels import GlassReason


@click.command("open")
@click.argument("client")
@click.option(
    "--reason",
    type=click.Choice([reason.value for reason in GlassReason]),
    required=True,
    help="Why, as a code; it stands in the client's log.",
)
@click.option("--call", required=True, help="Reason of the contract whose field set is needed.")
@click.option("--customers", type=click.IntRange(1, 5), default=1, show_default=True)
@click.option("--minutes", type=click.IntRange(1, 30), default=15, show_default=True)
@json_option
@click.pass_context
def open_one(
    ctx: click.Context,
    *,
    client: str,
    reason: str,
    call: str,
    customers: int,
    minutes: int,
    as_json: bool,
) -> None:
    """Ask to look at a few customers of CLIENT without a contact. It opens when a second person approves.

    You are the person whose token HOLDFAST_TOKEN holds. The client is told at once, by a line and a signal in its log.

    \b
    Examples:
      holdfast break-glass open bank-01 --reason life_safety --call card-lost --customers 1 --minutes 10
    """
    from holdfast.spine.operations.breaking import Emergency, break_glass

    house = open_house_from(ctx)
    wanted = Emergency(client, GlassReason(reason), call, customers, minutes)
    asked = house.transact(break_glass(house, caller_of(house), wanted))
    emit(laid_out(asked), as_json=as_json)
    say(f"It opens when a second person runs: holdfast approval approve {asked.approval}")


@click.command()
@click.argument("glass")
@json_option
@click.pass_context
def end(ctx: click.Context, *, glass: str, as_json: bool) -> None:
    """End your break-glass before its time.

    \b
    Examples:
      holdfast break-glass end gls_01kb…
    """
    from holdfast.spine.operations.breaking import end_glass

    house = open_house_from(ctx)
    ended = house.transact(end_glass(house, caller_of(house), glass))
    emit({"glass": ended.glass, "state": "ended"}, as_json=as_json)
