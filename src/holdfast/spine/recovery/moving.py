"""Moving a house from files to PostgreSQL: its stores, row by row. Root key, signing keys and published logs stay.

A mark inside the old stores says how far it is, so that a copy of them knows it, too; ``moved.json`` in the house's
folder says where from and where to.

========  ============================================================================================================
the mark  what has happened
========  ============================================================================================================
(none)    every log was computed anew from its entries, and the new databases are empty and fit
moving    *the old house is not served or written. Tables are made, and filled: each in one transaction; then every
          table is compared by digest, and every log computed anew from what has arrived*
moved     the old house is never served again, nor is a copy of its files
          *the rows of its keys store are removed, and its file searched for them; the house log says so in the new
          stores; holdfast.toml names them*
========  ============================================================================================================

Killed anywhere, the next run goes on from the mark. Nothing that stands in the new databases is ever removed: what is
not what was sent is refused.

The keys are destroyed in the old file before the new house can serve. A customer who is erased afterwards is erased:
what is left behind are sealed records without any key (decision record 0047).
"""

from __future__ import annotations

import json
import tomllib
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from holdfast.kit.config import FILE_NAME
from holdfast.kit.db import Round, moved, sqlite
from holdfast.kit.db.address import PostgresDatabase, SqliteFile
from holdfast.kit.db.opening import connect, tables_of
from holdfast.kit.db.shell import drive, writing
from holdfast.kit.db.tables import digest
from holdfast.kit.errors import Conflict, IntegrityBroken, InvalidInput
from holdfast.kit.files import write_durably
from holdfast.kit.ids import new_id
from holdfast.spine.house import open_house
from holdfast.spine.ledger.audit import recompute
from holdfast.spine.ledger.recorder import append
from holdfast.spine.recovery.alone import refuse_opened
from holdfast.spine.recovery.copies import other_version
from holdfast.spine.recovery.run import reference_of_known
from holdfast.spine.recovery.schema import make_tables
from holdfast.spine.recovery.store import IS_PENDING
from holdfast.spine.vault.erasing import Bytes, erase_bytes
from holdfast.spine.vault.keyring.store import SOME_WRAPPED
from holdfast.vocabulary.ids import HOUSE_LOG, LEAF, RECOVERY
from holdfast.vocabulary.leaves import Leaf, LeafType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from holdfast.kit.config import Settings
    from holdfast.kit.db import Rows, Work
    from holdfast.kit.db.moved import Note
    from holdfast.kit.db.ports import Connection
    from holdfast.kit.db.sqlite import SqliteConnection
    from holdfast.kit.db.tables import Tables
    from holdfast.kit.terminal import Progress
    from holdfast.spine.house import House

T = TypeVar("T")
FILE: Final = "moved.json"
STORES: Final = ("data", "keys")
_NEEDLES: Final = 2000


class Route(NamedTuple):
    """Where a house moves from and to, as ``moved.json`` keeps it; no address in it has a password."""

    id: str
    state: str
    data: str
    keys: str
    to_data: str
    to_keys: str


class Moved(NamedTuple):
    """What has arrived: rows by table, leaves by log; and the files that are left behind."""

    rows: dict[str, int]
    leaves: dict[str, int]
    left: tuple[Path, ...]


@dataclass(frozen=True)
class Telling:
    """Hears how far it is: ``reached`` each step that is done, ``progress`` the rows, which are gone through thrice."""

    reached: Callable[[str], None]
    progress: Progress


class _Old(NamedTuple):
    """The old stores, opened in spite of their mark; readable as a house is."""

    home: Path
    data: SqliteConnection
    keys: SqliteConnection

    def read(self, work: Work[T]) -> T:
        """Run outside a transaction."""
        return drive(work, self.data, self.keys)


def route_of(home: Path) -> Route | None:
    """Return the move that is under way or done; :class:`IntegrityBroken` when its file is damaged."""
    path = home / FILE
    if not path.exists():
        return None
    try:
        return Route(**json.loads(path.read_bytes()))
    except (ValueError, TypeError):
        raise IntegrityBroken(f"{path} is damaged", code="bad_move") from None


def is_under_way(home: Path) -> bool:
    """Whether a move was begun and has not ended."""
    route = route_of(home)
    return route is not None and route.state == moved.MOVING


def left_behind(home: Path) -> tuple[Path, ...]:
    """The files of stores that have moved, as far as they are still there."""
    route = route_of(home)
    names = (route.data, route.keys) if route is not None and route.state == moved.MOVED else ()
    return tuple(path for name in names if (path := home / name).exists())


def plan(settings: Settings) -> dict[str, dict[str, int]]:
    """Return how many rows each table has, by store."""
    found = {}
    with closing_old(settings) as old:
        for which in STORES:
            tables = tables_of(getattr(old, which))
            found[which] = {name: tables.count(name) for name in tables.names()}
    return found


