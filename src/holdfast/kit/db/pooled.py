"""Pools of connections to PostgreSQL: opened when they are wanted, and anew when they broke."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from psycopg_pool import AsyncConnectionPool

from holdfast.kit.clock import monotonic_s
from holdfast.kit.db.postgres import parameters
from holdfast.kit.db.postgres_async import AsyncConnection

if TYPE_CHECKING:
    from holdfast.kit.db.address import PostgresDatabase

UNSEEN_S: Final = 1.0  # what was used within this time is taken to be sound


def pool(
    database: PostgresDatabase, *, least: int, most: int, within_s: float, reconnect_s: float
) -> AsyncConnectionPool[AsyncConnection]:
    """Return a pool that is not open yet, of ``least`` to ``most`` connections.

    Whoever wants one waits for it for at most ``within_s``. The pool waits twice as long after each attempt to connect;
    after ``reconnect_s`` it gives up, and begins anew with the next who wants one.
    """
    return AsyncConnectionPool(
        connection_class=AsyncConnection,
        min_size=least,
        max_size=most,
        timeout=within_s,
        reconnect_timeout=reconnect_s,
        open=False,
        check=_Looked(),
        kwargs={"autocommit": True, **parameters(database.url.reveal())},
    )


class _Looked:
    """Asks a connection whether it is sound, unless it was in use a moment ago: to ask is a round trip."""

    def __init__(self) -> None:
        self._used: WeakKeyDictionary[AsyncConnection, float] = WeakKeyDictionary()

    async def __call__(self, connection: AsyncConnection) -> None:
        now_s = monotonic_s()
        if now_s - self._used.get(connection, -UNSEEN_S) >= UNSEEN_S:
            await connection.check()
        self._used[connection] = now_s
