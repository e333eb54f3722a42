"""``holdfast permit-key``: the keys that sign permits, and another in the place of the present one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from holdfast.edges.cli.context import open_house_from
from holdfast.kit.clock import DAY_US, rfc3339
from holdfast.kit.terminal import emit, json_option, say

if TYPE_CHECKING:
    from holdfast.spine.actions.permit_keys import PermitKeys


@click.command("list")
@json_option
@click.pass_context
def list_all(ctx: click.Context, *, as_json: bool) -> None:
    """List the keys that sign permits: which one signs, since when, and when one that ends is gone.

    \b
    Examples:
      holdfast permit-key list
    """
    house = open_house_from(ctx)
    emit(_told(house.permit_keys(), house.clock.now_us()), as_json=as_json)


@click.command()
@json_option
@click.pass_context
def rotate(ctx: click.Context, *, as_json: bool) -> None:
    """Let another key sign permits. Target systems find it in the JWK Set at once, and it signs a minute later.

    The old key stays in the set until its last permit is over, and is gone when no outcome of one can be told any more.
    Until then a second rotation is refused. Every client's log says that the key is another one.

    \b
    Examples:
      holdfast permit-key rotate
    """
    from holdfast.spine.operations.permit_key import rotate_permit_key

    house = open_house_from(ctx)
    keys = rotate_permit_key(house)
    emit(_told(keys, house.clock.now_us()), as_json=as_json)
    say("Target systems that meet the new key id fetch /.well-known/jwks.json again by themselves.")


def _told(keys: PermitKeys, now_us: int) -> list[dict[str, Any]]:
    return [
        {
            "key": one.key.id,
            "state": one.standing(now_us),
            "signs_from": rfc3339(one.from_us),
            "days": max(0, now_us - one.from_us) // DAY_US,
            "gone": "" if one.next_us is None else rfc3339(one.gone_us),
        }
        for one in keys.held
    ]
