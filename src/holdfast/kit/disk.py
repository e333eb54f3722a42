"""How much room is left where the house writes, and a file that keeps some of it for the end (SPINE 23)."""

from __future__ import annotations

import os
import shutil
from enum import IntEnum
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from holdfast.kit.clock import monotonic_s
from holdfast.kit.files import fsync_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

LOW_SHARE: Final = 0.10
FULL_SHARE: Final = 0.05
_LOOK_AGAIN_S: Final = 1.0


class Room(IntEnum):
    """What may still be written."""

    PLENTY = 0
    LOW = 1  # under a tenth is free: no imports
    FULL = 2  # under a twentieth: denials and erasures only


class Free(NamedTuple):
    """Free space of the disk that has the least."""

    bytes: int
    share: float

    @property
    def room(self) -> Room:
        """What may still be written."""
        if self.share < FULL_SHARE:
            return Room.FULL
        return Room.LOW if self.share < LOW_SHARE else Room.PLENTY


class Disk(Protocol):
    """What the house asks about its disks."""

    def free(self) -> Free:
        """Return the free space, at most a second old."""
        ...


class SystemDisk:
    """The disks under ``folders``."""

    def __init__(self, folders: Iterable[Path], now: Callable[[], float] = monotonic_s) -> None:
        self._folders = tuple(folders)
        self._now = now
        self._seen: Free | None = None
        self._seen_s = 0.0

    def free(self) -> Free:
        """See :class:`Disk`. A folder that cannot be looked at counts as full."""
        now_s = self._now()
        if self._seen is None or now_s - self._seen_s >= _LOOK_AGAIN_S:
            self._seen, self._seen_s = min(map(_free, self._folders)), now_s
        return self._seen


def _free(folder: Path) -> Free:
    try:
        usage = shutil.disk_usage(folder)
    except OSError:
        return Free(0, 0.0)
    return Free(usage.free, usage.free / usage.total if usage.total else 0.0)


class Reserve:
    """A file of ``size`` bytes that is given up when the disk is nearly full, so that refusals can be written."""

    def __init__(self, path: Path, size: int) -> None:
        self._path = path
        self._size = size

    def keep(self, free: Free) -> bool | None:
        """Hold the file while there is plenty of room, give it up when less than its size is left.

        Returns True when it was made, False when it was given up, None when nothing changed.
        """
        held = self._path.exists()
        if held and free.bytes < self._size:
            self._path.unlink(missing_ok=True)
            fsync_folder(self._path.parent)
            return False
        if not held and free.room is Room.PLENTY and free.bytes > 4 * self._size:
            return self._make()
        return None

    def _make(self) -> bool | None:
        fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(fd, 0, self._size)
            os.fsync(fd)
        except OSError:
            self._path.unlink(missing_ok=True)
            return None
        finally:
            os.close(fd)
        return True
