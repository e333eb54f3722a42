"""A streaming standby of a store: pooled connections that only read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

import psycopg
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from holdfast.kit.db.postgres import adapt, parameters
from holdfast.kit.db.postgres_async import drive_async
from holdfast.kit.errors import Unavailable

if TYPE_CHECKING:
    from holdfast.kit.db import Work
    from holdfast.kit.db.address import PostgresDatabase

T = TypeVar("T")
_AsyncConnection = psycopg.AsyncConnection[Any]

MOST: Final = 4
WITHIN_S: Final = 1.0


class Replica:
    """Connections to one replica."""

    def __init__(self, database: PostgresDatabase) -> None:
        address = database.url.reveal()
        given = {"autocommit": True, "prepare_threshold": 2, **parameters(address)}

        async def configure(connection: _AsyncConnection) -> None:
            adapt(connection)

        self._pool: AsyncConnectionPool[_AsyncConnection] = AsyncConnectionPool(
            min_size=1,
            max_size=MOST,
            timeout=WITHIN_S,
            reconnect_timeout=WITHIN_S,
            open=False,
            configure=configure,
            check=AsyncConnectionPool.check_connection,
            kwargs=given,
        )

    async def open(self) -> None:
        """Begin to connect, without waiting for it."""
        await self._pool.open(wait=False)

    async def close(self) -> None:
        """Disconnect."""
        await self._pool.close()

    async def read(self, work: Work[T]) -> T:
        """Run ``work``, which asks the data store alone, as of one moment.

        :class:`Unavailable` when it does not answer.
        """
        try:
            async with self._pool.connection() as connection:
                await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                try:
                    return await drive_async(work, connection, connection)
                finally:
                    if not connection.closed:
                        await connection.execute("ROLLBACK")
        except (psycopg.Error, PoolTimeout) as error:
            raise _away() from error


def _away() -> Unavailable:
    return Unavailable("the replica does not answer", remedy="See that it runs, and replica_url.")
