"""Checks of the two stores."""

from __future__ import annotations

from contextlib import closing, suppress
from importlib import resources
from typing import TYPE_CHECKING, Final

from holdfast.edges.checks.findings import Skipped, doubtful, wrong
from holdfast.edges.checks.opened import name_of, require_stores
from holdfast.edges.checks.store import APPLIED
from holdfast.kit.db.opening import connect, errors_of
from holdfast.kit.errors import Unavailable
from holdfast.router import DATA, KEYS, store_of
from holdfast.spine.recovery.moving import is_under_way, left_behind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable

    from holdfast.kit.config import Settings
    from holdfast.kit.db.address import StoreAddress
    from holdfast.kit.db.ports import Connection
    from holdfast.kit.errors import HoldfastError
    from holdfast.vocabulary.manifest import Finding


_FILE: Final = (
    "Check that the file is a Holdfast store, its mode, and that the disk is not read-only."
)
_SERVER: Final = "See what PostgreSQL's log says of it, and whether the role may use the database."
_PRIMARY: Final = "Point database_url and keys_url at the primary; a standby serves readers only."


def _stores(settings: Settings) -> tuple[tuple[str, StoreAddress, str], ...]:
    """Return alias, address and what a person calls it."""
    require_stores(settings)
    return (
        (DATA, settings.data, name_of(settings)),
        (KEYS, settings.keys, name_of(settings, keys=True)),
    )


def writable(settings: Settings) -> Iterator[Finding]:
    """Begin to write and give it up; a store that another process is writing to is writable."""
    for _, store, _ in _stores(settings):
        try:
            with closing(connect(store, busy_timeout_ms=2000)) as connection:
                connection.begin()
                read_only = connection.is_read_only()
                connection.rollback()
        except Unavailable:
            if not settings.embedded:
                raise
            continue  # another process writes
        except errors_of(store) as error:
            remedy = _FILE if settings.embedded else _SERVER
            yield wrong(f"{store} cannot be written ({type(error).__name__})", remedy)
        else:
            if read_only:
                yield wrong(f"{store} cannot be written: the server takes no writes", _PRIMARY)


def durable(settings: Settings) -> Iterator[Finding]:
    """Ask each store for what would break its promises."""
    embedded = "Put the house on a local disk: network file systems cannot keep this promise."
    served = "Set it in postgresql.conf and reload the server."
    for _, store, name in _stores(settings):
        with closing(connect(store)) as connection:
            for peril in connection.perils():
                yield wrong(f"{name}: {peril}", embedded if settings.embedded else served)


def migrated(settings: Settings) -> Iterator[Finding]:
    """Compare the migrations in the code with those that each store has seen."""
    in_code = _migrations_in_code()
    for alias, store, called in _stores(settings):
        expected = {known for known in in_code if store_of(known[0]) == alias}
        with closing(connect(store)) as connection:
            applied = _applied(connection)
        if missing := sorted(expected - applied):
            label, name = missing[0]
            yield wrong(
                f"{called} lacks {len(missing)} migration(s), the first is {label} {name}",
                "Stop the house, make a copy of its folder, then run `holdfast migrate`.",
            )
        # Django notes every migration in both stores, also where it has nothing to do.
        ours = {label for label, _ in in_code}
        if newer := sorted(known for known in applied - in_code if known[0] in ours):
            label, name = newer[0]
            yield wrong(
                f"{called} was written by a newer version of Holdfast ({label} {name})",
                "Run the newer version, or go back to a copy from before it.",
            )


def lacking(settings: Settings, error: BaseException) -> HoldfastError | None:
    """Say what the stores lack, where a database's error comes from that; None for any other error."""
    kinds = (errors_of(settings.data), errors_of(settings.keys))
    if not isinstance(error, kinds):
        return None
    with suppress(Skipped):
        for finding in migrated(settings):
            return Unavailable(finding.message, remedy=finding.remedy, code="not_migrated")
    return None


def no_move_unfinished(settings: Settings) -> Iterator[Finding]:
    """Until a move has ended, it is not known that all has arrived, and the old keys are still there."""
    if is_under_way(settings.home):
        yield wrong(
            "a move to PostgreSQL was begun and has not ended",
            "`holdfast move` goes on; `holdfast move --abandon` gives it up.",
        )


def nothing_left_behind(settings: Settings) -> Iterator[Finding]:
    """What has moved is still where it was, without its keys."""
    for path in left_behind(settings.home):
        yield doubtful(
            f"{path} is left behind from before the move: nobody can open what is in it, and nobody needs it",
            f"Destroy it, and its copies: shred --remove {path}",
        )


def _applied(connection: Connection) -> set[tuple[str, str]]:
    if "django_migrations" not in connection.tables():
        return set()
    return {(app, name) for app, name in connection.execute(APPLIED())}


def _migrations_in_code() -> set[tuple[str, str]]:
    return set(_found(resources.files("holdfast"), depth=3))


def _found(folder: Traversable, *, depth: int) -> Iterator[tuple[str, str]]:
    for child in folder.iterdir():
        if not child.is_dir() or child.name.startswith(("_", ".")):
            continue
        if child.name == "migrations":
            for file in child.iterdir():
                name = file.name.removesuffix(".py")
                if name != file.name and name[:1].isdecimal():
                    yield folder.name, name
        elif depth:
            yield from _found(child, depth=depth - 1)
