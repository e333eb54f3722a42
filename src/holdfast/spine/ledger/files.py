"""Serving a log's static files; nothing else of the disk can be named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdfast.kit.errors import InvalidInput, NotFound
from holdfast.spine.ledger.names import checked_log
from holdfast.spine.ledger.publish import CHECKPOINT
from holdfast.spine.ledger.signer import LOGS
from holdfast.spine.ledger.tiles import parse_path

if TYPE_CHECKING:
    from pathlib import Path

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
        raise NotFound("there is no such file in a log", code="no_log_file") from None
