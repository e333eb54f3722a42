"""An opened house: its settings, clock, root of keys, caches, and connections to its two stores.

No Django here: the command line, the data plane and the worker open a house in milliseconds.
"""

from __future__ import annotations

from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar
from urllib.parse import urlsplit

from holdfast.kit.clock import STEP_AHEAD_US, STEP_BACK_US, SystemClock
from holdfast.kit.db import Round
from holdfast.kit.db.address import SqliteFile
from holdfast.kit.db.opening import connect
from holdfast.kit.db.ports import Connection
from holdfast.kit.db.shell import drive, in_transaction, settle
from holdfast.kit.disk import Room, SystemDisk
from holdfast.kit.errors import HoldfastError, NotFound, Unavailable
from holdfast.spine.actions.permit_keys import PermitKeyFile, PermitKeys
from holdfast.spine.decision.policies import PolicyCache
from holdfast.spine.identity.console_key import ConsoleKey
from holdfast.spine.ledger.keys import FOLDER as SIGNING_FOLDER
from holdfast.spine.ledger.keys import SigningKeys
from holdfast.spine.ledger.sequencer import ALWAYS_SURE_US, moment, sure_before
from holdfast.spine.ledger.store import LAST_TICK
from holdfast.spine.vault.hierarchy import ClientKeys, Keks
from holdfast.spine.vault.load import schema_of
from holdfast.spine.vault.roots import Root, open_root
from holdfast.spine.vault.schema import compile_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from holdfast.kit.clock import Clock
    from holdfast.kit.config import Settings
    from holdfast.kit.db import Rows, Work
    from holdfast.kit.disk import Disk
    from holdfast.spine.identity.presented import Caller
    from holdfast.vocabulary.schema import CollectionSchema

T = TypeVar("T")
_SIGNING: Final = b"holdfast/signing-keys/v1"
_CONSOLE: Final = b"holdfast/console-key/v1"
_PERMITS: Final = b"holdfast/permit-keys/v1"


class Stores(NamedTuple):
    """One connection to each store."""

    data: Connection
    keys: Connection

    def close(self) -> None:
        """Close both."""
        self.data.close()
        self.keys.close()


class SchemaCache:
    """Compiled schemas: decoded once per digest, and current while the client's fence stands (SPINE 5).

    Declaring a collection bumps the fence, so a request that finds its schema here needs not ask for it.
    """

    def __init__(self) -> None:
        self._decoded: dict[tuple[str, str], tuple[str, CollectionSchema]] = {}
        self._current: dict[tuple[str, str], int] = {}
        self.decoy = compile_schema(_DECOY_SCHEMA, name="nothing")

    def read(self, client: str, name: str, rows: Rows) -> CollectionSchema | None:
        """Return the schema that an answer of the vault's ``COLLECTION`` holds, or None if there is none."""
        if not rows:
            return None
        digest = rows[0][1]
        found = self._decoded.get((client, name))
        if found is None or found[0] != digest:
            schema = schema_of(rows)
            assert schema is not None
            found = self._decoded[client, name] = (digest, schema)
        return found[1]

    def holds(self, client: str, name: str, fence: int) -> bool:
        """Tell whether the collection's schema was read under this fence."""
        return self._current.get((client, name)) == fence

    def get(self, client: str, name: str, fence: int, rows: Rows | None) -> CollectionSchema | None:
        """Return the schema read under this fence, or the one in ``rows``, or None if there is none."""
        if rows is None:
            return self._decoded[client, name][1]
        schema = self.read(client, name, rows)
        if schema is not None:
            self._current[client, name] = fence
        return schema


_DECOY_SCHEMA = """
owner = "nobody"
customer_ref = "number"
record_key = "number"
[fields.number]
type = "account"
class = "C2"
handling = "clear"
[fields.name]
type = "name"
class = "C1"
handling = "clear"
"""