def unfit(target: Settings) -> list[str]:
    """Return what keeps the new databases from taking the house; usually nothing.

    :class:`Unavailable` when one does not answer, or is older than 15.
    """
    from holdfast.kit.db import postgres, receiving  # noqa: PLC0415  not for a house in files

    found = []
    for store in (target.data, target.keys):
        with closing(connect(store)) as connection:
            assert isinstance(connection, postgres.PostgresConnection)
            found += [f"{store}: {told}" for told in receiving.unfit(connection)]
            if connection.tables():
                found.append(f"{store} is not empty")
    return found


def move(house: House, target: Settings, *, by: str, telling: Telling) -> Moved:
    """Carry a move to its end, from wherever it stands; the caller is alone with the house, and has not opened it.

    :class:`IntegrityBroken` when a log does not verify, or what has arrived is not what was sent; :class:`Conflict`
    when the new databases are not empty, or somebody is connected to them; :class:`InvalidInput` when they are unfit.
    """
    settings, keys = house.settings, house.signing_keys
    with closing_old(settings) as old:
        note = moved.note_of(old.data.raw)
        if note is not None and (note["to"] != _called(target) or not is_under_way(house.home)):
            moved.refuse_moved(old.data.raw)
        if note is None:
            note = _begun(old, house, target, by=by)
            telling.reached("the logs verify; the move has begun")
        for store in (target.data, target.keys):
            refuse_opened(store)
        with _opened(target) as new:
            if note["state"] == moved.MOVING:
                _fill(old, new, target, telling)
                _compare(old, new, telling)
                recompute(new, keys)
                telling.reached("what has arrived is what was sent")
                note = {**note, "state": moved.MOVED}
            _mark(old, note)
            telling.reached("the old house is closed")
            _destroy_keys(old, new)
            telling.reached("the old keys are destroyed")
            rows = {name: tables.count(name) for tables in _both(new) for name in tables.names()}
            states = recompute(new, keys)
        with closing(open_house(target, house.clock)) as there:
            there.transact(_told(there, note, rows, sum(state.size for state in states)))
        telling.reached("the house log says so")
    _name_stores(settings.home, target)
    telling.reached("holdfast.toml names the new stores")
    _write(settings.home, _route(settings, target, note["id"], moved.MOVED))
    return Moved(rows, {state.log: state.size for state in states}, left_behind(settings.home))


def abandon(settings: Settings) -> None:
    """Give a move up: the old house serves again. :class:`Conflict` when none is under way, or when it is too late."""
    with closing_old(settings) as old:
        note = moved.note_of(old.data.raw)
        if note is not None and note["state"] == moved.MOVED:
            raise Conflict(
                f"this house has moved to {note['to']} already",
                remedy="`holdfast move` carries it to its end.",
                code="house_moved",
            )
        for connection in (old.keys, old.data):
            with writing(connection):
                moved.unmark(connection.raw)
    file = settings.home / FILE
    if note is None and not file.exists():
        raise Conflict("no move is under way", remedy="`holdfast move` begins one.", code="no_move")
    file.unlink(missing_ok=True)


@contextmanager
def closing_old(settings: Settings) -> Iterator[_Old]:
    """Open the old stores in spite of their mark."""
    with ExitStack() as opened:
        both = [
            opened.enter_context(closing(sqlite.connect(path, despite_move=True)))
            for path in (settings.data_path, settings.keys_path)
        ]
        yield _Old(settings.home, *both)


class _New(NamedTuple):
    """The new stores; readable as a house is."""

    home: Path
    data: Connection
    keys: Connection

    def read(self, work: Work[T]) -> T:
        """Run outside a transaction."""
        return drive(work, self.data, self.keys)


@contextmanager
def _opened(target: Settings) -> Iterator[_New]:
    with closing(connect(target.data)) as data, closing(connect(target.keys)) as keys:
        yield _New(target.home, data, keys)


def _both(stores: _Old | _New) -> Iterator[Tables]:
    yield tables_of(stores.data)
    yield tables_of(stores.keys)


def _called(target: Settings) -> str:
    return f"{target.data} and {target.keys}"


def _begun(old: _Old, house: House, target: Settings, *, by: str) -> Note:
    recompute(old, house.signing_keys)
    if wrong := unfit(target):
        raise InvalidInput(
            f"the new databases cannot take the house: {'; '.join(wrong)}",
            field="--to-data",
            remedy="Make two empty databases, with the settings that `holdfast doctor` wants of a server.",
            code="target_unfit",
        )
    now_us = house.clock.now_us()
    ident = new_id(RECOVERY, now_us)
    _write(house.home, _route(house.settings, target, ident, moved.MOVING))
    note = {
        "id": ident,
        "state": moved.MOVING,
        "to": _called(target),
        "by": by,
        "leaf": new_id(LEAF, now_us),
    }
    _mark(old, note)
    return note


def _mark(old: _Old, note: Note) -> None:
    """``data`` says how far it is, and is the last to say that a move has begun and the first that it is over."""
    order = (old.keys, old.data) if note["state"] == moved.MOVING else (old.data, old.keys)
    for connection in order:
        with writing(connection):
            moved.mark(connection.raw, note)


