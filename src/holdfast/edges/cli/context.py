"""The house that a command works on: opened when it is asked for, closed when the command ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.kit.config import load_settings

if TYPE_CHECKING:
    import click

    from holdfast.spine.house import House

_KEY = "holdfast.house"


def open_house_from(ctx: click.Context) -> House:
    """Return the house of ``--home``, ``HOLDFAST_HOME`` or ``./var``; the same one each time within a command."""
    root = ctx.find_root()
    if _KEY not in root.meta:
        # Only commands that need a house pay for this import.
        from holdfast.spine.house import open_house

        house = open_house(load_settings())
        root.call_on_close(house.close)
        root.meta[_KEY] = house
    found: House = root.meta[_KEY]
    return found
