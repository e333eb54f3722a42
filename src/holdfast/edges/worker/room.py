"""Watching the disk: the reserve that is given up at the end, and a signal when less may be written (SPINE 23)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdfast.kit.clock import HOUR_US, SECOND_US
from holdfast.kit.db import Round
from holdfast.kit.disk import Reserve, Room
from holdfast.spine.ledger.recorder import append_signal
from holdfast.spine.ledger.store import DROP_DUE, TELL_AGAIN
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
    """Looks every five seconds; tells each narrowing once, and again after an hour.

    Several workers on one machine see the same disk: what one of them has told, the others do not tell as well, be it
    that one has died since. The disk of another machine is another one.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        size = house.settings.disk_reserve_mb * 1024 * 1024
        self._reserve = Reserve(house.home / RESERVE, size)
        self._looked_us = self._asked_us = 0
        self._seen: Room | None = None
        self._machine = house.clock.uptime().boot

    def look(self) -> None:
        """Look if it is time to."""
        now_us = self._house.clock.now_us()
        if now_us - self._looked_us < _EVERY_US:
            return
        self._looked_us = now_us
        free = self._house.disk.free()
        self._reserve.keep(free)
        again = now_us - self._asked_us >= _AGAIN_US
        if free.room is Room.PLENTY:
            if self._seen is not Room.PLENTY:
                self._house.transact(self._forget())
        elif again or free.room > (self._seen or Room.PLENTY):
            self._house.transact(self._tell(free))
            self._asked_us = now_us
        self._seen = free.room

    def _tell(self, free: Free) -> Work[None]:
        """Tell of it, unless somebody has within the hour; who tells the worst has told the less bad, too."""
        now_us = self._house.clock.now_us()
        before_us = now_us - _AGAIN_US
        rooms = [room for room in _SIGNALS if room <= free.room]
        answers = yield Round(
            data=tuple(
                TELL_AGAIN(what=self._told(room), at_us=now_us, before_us=before_us)
                for room in rooms
            )
        )
        if answers[-1]:
            share = round(free.share * 100)
            yield Round(data=(append_signal(HOUSE_LOG, _SIGNALS[free.room], now_us, count=share),))

    def _forget(self) -> Work[None]:
        yield Round(data=tuple(DROP_DUE(what=self._told(room)) for room in _SIGNALS))

    def _told(self, room: Room) -> str:
        return f"{_SIGNALS[room]} {self._machine}"