def _fill(old: _Old, new: _New, target: Settings, telling: Telling) -> None:
    counts = [tables.count(name) for tables in _both(old) for name in tables.names()]
    telling.progress.total(3 * sum(counts))
    for which in STORES:
        from_, to = getattr(old, which), getattr(new, which)
        here, there = tables_of(from_), tables_of(to)
        if not there.migrations():
            make_tables(getattr(target, which), which)
            telling.reached(f"{which}: the tables are made")
        if here.migrations() != there.migrations() or set(here.names()) != set(there.names()):
            raise other_version()
        from_.begin_reading()
        for name in here.names():
            if there.count(name):  # it arrived before, whole
                telling.progress.advance(here.count(name))
                continue
            with writing(to):
                there.add(name, _counted(here.rows(name), telling.progress))
            telling.reached(f"{which}: {name}")
        from_.commit()
        with writing(to):
            there.renumber(here.numbers())


def _counted(batches: Iterator[Rows], progress: Progress) -> Iterator[Rows]:
    for batch in batches:
        yield batch
        progress.advance(len(batch))


def _compare(old: _Old, new: _New, telling: Telling) -> None:
    """Compare both stores row by row, and the numbers that they give out."""
    for which in STORES:
        from_, to = getattr(old, which), getattr(new, which)
        here, there = tables_of(from_), tables_of(to)
        from_.begin_reading()
        to.begin_reading()
        there.hold()
        for name in here.names():
            sides = [digest(side, name, telling.progress.advance) for side in (here, there)]
            if sides[0] != sides[1]:
                raise _altered(name)
        if here.numbers() != there.numbers():
            raise _altered("the numbers of rows")
        from_.commit()
        to.commit()


def _altered(what: str) -> IntegrityBroken:
    return IntegrityBroken(
        f"{what}: what stands in the new database is not what was sent",
        remedy="Somebody has written to it. Find out who; then `holdfast move --abandon`, and move to empty databases.",
        code="move_altered",
    )


def _destroy_keys(old: _Old, new: _New) -> None:
    """Remove every row of the old keys store, once more compared, and search its file for what was removed."""
    here, there = tables_of(old.keys), tables_of(new.keys)
    if any(here.count(name) for name in here.names()):
        old.keys.begin_reading()
        new.keys.begin_reading()
        there.hold()
        differing = [name for name in here.names() if digest(here, name) != digest(there, name)]
        old.keys.commit()
        new.keys.commit()
        if differing:
            raise _altered(differing[0])
        with writing(old.keys):
            here.empty()
    wrapped = [bytes(row[0]) for row in new.keys.execute(SOME_WRAPPED(most=_NEEDLES))]
    erase_bytes(old.keys, Bytes(wrapped), anew=True)


def _told(house: House, note: Note, rows: dict[str, int], leaves: int) -> Work[None]:
    (there,) = yield Round(data=(IS_PENDING(log=HOUSE_LOG, leaf=note["leaf"]),))
    if there:
        return
    body: dict[str, Any] = {
        "by": (yield from reference_of_known(note["by"], HOUSE_LOG)),
        "storage": "postgresql",
        "rows": sum(rows.values()),
        "leaves": leaves,
    }
    leaf = Leaf(LeafType.HOUSE_MOVED, note["leaf"], house.clock.now_us(), body)
    yield Round(data=(append(HOUSE_LOG, leaf),))


def _route(settings: Settings, target: Settings, ident: str, state: str) -> Route:
    return Route(ident, state, *_addresses(settings), *_addresses(target))


def _addresses(settings: Settings) -> Iterator[str]:
    """Paths of files, or addresses, which have no password here."""
    for store in (settings.data, settings.keys):
        if isinstance(store, PostgresDatabase):
            yield store.url.reveal()
        elif store.path.is_relative_to(settings.home):
            yield str(store.path.relative_to(settings.home))
        else:
            yield str(store.path)


def _write(home: Path, route: Route) -> None:
    write_durably(home / FILE, json.dumps(route._asdict(), indent=1).encode(), mode=0o600)


def _name_stores(home: Path, target: Settings) -> None:
    """Write the new addresses into ``holdfast.toml``; what else stands there stays."""
    path = home / FILE_NAME
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    named = dict(zip(("database_url", "keys_url"), _addresses(target), strict=True))
    rest, top = [], True
    for line in lines:
        top = top and not line.lstrip().startswith("[")
        if not (top and line.partition("=")[0].strip() in named):
            rest.append(line)
    text = "\n".join([*(f"{key} = {json.dumps(url)}" for key, url in named.items()), *rest]) + "\n"
    tomllib.loads(text)
    write_durably(path, text.encode(), mode=0o600)


def stores_of(settings: Settings, data: str, keys: str) -> Settings:
    """Return the settings with other files as stores: those that a route names."""
    home = settings.home
    return replace(settings, data=SqliteFile(home / data), keys=SqliteFile(home / keys))
