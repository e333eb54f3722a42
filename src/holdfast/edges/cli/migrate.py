"""``holdfast migrate``."""

from __future__ import annotations

import click

from holdfast.edges.cli.serve import LOCK_NAME
from holdfast.kit.config import load_settings
from holdfast.kit.db.opening import connect, is_there
from holdfast.kit.errors import NotFound
from holdfast.kit.process import LockFile
from holdfast.kit.terminal import say


@click.command()
def migrate() -> None:
    """Bring both stores to the tables of this version.

    Needed after an update. The house must not be served meanwhile; make a copy of its folder before.

    \b
    Examples:
      holdfast migrate
    """
    settings = load_settings()
    if not is_there(settings.data):
        raise NotFound(
            f"there is no house in {settings.home}",
            remedy="Make one with `holdfast init`.",
            code="no_house",
        )
    from holdfast.edges.cli.house import migrate as bring_up

    connect(settings.data).close()  # one that has moved says so
    lock = LockFile(settings.home / LOCK_NAME)
    lock.acquire()
    try:
        bring_up(settings)
    finally:
        lock.release()
    say("Both stores have this version's tables.")
