"""Which record keys a file has shown already, in constant memory.

Two rows of one file with the same record key and other values would overwrite each other on every run: an import of the
same file would never come to rest. The first counts; a later one that says the same is passed on (it changes nothing),
one that says something else is rejected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pysqlite3

from holdfast.kit.db.sqlite import SqliteConnection
from holdfast.kit.ids import random_bytes
from holdfast.procedures.classification.services import store

if TYPE_CHECKING:
    from collections.abc import Sequence

# A row's record key and content as hashes that mean nothing outside this process, and the line where it begins.
Mark = tuple[int, int, int]
_CACHE_KIB: Final = 16_384


class Seen:
    """The keys of one file. Hashes are 64 bits under a random prefix, on disk only in a file without a name."""

    def __init__(self) -> None:
        # "" is SQLite's private temporary database: spilled to an unlinked file when it outgrows its cache.
        raw = pysqlite3.connect("", isolation_level=None)
        for pragma in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{_CACHE_KIB}"):
            raw.execute(f"PRAGMA {pragma}")
        raw.execute(store.MAKE_SEEN)
        self._connection = SqliteConnection(raw)
        self._prefix = random_bytes(16).hex()

    def mark(self, key: str, row: Sequence[str], line: int) -> Mark:
        """Hash a row by its record key and by all it says."""
        return hash(self._prefix + key), hash((self._prefix, *row)), line

    def doubles(self, rows: Sequence[Mark]) -> dict[int, int]:
        """Take rows into account; return the lines that say something else of a key, each with the line before it."""
        connection = self._connection
        connection.begin()
        added = connection.execute_many(store.ADD_SEEN, rows)
        connection.commit()
        if added == len(rows):
            return {}
        found = connection.execute(store.SEEN(marks=list({mark for mark, _, _ in rows})))
        first = {mark: (content, line) for mark, content, line in found}
        return {
            line: first[mark][1]
            for mark, content, line in rows
            if first[mark][1] != line and first[mark][0] != content
        }

    def close(self) -> None:
        """Forget everything."""
        self._connection.close()