@dataclass
class House:
    """What every operation may use. Caches are keyed by a client's fence, which any restriction bumps (SPINE 5)."""

    settings: Settings
    clock: Clock = field(default_factory=SystemClock)
    given_disk: Disk | None = None
    session: bytes | None = (
        None  # in the console: hash of the cookie in whose person's name it works
    )
    directory: Caller | None = None  # an employer's directory in whose name it works
    _sure_until_us: int = field(default=ALWAYS_SURE_US, init=False)

    @property
    def time_is_sure(self) -> bool:
        """Whether no step of the wall clock is known that nobody has confirmed, nor one seen that is not told yet."""
        return self._sure_until_us == ALWAYS_SURE_US and not self.clock.step_us()

    def sure_us(self) -> int:
        """Return the time by which a restriction may end: now, or while the clock is in doubt when it last was not.

        As it stood when :meth:`keep_time` was run last, which is in this transaction.
        """
        now_us, by_us = self.clock.now_us(), self.clock.step_us()
        return min(sure_before(now_us, by_us) if by_us else now_us, self._sure_until_us)

    @property
    def embedded(self) -> bool:
        """Whether the stores are files of SQLite, which one process serves."""
        return self.settings.embedded

    @property
    def home(self) -> Path:
        """Folder of the house."""
        return self.settings.home

    @cached_property
    def root(self) -> Root:
        """The root of the key hierarchy; opened on first use."""
        return open_root(self.home, self.settings.root_passphrase)

    @cached_property
    def disk(self) -> Disk:
        """The disks that the house writes to."""
        stores = (self.settings.data, self.settings.keys)
        files = [store.path.parent for store in stores if isinstance(store, SqliteFile)]
        folders = dict.fromkeys((self.home, *files))
        return self.given_disk or SystemDisk(folders)

    def require_room(self, least: Room = Room.LOW) -> None:
        """Raise :class:`Unavailable` when there is less room than ``least``; denials and erasures never ask."""
        free = self.disk.free()
        if free.room > least:
            raise Unavailable(
                f"only {free.share:.1%} of the disk is free",
                remedy="An administrator has to free space; `holdfast doctor` says where.",
                code="disk_low",
                retry_after_s=60,
            )

    @cached_property
    def keks(self) -> Keks:
        """Clients' key-encryption keys, unwrapped."""
        return Keks(self.root)

    @cached_property
    def policies(self) -> PolicyCache:
        """Clients' contracts and compiled policies."""
        return PolicyCache()

    @cached_property
    def schemas(self) -> SchemaCache:
        """Compiled schemas."""
        return SchemaCache()

    @cached_property
    def decoy_keys(self) -> ClientKeys:
        """Keys that belong to no client, for the work done on behalf of one that does not exist."""
        return ClientKeys.of_nobody()

    @cached_property
    def signing_keys(self) -> SigningKeys:
        """The house's signing keys, sealed under its root. A house whose stores are lost still has them."""
        if not (self.home / SIGNING_FOLDER).is_dir():
            self._require_stores()
        return SigningKeys.load(
            self.home / SIGNING_FOLDER, unseal=lambda sealed: self.root.unwrap(sealed, _SIGNING)
        )

    @cached_property
    def permit_key_file(self) -> PermitKeyFile:
        """Where the keys that sign permits for target systems are kept, sealed under the root."""
        self._require_stores()
        root = self.root  # without it nothing is made, not even a folder
        return PermitKeyFile(
            self.home / SIGNING_FOLDER,
            seal=lambda keys: root.wrap(keys, _PERMITS),
            unseal=lambda sealed: root.unwrap(sealed, _PERMITS),
        )

    @cached_property
    def console_key(self) -> ConsoleKey:
        """The key under which the console keeps its state; made on first use."""
        self._require_stores()
        return ConsoleKey.read_or_make(
            self.home / SIGNING_FOLDER,
            wrap=lambda key: self.root.wrap(key, _CONSOLE),
            unwrap=lambda wrapped: self.root.unwrap(wrapped, _CONSOLE),
        )

    def permit_keys(self) -> PermitKeys:
        """The keys that sign permits, as they stand now; made on first use."""
        return self.permit_key_file.read_or_make(self.clock.now_us())

    def found_signing_keys(self) -> SigningKeys:
        """Make the signing keys of a new house."""
        host = urlsplit(self.settings.origin).hostname or "localhost"
        return SigningKeys.create(
            self.home / SIGNING_FOLDER, host=host, seal=lambda keys: self.root.wrap(keys, _SIGNING)
        )

    def connect(self, *, busy_timeout_ms: int = 10_000) -> Stores:
        """Open a connection to each store; the caller closes them."""
        self._require_stores()
        return Stores(
            connect(self.settings.data, busy_timeout_ms=busy_timeout_ms),
            connect(self.settings.keys, busy_timeout_ms=busy_timeout_ms),
        )

    def _require_stores(self) -> None:
        for store in (self.settings.data, self.settings.keys):
            if isinstance(store, SqliteFile) and not store.path.exists():
                raise self._absent()

    def _absent(self) -> NotFound:
        which = "HOLDFAST_HOME" if self.embedded else "database_url and keys_url"
        return NotFound(
            f"no house in {self.home}" + ("" if self.embedded else ": its databases are empty"),
            remedy=f"Create one with `holdfast init`, or set {which}.",
            code="no_house",
        )

    @contextmanager
    def stores(self) -> Iterator[Stores]:
        """Open both stores for a while."""
        stores = self.connect()
        try:
            yield stores
        finally:
            stores.close()

    @cached_property
    def _own(self) -> Stores:
        stores = self.connect()
        # A database is there before its tables are; what a missing file says, an empty one says.
        if not self.embedded and not all(store.tables() for store in stores):
            stores.close()
            raise self._absent()
        return stores

    def transact(self, work: Work[T]) -> T:
        """Run ``work`` in one write transaction of ``data``; all of it or nothing is written."""
        return in_transaction(self._in_time(work), self._own.data, self._own.keys)

    def _in_time(self, work: Work[T]) -> Work[T]:
        yield from self.keep_time()
        return (yield from work)

    def keep_time(self) -> Work[None]:
        """Promise not to answer a time before the newest leaf or tick of any process; first in each write transaction.

        From then on :attr:`time_is_sure` says whether ages may be relied upon, and :meth:`sure_us` up to when.
        """
        seen = yield from moment()
        self.clock.floor(max(seen.newest_us, seen.tick_us))
        self._sure_until_us = seen.sure_until_us

    @cached_property
    def _began_in_time(self) -> bool:
        drive(self.keep_time(), self._own.data, self._own.keys)
        return True

    def read(self, work: Work[T]) -> T:
        """Run ``work`` outside a write transaction. What an error leaves behind is written in one.

        The first keeps the time: a command that only reads does not judge by a clock that was set back.
        """
        assert self._began_in_time
        try:
            return drive(work, self._own.data, self._own.keys)
        except HoldfastError as error:
            settle(error, self._own.data, self._own.keys)
            raise

    def read_evidence(self, work: Callable[[], Work[T]]) -> T:
        """Run ``work``, which reads what is evidence and asks the data store alone: on the replica, if one answers.

        Who may read it is asked of the store before. What the replica does not have, the store is asked for.
        """
        if self.settings.replica is not None:
            with suppress(HoldfastError), closing(connect(self.settings.replica)) as replica:
                return drive(work(), replica, replica)
        return self.read(work())

    @cached_property
    def _eager(self) -> Stores:
        return self.connect(busy_timeout_ms=0)

    def try_read(self, work: Work[T]) -> T:
        """Run ``work`` as :meth:`read` does, but never wait: :class:`Unavailable` at once if a store is busy."""
        return drive(work, self._eager.data, self._eager.keys)

    def floor_clock(self) -> int:
        """Promise not to answer a time before the newest leaf of any log (SPINE 24).

        Returns by how much the wall clock was set since the last tick, while nobody looked; 0 if it was not. That it
        was set back shows by itself. A long stop looks like a clock that was set ahead, but for the machine's own count
        of the time that it has run; after a restart of the machine nothing can tell the two apart.
        """
        by_us = drive(_since_last_tick(self.clock), self._own.data, self._own.keys)
        self.read(self.keep_time())
        return by_us

    def close(self) -> None:
        """Close the house's own connections."""
        if "_eager" in self.__dict__:
            self._eager.close()
            del self.__dict__["_eager"]
        if "_own" in self.__dict__:
            self._own.close()
            del self.__dict__["_own"]


def _since_last_tick(clock: Clock) -> Work[int]:
    (rows,) = yield Round(data=(LAST_TICK(),))
    if not rows:
        return 0
    tick_us, boot, boot_us = rows[0]
    passed_us, up = clock.now_us() - tick_us, clock.uptime()
    if passed_us < -STEP_BACK_US:
        return int(passed_us)
    ahead_us = passed_us - (up.us - boot_us) if boot and up.boot == boot else 0
    return max(0, int(ahead_us)) if ahead_us > STEP_AHEAD_US else 0


def open_house(settings: Settings, clock: Clock | None = None, disk: Disk | None = None) -> House:
    """Return the house that ``settings`` describe; nothing is read yet."""
    return House(settings, clock or SystemClock(), disk)
