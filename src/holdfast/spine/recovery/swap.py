"""Putting a copy in the place of a house's stores. What was there is kept beside, and nothing is ever deleted.

The file ``recovery.json`` says that it is under way; with it, no check lets the house serve. Every step can be done
again: a copy is staged beside each store, the old files move away while it is there, and then it moves in.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.kit.db.sqlite import check_store
from holdfast.kit.errors import IntegrityBroken
from holdfast.kit.files import fsync_folder, write_durably
from holdfast.kit.ids import new_id
from holdfast.spine.recovery.backup import DATA, KEYS, copy_file, digest_of
from holdfast.vocabulary.ids import RECOVERY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from holdfast.kit.config import Settings
    from holdfast.spine.recovery.backup import Backup

MARKER: Final = "recovery.json"
_BESIDE: Final = ("", "-wal", "-shm", "-journal")


class Swap(NamedTuple):
    """A swap under way: the recovery's id, who began it, where the copy came from, where the old files go.

    ``second`` is the second person who approved it. ``asks``: there were no stores to ask one in; one is asked before
    the house serves again.
    """

    id: str
    by: str
    second: str
    source: str
    beside: str
    asks: bool = False


def swap_under_way(home: Path) -> Swap | None:
    """Return the swap that stands written, or None; :class:`IntegrityBroken` when its file is damaged."""
    path = home / MARKER
    if not path.exists():
        return None
    try:
        return Swap(**json.loads(path.read_bytes()))
    except (ValueError, TypeError):
        raise IntegrityBroken(f"{path} is damaged", remedy="Restore anew.") from None


def begin_swap(
    settings: Settings,
    backup: Backup,
    *,
    by: str,
    second: str = "",
    asks: bool = False,
    now_us: int,
) -> Swap:
    """Stage the copy beside the stores, examine it there, and say durably that it is to move in."""
    ident = new_id(RECOVERY, now_us)
    for path, name in _stores(settings):
        staged = _staged(path)
        copy_file(backup.folder / name, staged)
        wrong = check_store(staged)
        if wrong or digest_of(staged) != backup.files[name]["sha256"]:
            staged.unlink()
            raise IntegrityBroken(
                f"{backup.folder / name} does not copy to a sound store: {wrong or 'other bytes'}",
                remedy="Use another copy.",
                code="bad_backup",
            )
    swap = Swap(ident, by, second, str(backup.folder.absolute()), f"replaced-{ident}", asks)
    document = json.dumps(swap._asdict(), indent=1)
    write_durably(settings.home / MARKER, document.encode(), mode=0o600)
    return swap


def finish_swap(settings: Settings, swap: Swap) -> Path:
    """Move the old stores aside and the staged copies in; return where the old ones are."""
    beside = settings.home / swap.beside
    beside.mkdir(mode=0o700, exist_ok=True)
    for path, _ in _stores(settings):
        staged = _staged(path)
        if not staged.exists():  # it moved in before
            continue
        for end in _BESIDE:
            old = path.with_name(f"{path.name}{end}")
            if old.exists():
                old.replace(beside / old.name)
        fsync_folder(beside)
        staged.replace(path)
        fsync_folder(path.parent)
    return beside


def end_swap(home: Path) -> None:
    """Say durably that the swap is over; from here the stores themselves say how far recovery is."""
    (home / MARKER).unlink(missing_ok=True)
    fsync_folder(home)


def _stores(settings: Settings) -> Iterator[tuple[Path, str]]:
    yield settings.data_path, DATA
    yield settings.keys_path, KEYS


def _staged(path: Path) -> Path:
    return path.with_name(f".restoring.{path.name}")
