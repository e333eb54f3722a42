"""The file of rejected rows: line, field and reason; never a value.

It names the line in the client's own file, so that the client can find the row where it is. Only its owner can read it
(0600). It is made when there is something to write.
"""

from __future__ import annotations

import csv
import io
import os
from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.kit.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

HEADER: Final = "line,field,reason\r\n"


class Reject(NamedTuple):
    """A row that was not taken in."""

    line: int
    field: str
    reason: str


class RejectsFile:
    """Rejects of one import, appended batch by batch and durable after each."""

    def __init__(self, path: Path, *, size: int = 0) -> None:
        """``size`` is how much of the file counts when an import goes on: what was written after it is cut off."""
        self.path = path
        self.size = size
        self._descriptor = -1

    def counted(self) -> Iterator[Reject]:
        """Yield the rejects that an interrupted run has left in the file."""
        if not self.size:
            return
        with self.path.open("rb") as file:
            content = io.TextIOWrapper(
                io.BytesIO(file.read(self.size)), encoding="utf-8", newline=""
            )
            rows = csv.reader(content)
            next(rows, None)
            for line, field, reason in rows:
                yield Reject(int(line), field, reason)

    def write(self, rejects: Iterable[Reject]) -> None:
        """Append and flush to disk."""
        text = io.StringIO(newline="")
        csv.writer(text).writerows(rejects)
        content = text.getvalue().encode()
        if not content:
            return
        if self._descriptor < 0:
            self._open()
        if self.size == 0:
            content = HEADER.encode() + content
        view = memoryview(content)
        while view:
            view = view[os.write(self._descriptor, view) :]
        os.fsync(self._descriptor)
        self.size += len(content)

    def close(self) -> None:
        """Close the file if it was made; what stands beyond its size, from an interrupted run, is cut off."""
        if self._descriptor < 0 and self.size and self.path.exists():
            self._open()
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _open(self) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self.path, flags, 0o600)
        except OSError as error:
            raise InvalidInput(
                f"the rejects file {self.path} cannot be written: {error.strerror}", field="rejects"
            ) from None
        try:
            self._refuse_other(os.read(descriptor, len(HEADER)))
            os.fchmod(descriptor, 0o600)
            os.ftruncate(descriptor, self.size)
            os.lseek(descriptor, 0, os.SEEK_END)
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor

    def _refuse_other(self, begin: bytes) -> None:
        if begin and begin != HEADER.encode():
            raise InvalidInput(
                f"{self.path} holds something else than rejects",
                field="rejects",
                remedy="Name another file.",
            )
