"""Watching the disk: the reserve that is given up at the end, and a signal when less may be written (SPINE 23)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdfast.kit.clock import HOUR_US, SECOND_US
from holdfast.kit.db import Round
from holdfast.kit.disk import Reserve, Room
from holdfast.spine.ledger.recorder import append_signal
from holdfast.vocabulary.ids import HOUSE_LOG
from holdfast.vocabulary.signals import Signal

if TYPE_CHECKING:
    from holdfast.kit.db import Work
    from holdfast.kit.disk import Free
    from holdfast.spine.house import House

RESERVE: Final = "reserve"
_EVERY_US: Final = 5 * SECOND_US
_AGAIN_US: Final = HOUR_US
_SIGNALS: Final = {Room.LOW: Signal.DISK_LOW, Room.FULL: Signal.DISK_FULL}


class RoomWatch:
    """Looks every five seconds; tells each narrowing once, and again after an hour."""

    def __init__(self, house: House) -> None:
        self._house = house
        size = house.settings.disk_reserve_mb * 1024 * 1024
        self._reserve = Reserve(house.home / RESERVE, size)
        self._looked_us = 0
        self._told = Room.PLENTY
        self._told_us = 0

    def look(self) -> None:
        """Look if it is time to."""
        now_us = self._house.clock.now_us()
        if now_us - self._looked_us < _EVERY_US:
            return
        self._looked_us = now_us
        free = self._house.disk.free()
        self._reserve.keep(free)
        again = now_us - self._told_us >= _AGAIN_US
        if free.room is not Room.PLENTY and (free.room > self._told or again):
            self._told_us = now_us
            self._house.transact(self._tell(free))
            self._told = free.room
        elif free.room is Room.PLENTY:
            self._told = Room.PLENTY

    def _tell(self, free: Free) -> Work[None]:
        now_us = self._house.clock.now_us()
        share = round(free.share * 100)
        yield Round(data=(append_signal(HOUSE_LOG, _SIGNALS[free.room], now_us, count=share),))
