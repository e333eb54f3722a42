"""A store's copy is one SQLite file, wherever the store stands: it is taken from either storage, and put into either.

Both stores are copied as they are at one moment (decision record 0025). SQLite's writers' locks are held together while
the snapshots are opened. In PostgreSQL nobody can hold all writers up, and nobody needs to: ``keys`` is added to before
``data`` needs it, so a snapshot of ``keys`` that is younger than the one of ``data`` has too much and never too little,
as a crash leaves it; unless a sweep has removed in between what the older snapshot still refers to. So for as long as
it takes to open the two, a lease keeps everybody from removing what was superseded.
"""

from __future__ import annotations

from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.kit.db import Round, sqlite
from holdfast.kit.db.address import SqliteFile
from holdfast.kit.db.opening import connect, tables_of
from holdfast.kit.db.shell import writing
from holdfast.kit.db.sqlite import SqliteConnection
from holdfast.kit.errors import Conflict, Unavailable
from holdfast.kit.files import fsync_folder
from holdfast.kit.ids import new_reference
from holdfast.spine.ledger import lease as leases
from holdfast.spine.ledger.store import RENEW_LEASE
from holdfast.spine.recovery.schema import make_blank, make_tables
from holdfast.spine.recovery.store import END_COPY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from holdfast.kit.db import Work
    from holdfast.kit.db.address import StoreAddress
    from holdfast.kit.db.ports import Connection
    from holdfast.kit.db.tables import Tables
    from holdfast.spine.house import House
    from holdfast.spine.ledger.lease import Lease

_TRIES: Final = 3


class Snapshots(NamedTuple):
    """A connection to each store that reads as of one moment."""

    data: Connection
    keys: Connection


@contextmanager
def one_moment(house: House) -> Iterator[Snapshots]:
    """Open both stores for reading as they are at one moment, while others go on writing.

    :class:`Conflict` when another copy is just being begun, :class:`Unavailable` when a store stays busy.
    """
    if house.embedded:
        with sqlite.one_moment(house.settings.data_path, house.settings.keys_path) as opened:
            yield Snapshots(*opened)
        return
    with ExitStack() as opened:
        for _ in range(_TRIES):
            now_us, me = house.clock.now_us(), new_reference("copy")
            lease = house.transact(leases.take(leases.COPY, me, me, now_us=now_us))
            snapshots = Snapshots(
                opened.enter_context(closing(connect(house.settings.data))),
                opened.enter_context(closing(connect(house.settings.keys))),
            )
            for one in snapshots:
                one.begin_reading()
                tables_of(one).hold()
            if house.transact(_give_back(lease, house.clock.now_us())):
                yield snapshots
                return
        raise Unavailable("the stores are too slow to be opened together", remedy="Try again.")


def _give_back(lease: Lease, now_us: int) -> Work[bool]:
    """End the lease; tell whether it was held all the time."""
    asked = RENEW_LEASE(name=lease.name, holder=lease.holder, fence=lease.fence, until_us=0)
    (rows,) = yield Round(data=(asked,))
    return bool(rows) and now_us < lease.until_us


def copy_out(snapshot: Connection, path: Path, which: str) -> None:
    """Write what ``snapshot`` sees to a new file that only its owner reads; it is durable on return.

    ``which`` store it is: ``data`` or ``keys``. :class:`Conflict` when its tables are not this version's.
    """
    if isinstance(snapshot, SqliteConnection):
        sqlite.copy_store(snapshot, path)
        return
    tables_of(
        snapshot
    ).stay()  # making the tables may take longer than a server lets a transaction idle
    make_blank(path, which)
    with closing(sqlite.open_copy(path)) as copy:
        with writing(copy):
            _copy_rows(tables_of(snapshot), tables_of(copy))
            if which == "data":
                copy.execute(END_COPY(name=leases.COPY))
        sqlite.settle_copy(copy, path)
    fsync_folder(path.parent)


def copy_in(path: Path, store: StoreAddress, which: str) -> None:
    """Put the rows of a copy into a database in the place of those that are there, in one transaction.

    :class:`Conflict` when the copy has other tables than this version.
    """
    assert not isinstance(store, SqliteFile)
    with closing(sqlite.read_only(path)) as copy, closing(connect(store)) as connection:
        source, target = tables_of(copy), tables_of(connection)
        if not target.migrations():
            make_tables(store, which)
        with writing(connection):
            target.empty()
            _copy_rows(source, target)


def _copy_rows(source: Tables, target: Tables) -> None:
    if source.migrations() != target.migrations():
        raise other_version()
    for table in source.names():
        target.add(table, source.rows(table))
    target.renumber(source.numbers())


def other_version() -> Conflict:
    """What is said where two stores have not seen the same migrations."""
    return Conflict(
        "the tables are those of another version of Holdfast",
        remedy="Bring a house up to this version with `holdfast migrate`; use a copy with the version that made it.",
        code="other_version",
    )
