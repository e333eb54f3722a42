"""What the commands share: the house, opened for one command, and how a person is printed."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.spine.house import House
    from holdfast.spine.identity.people import Member


@contextmanager
def opened_house() -> Iterator[House]:
    """Open the house of this command; imported only here, so that ``--help`` is quick."""
    from holdfast.kit.config import load_settings
    from holdfast.spine.house import open_house

    house = open_house(load_settings())
    try:
        yield house
    finally:
        house.close()


def shown(member: Member, **more: Any) -> dict[str, Any]:
    """Return a person as commands print them."""
    return {
        "person": member.id,
        "staff_id": member.staff_id,
        "employer": member.employer,
        "state": member.state.value,
        "roles": sorted(member.roles),
        **more,
    }
