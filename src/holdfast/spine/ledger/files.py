"""Serving a log's static files, from the disk or from the store; nothing else of either can be named.

A house on PostgreSQL serves them from the store, because a data plane on another machine has no files: byte by byte
what is published. A checkpoint is stored after the tiles that it covers, so that whatever has one has the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdfast.kit.db import Round
from holdfast.kit.errors import InvalidInput, NotFound
from holdfast.spine.ledger import store
from holdfast.spine.ledger.names import checked_log
from holdfast.spine.ledger.publish import CHECKPOINT, row_of
from holdfast.spine.ledger.signer import LOGS
from holdfast.spine.ledger.tiles import cut, parse_path, width_at

if TYPE_CHECKING:
    from pathlib import Path

    from holdfast.kit.db import Work

CHECKPOINT_TYPE: Final = b"text/plain; charset=utf-8"
TILE_TYPE: Final = b"application/octet-stream"


def log_folder(home: Path, log: str) -> Path:
    """Where the files of ``log`` stand; :class:`InvalidInput` for a name that no log has."""
    return home / LOGS / checked_log(log)


def log_file(home: Path, log: str, path: str) -> tuple[bytes, bytes]:
    """Return content and media type of ``checkpoint`` or of a tile; :class:`NotFound` for anything else."""
    try:
        kind = CHECKPOINT_TYPE if path == CHECKPOINT else TILE_TYPE
        if path != CHECKPOINT:
            parse_path(path)
        return (log_folder(home, log) / path).read_bytes(), kind
    except (ValueError, InvalidInput, FileNotFoundError, NotADirectoryError, IsADirectoryError):
        raise _no_file() from None


def stored_file(log: str, path: str) -> Work[tuple[bytes, bytes]]:
    """Return the same as :func:`log_file` from the store: nothing beyond the newest checkpoint that it holds."""
    try:
        tile = None if path == CHECKPOINT else parse_path(path)
        checked_log(log)
    except (ValueError, InvalidInput):
        raise _no_file() from None
    asked = () if tile is None else (row_of(log, tile),)
    signed, *found = yield Round(data=(store.CHECKPOINT(log=log), *asked))
    if not signed:
        raise _no_file()
    size, note, _ = signed[0]
    if tile is None:
        return bytes(note), CHECKPOINT_TYPE
    if width_at(tile.level, tile.n, size) < tile.width or not found[0]:
        raise _no_file()
    return cut(tile, bytes(found[0][0][1])), TILE_TYPE


def _no_file() -> NotFound:
    return NotFound("there is no such file in a log", code="no_log_file")
