"""Putting a copy in the place of a house's stores. What was there is kept beside, and nothing is ever deleted.

The file ``recovery.json`` says that it is under way; with it, no check lets the house serve. Every step can be done
again: a copy is staged beside each store, the old files move away while it is there, and then it moves in. What stands
in PostgreSQL is copied to where the old files would go, and then its rows are replaced in one transaction.
"""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.kit.db.address import SqliteFile
from holdfast.kit.db.opening import connect, is_there
from holdfast.kit.db.sqlite import check_store
from holdfast.kit.errors import IntegrityBroken
from holdfast.kit.files import fsync_folder, write_durably
from holdfast.kit.ids import new_id
from holdfast.spine.recovery.backup import DATA, KEYS, copy_file, digest_of
from holdfast.spine.recovery.copies import copy_in, copy_out
from holdfast.vocabulary.ids import RECOVERY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from holdfast.kit.config import Settings
    from holdfast.kit.db.address import PostgresDatabase, StoreAddress
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


def is_sound(settings: Settings) -> bool:
    """Tell whether both stores are there and can be asked."""
    stores = (settings.data, settings.keys)
    return all(
        is_there(store) and not (isinstance(store, SqliteFile) and check_store(store.path))
        for store in stores
    )


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
    for _, name, staged in _stores(settings):
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
    """Put the old stores aside and the staged copies in; return where the old ones are."""
    beside = settings.home / swap.beside
    beside.mkdir(mode=0o700, exist_ok=True)
    for store, name, staged in _stores(settings):
        if not staged.exists():  # it moved in before
            continue
        if isinstance(store, SqliteFile):
            _move_in(store.path, staged, beside)
        else:
            _put_in(store, staged, beside / name)
    return beside


def _move_in(path: Path, staged: Path, beside: Path) -> None:
    for end in _BESIDE:
        old = path.with_name(f"{path.name}{end}")
        if old.exists():
            old.replace(beside / old.name)
    fsync_folder(beside)
    staged.replace(path)
    fsync_folder(path.parent)


def _put_in(store: PostgresDatabase, staged: Path, beside: Path) -> None:
    """Keep what the database holds, if it holds a house; then let the copy's rows take its place."""
    which = beside.stem
    if not beside.exists() and is_there(store):
        partial = beside.with_suffix(".partial")
        partial.unlink(missing_ok=True)
        with closing(connect(store)) as connection:
            connection.begin_reading()
            copy_out(connection, partial, which)
        partial.replace(beside)
        fsync_folder(beside.parent)
    copy_in(staged, store, which)
    staged.unlink()
    fsync_folder(staged.parent)


def end_swap(home: Path) -> None:
    """Say durably that the swap is over; from here the stores themselves say how far recovery is."""
    (home / MARKER).unlink(missing_ok=True)
    fsync_folder(home)


def _stores(settings: Settings) -> Iterator[tuple[StoreAddress, str, Path]]:
    """Each store, how its copy is called, and where that is staged."""
    for store, name in ((settings.data, DATA), (settings.keys, KEYS)):
        path = store.path if isinstance(store, SqliteFile) else settings.home / name
        yield store, name, path.with_name(f".restoring.{path.name}")
