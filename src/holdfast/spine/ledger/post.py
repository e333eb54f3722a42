"""The post of a keeper of the logs: its place beside the signing keys, by which its lease and its memory are its own.

On SQLite there is one, held alone. On PostgreSQL there are as many as processes keep watch; who takes a post that a
killed process left takes over its lease at once, and a frozen process keeps its own, so that nobody takes it for dead.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Final

from holdfast.kit.errors import Conflict
from holdfast.kit.process import LockFile

if TYPE_CHECKING:
    from pathlib import Path

LOCK: Final = "lock"


class Post:
    """A post in ``folder``, until :meth:`leave` or the end of the process.

    ``place`` names it among all machines, ``number`` within its folder.
    """

    def __init__(self, folder: Path, house: str, *, alone: bool, boot: str) -> None:
        """``house`` is the name that its logs are signed under, ``boot`` tells this run of the machine from others.

        Raises :class:`Conflict` when somebody is alone there, or is there at all, and ``alone`` is asked for.
        """
        self._locks = [LockFile(folder / LOCK)]
        self._locks[0].acquire(shared=not alone)
        self.number, self.place = 0, house
        if alone:
            return
        for number in count():
            lock = LockFile(folder / f"post.{number}.{LOCK}")
            try:
                lock.acquire()
            except Conflict:
                continue
            self._locks.append(lock)
            self.number = number
            break
        at = folder.stat()
        self.place = f"{house} {boot} {at.st_dev}:{at.st_ino} {self.number}"

    def leave(self) -> None:
        """Give the post up."""
        for lock in reversed(self._locks):
            lock.release()
