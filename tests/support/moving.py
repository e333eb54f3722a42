"""A bank in files, two empty databases, and the way from here to there; on either storage that tests run on."""

from __future__ import annotations

import itertools
import os
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from holdfast.kit.config import load_settings
from holdfast.kit.db import sqlite
from holdfast.kit.db.address import parse_address
from holdfast.kit.db.opening import connect
from holdfast.kit.terminal import Quiet
from holdfast.spine.recovery.alone import alone
from holdfast.spine.recovery.moving import Moved, Telling, move
from support.cluster import binaries, durable_cluster
from support.recovery import Restorable, new_restorable
from support.stores import raw

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from holdfast.kit.config import Settings
    from holdfast.kit.db.sqlite import SqliteConnection

moves = [
    pytest.mark.skipif(
        binaries() is None, reason="PostgreSQL is absent; `make setup-services` installs it"
    ),
    pytest.mark.storage("sqlite", reason="the house that moves stands in files"),
]
_numbers = itertools.count(1)


class Movable(Restorable):
    """The bank, with what a move needs."""

    def databases(self) -> Settings:
        """Two new databases, as settings of this house."""
        number = next(_numbers)
        names = [f"m{os.getpid()}_{number}_{which}" for which in ("data", "keys")]
        made = map(durable_cluster().make, names)
        data, keys = (parse_address(url, self.home) for url in made)
        return replace(self.house.settings, data=data, keys=keys)

    def move(self, target: Settings, reached: Callable[[str], None] = lambda _step: None) -> Moved:
        """Move as the command does."""
        self.house.close()
        with alone(self.house.settings):
            return move(self.house, target, by=self.admin, telling=Telling(reached, Quiet()))

    def old_keys(self) -> SqliteConnection:
        """The keys store that was left behind."""
        return sqlite.connect(self.home / "keys.sqlite3", despite_move=True)

    def moved(self) -> Movable:
        """The same house as its settings name it now."""
        self.house.close()
        new = Movable(self.home, self.clock)
        assert not new.house.embedded
        return new


def new_movable(home: Path) -> Movable:
    made = new_restorable(home)
    made.close()
    return Movable(home, made.clock)


def there(target: Settings, which: str, text: str, *params: Any) -> list[tuple[Any, ...]]:
    """Run SQL in a new database, as somebody does who has a way to it."""
    with closing(connect(getattr(target, which))) as connection:
        return raw(connection, text, params)


def addresses(home: Path) -> tuple[str, str]:
    """What the settings of a house name as its stores."""
    settings = load_settings(home, {})
    return str(settings.data), str(settings.keys)
