"""A copy of a house while it runs: both stores as they were at one moment, with a signed list of what it holds.

::

    DIR/manifest.json     what is here: digests, sizes, heads of the logs; signed by the house; written last
    DIR/data.sqlite3      the stores, each one file
    DIR/keys.sqlite3
    DIR/root.key, DIR/signing/    only where they were named: with them and the stores, everything can be read

The two stores are of one moment (:func:`~holdfast.spine.recovery.copies.one_moment`). A pair of one moment is what a
crash leaves behind, and every crash is provided for; copied one after the other, an update or an erasure in between
leaves a row without its key, in either order (decision record 0025). A house in PostgreSQL is copied to the same files,
and can be restored from those of a house in files.
"""

from __future__ import annotations

import json
import os
import shutil
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import holdfast
from holdfast.kit.clock import rfc3339
from holdfast.kit.db.shell import drive
from holdfast.kit.errors import Conflict, IntegrityBroken, InvalidInput, NotAuthenticated
from holdfast.kit.files import fsync_folder, write_durably
from holdfast.spine.ledger.keys import FILE as SIGNING_KEYS
from holdfast.spine.ledger.keys import FOLDER as SIGNING
from holdfast.spine.ledger.memory import FILE as MEMORY
from holdfast.spine.ledger.memory import Memory
from holdfast.spine.ledger.sequencer import heads
from holdfast.spine.ledger.statements import sign_statement, verify_statement
from holdfast.spine.recovery.copies import copy_out, one_moment
from holdfast.spine.vault.roots import ROOT_FILE
from holdfast.vocabulary.ids import HOUSE_LOG

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from holdfast.spine.house import House
    from holdfast.spine.ledger.keys import SigningKeys

MANIFEST: Final = "manifest.json"
DATA: Final = "data.sqlite3"
KEYS: Final = "keys.sqlite3"
TYPE: Final = "holdfast/backup/v1"
ROOT: Final = "root"
INCLUDABLE: Final = (ROOT, SIGNING)
_MOST_MANIFEST_BYTES: Final = 10_000_000
_CHUNK_BYTES: Final = 4 * 1024 * 1024


class Backup(NamedTuple):
    """A copy that was made, or whose manifest was read and is signed by this house."""

    folder: Path
    made_at: str
    files: dict[str, dict[str, Any]]  # name → sha256, size
    heads: dict[str, int]  # log → leaves

    @property
    def leaves(self) -> int:
        """Leaves of all logs together."""
        return sum(self.heads.values())


def make_backup(house: House, folder: Path, *, include: Iterable[str] = ()) -> Backup:
    """Copy the stores of a house, which may be serving, to ``folder``, which is new or empty.

    ``include`` names what else goes along, ``root`` and ``signing``. :class:`Conflict` when the folder holds something.
    """
    if folder.exists() and any(folder.iterdir()):
        raise Conflict(f"{folder} is not empty", remedy="Name a new folder.", code="folder_taken")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    at_us = house.clock.now_us()
    with one_moment(house) as (data, keys):
        states = drive(heads(), data, keys)
        copy_out(data, folder / DATA, "data")
        copy_out(keys, folder / KEYS, "keys")
    names = [DATA, KEYS, *_include(house, folder, set(include))]
    body = {
        "type": TYPE,
        "version": holdfast.__version__,
        "house": house.signing_keys.name,
        "made_at": rfc3339(at_us),
        "files": {name: _described(folder / name) for name in names},
        "heads": {s.log: {"size": s.size, "root": s.root.hex()} for s in states},
    }
    signed = sign_statement(body, house.signing_keys.signers(HOUSE_LOG)[0], at_us)
    fsync_folder(folder)
    write_durably(folder / MANIFEST, json.dumps(signed, indent=1).encode(), mode=0o600)
    return _backup(folder, body)


def _include(house: House, folder: Path, names: set[str]) -> list[str]:
    wanted = [ROOT_FILE] if ROOT in names else []
    if SIGNING in names:
        (folder / SIGNING).mkdir(mode=0o700)
        wanted.append(f"{SIGNING}/{SIGNING_KEYS}")
        memory = Memory.open(house.home / SIGNING)
        write_durably(folder / SIGNING / MEMORY, memory.content, mode=0o600)
    for name in wanted:
        write_durably(folder / name, (house.home / name).read_bytes(), mode=0o600)
    return [*wanted, f"{SIGNING}/{MEMORY}"] if SIGNING in names else wanted


def read_backup(folder: Path, keys: SigningKeys) -> Backup:
    """Read a copy's manifest, and hold its files against it.

    :class:`InvalidInput` when there is none or it is another house's, :class:`IntegrityBroken` when the copy is not as
    it was made.
    """
    path = folder / MANIFEST
    if not path.is_file() or path.stat().st_size > _MOST_MANIFEST_BYTES:
        raise InvalidInput(
            f"{folder} holds no finished backup: there is no {MANIFEST}",
            field="DIR",
            remedy="Name the folder that `holdfast backup` wrote.",
            code="no_backup",
        )
    try:
        document = json.loads(path.read_bytes())
        assert isinstance(document, dict)
    except (ValueError, AssertionError):
        raise IntegrityBroken(f"{path} is damaged", code="bad_backup") from None
    try:
        body, _ = verify_statement(document, keys.verifier_keys(HOUSE_LOG))
    except NotAuthenticated:
        raise InvalidInput(
            f"{folder} is a backup of another house: {document.get('house')}",
            field="DIR",
            remedy="Restore it with the signing keys and the root key that belong to it.",
            code="other_house",
        ) from None
    if body.get("type") != TYPE:
        raise IntegrityBroken(f"{path} is no manifest of a backup", code="bad_backup")
    backup = _backup(folder, body)
    for name in (DATA, KEYS):
        if not (folder / name).is_file() or _described(folder / name) != backup.files[name]:
            raise IntegrityBroken(
                f"{folder / name} is not as it was made",
                remedy="Use another copy.",
                code="bad_backup",
            )
    return backup


def _backup(folder: Path, body: dict[str, Any]) -> Backup:
    sizes = {log: int(head["size"]) for log, head in body["heads"].items()}
    return Backup(folder, body["made_at"], dict(body["files"]), sizes)


def _described(path: Path) -> dict[str, Any]:
    return {"sha256": digest_of(path), "size": path.stat().st_size}


def digest_of(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    digest = sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def copy_file(source: Path, target: Path) -> None:
    """Copy a store's file so that only its owner reads it, durably."""
    target.unlink(missing_ok=True)
    write_durably(target, b"", mode=0o600)
    shutil.copyfile(source, target)
    with target.open("rb+") as file:
        os.fsync(file.fileno())
