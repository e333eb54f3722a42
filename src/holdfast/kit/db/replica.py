"""A streaming standby of a store: pooled connections that only read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

import psycopg
from psycopg_pool import PoolTimeout

from holdfast.kit.db.pooled import pool
from holdfast.kit.db.postgres import BEGIN_READING
from holdfast.kit.db.postgres_async import drive_async
from holdfast.kit.errors import Unavailable

if TYPE_CHECKING:
    from holdfast.kit.db import Work
    from holdfast.kit.db.address import PostgresDatabase

T = TypeVar("T")

MOST: Final = 4
WITHIN_S: Final = 1.0


class Replica:
    """Connections to one replica."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._pool = pool(database, least=1, most=MOST, within_s=WITHIN_S, reconnect_s=WITHIN_S)

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
                connection.begin(BEGIN_READING)
                try:
                    return await drive_async(work, connection, connection)
                finally:
                    await connection.undo()
        except (psycopg.Error, PoolTimeout) as error:
            raise _away() from error


def _away() -> Unavailable:
    return Unavailable("the replica does not answer", remedy="See that it runs, and replica_url.")
