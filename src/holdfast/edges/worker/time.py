"""Watching the time: a tick every few seconds, and a signal when the machine's clock was set (SPINE 24)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdfast.kit.clock import SECOND_US
from holdfast.spine.timekeeping import report_step, tick

if TYPE_CHECKING:
    from holdfast.spine.house import House

_EVERY_US: Final = 5 * SECOND_US


class TimeWatch:
    """One per worker. When it is made, the house has to be one whose clock is not floored yet."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._ticked_us = 0
        self._unseen_us = house.floor_clock()

    def look(self) -> None:
        """Tell of a step, if there was one since the last look or while no process ran; keep the time."""
        house = self._house
        by_us = house.clock.take_step() + self._unseen_us
        self._unseen_us = 0
        if by_us:
            house.transact(report_step(house, by_us))
        now_us = house.clock.now_us()
        if now_us - self._ticked_us >= _EVERY_US:
            self._ticked_us = now_us
            house.transact(tick(house))
