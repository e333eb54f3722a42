"""An export as its row tells it, and where its file stands."""

from __future__ import annotations

import shutil
from hashlib import sha256
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from holdfast.kit.canonical import canonical_json, length_prefixed
from holdfast.kit.files import fsync_folder
from holdfast.spine.decision.exporting import Order

if TYPE_CHECKING:
    from pathlib import Path

    from holdfast.kit.db import Row

FOLDER: Final = "exports"
JOB: Final = "export"
WAITING: Final = "waiting"
DONE: Final = "done"
FAILED: Final = "failed"
_CUSTOMERS: Final = b"holdfast/export-customers/v1"
_FILE: Final = b"holdfast/export-file/v1"


class Export(NamedTuple):
    """A row of :data:`~holdfast.spine.actions.store.EXPORT`. ``customers`` is None for all, and once it is over."""

    id: str
    client: str
    state: str
    collection: str
    fields: tuple[str, ...]
    customers: tuple[str, ...] | None
    recipient: str
    key: str
    reason: str
    person: str
    rows: int
    digest: str
    salt: bytes
    created_us: int
    expires_us: int

    @property
    def order(self) -> Order:
        """What was ordered."""
        return Order(self.collection, self.fields, self.recipient, self.reason, self.rows)

    @property
    def commitment(self) -> str:
        """What the leaf of the finished file carries, hexadecimal; empty before."""
        return commit_file(self.salt, self.digest) if self.digest else ""

    def path(self, home: Path) -> Path:
        """Where the sealed file of a finished export stands: its name says which content the row is about.

        One that an earlier version has sealed is named by its export alone.
        """
        named = self.file_of(home, self.digest)
        earlier = home / FOLDER / self.client / f"{self.id}.hfex"
        return earlier if earlier.exists() and not named.exists() else named

    def file_of(self, home: Path, digest: str) -> Path:
        """Where a run puts what it has written whole. Each run seals under a key of its own: no two names are one."""
        return home / FOLDER / self.client / f"{self.id}.{digest}.hfex"

    def files(self, home: Path) -> list[Path]:
        """All files of this export, whole or half, of whichever run."""
        return sorted((home / FOLDER / self.client).glob(f"{self.id}.*"))


def delete_files(home: Path, client: str) -> None:
    """Delete all files of a client's exports; may run again."""
    folder = home / FOLDER / client
    if folder.is_dir():
        shutil.rmtree(folder)
        fsync_folder(folder.parent)


def export_of(row: Row) -> Export:
    """Read a row."""
    found = Export(*row)
    customers = msgspec.json.decode(row[5], type=tuple[str, ...] | None)
    fields = msgspec.json.decode(row[4], type=tuple[str, ...])
    return found._replace(fields=fields, customers=customers, salt=bytes(found.salt))


def commit_customers(salt: bytes, customers: tuple[str, ...] | None) -> str:
    """What the leaf of the request carries of the list of customers; empty for all of them."""
    if customers is None:
        return ""
    return sha256(length_prefixed(_CUSTOMERS, salt, canonical_json(list(customers)))).hexdigest()


def commit_file(salt: bytes, digest: str) -> str:
    """What the leaf of the finished file carries of its SHA-256 (hexadecimal)."""
    return sha256(length_prefixed(_FILE, salt, bytes.fromhex(digest))).hexdigest()
