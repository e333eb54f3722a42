"""Checks of the two stores."""

from __future__ import annotations

from contextlib import closing
from importlib import resources
from typing import TYPE_CHECKING, Final

from holdfast.edges.checks.findings import Skipped, wrong
from holdfast.kit.db import sqlite
from holdfast.router import DATA, KEYS, store_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable
    from pathlib import Path

    from holdfast.kit.config import Settings
    from holdfast.vocabulary.manifest import Finding

# Pragma, what our connections must read from it, and why.
_DURABLE: Final = (
    ("journal_mode", "wal", "two processes read and write at once"),
    ("synchronous", 2, "FULL: an answered request survives a power cut"),
    ("secure_delete", 1, "an erased key is overwritten"),
    ("foreign_keys", 1, "references are checked"),
)


def _stores(settings: Settings) -> tuple[tuple[str, Path], ...]:
    both = ((DATA, settings.data_path), (KEYS, settings.keys_path))
    if not all(path.exists() for _, path in both):
        raise Skipped
    return both


def writable(settings: Settings) -> Iterator[Finding]:
    """Take the writer's lock and give it back; a store that another process is writing to is writable."""
    for _, path in _stores(settings):
        try:
            with closing(sqlite.connect(path, busy_timeout_ms=2000)) as connection:
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("ROLLBACK")
        except sqlite.Error as error:
            if not sqlite.is_busy(error):
                yield wrong(
                    f"{path} cannot be written ({type(error).__name__})",
                    "Check that the file is a Holdfast store, its mode, and that the disk is not read-only.",
                )


def durable(settings: Settings) -> Iterator[Finding]:
    """Read back what our own connections have set: the file system may refuse WAL."""
    for _, path in _stores(settings):
        with closing(sqlite.connect(path)) as connection:
            for pragma, expected, why in _DURABLE:
                have = connection.execute(f"PRAGMA {pragma}").fetchone()[0]
                if have != expected:
                    yield wrong(
                        f"{path.name}: {pragma} is {have}, not {expected} ({why})",
                        "Put the house on a local disk: network file systems cannot keep this promise.",
                    )


def migrated(settings: Settings) -> Iterator[Finding]:
    """Compare the migrations in the code with those that each store has seen."""
    in_code = _migrations_in_code()
    for alias, path in _stores(settings):
        expected = {known for known in in_code if store_of(known[0]) == alias}
        with closing(sqlite.connect(path)) as connection:
            applied = _applied(connection)
        if missing := sorted(expected - applied):
            label, name = missing[0]
            yield wrong(
                f"{path.name} lacks {len(missing)} migration(s), the first is {label} {name}",
                "Stop the house, make a copy of its folder, then run `holdfast migrate`.",
            )
        # Django notes every migration in both stores, also where it has nothing to do.
        ours = {label for label, _ in in_code}
        if newer := sorted(known for known in applied - in_code if known[0] in ours):
            label, name = newer[0]
            yield wrong(
                f"{path.name} was written by a newer version of Holdfast ({label} {name})",
                "Run the newer version, or go back to a copy from before it.",
            )


def _applied(connection: sqlite.Connection) -> set[tuple[str, str]]:
    found = connection.execute(
        # sql: a table of SQLite's own
        "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'django_migrations'"
    ).fetchone()
    if not found:
        return set()
    # sql: a table of Django's own
    return set(connection.execute("SELECT app, name FROM django_migrations"))


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
