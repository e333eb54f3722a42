"""Operations on PostgreSQL: each in a transaction of its own, many at once, on pooled connections.

The server groups their commits. What one operation relies on is locked by the statements that read it, in one order:
client (shared), credential's person, contact, customer. A transaction that the server gave up for another's sake is run
again from its beginning. As in a turn on SQLite, an answer leaves only once its leaf is durable: a commit whose outcome
is unknown is a refusal (SPINE 5, 18).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, TypeVar

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from holdfast.edges.dataplane.turn import BUSY_LIMIT_S, MOST_WAITING, Failed, Waiting, unchanged
from holdfast.kit.clock import monotonic_s
from holdfast.kit.db.pooled import pool
from holdfast.kit.db.postgres import is_busy
from holdfast.kit.db.postgres_async import drive_async, writing_async
from holdfast.kit.errors import HoldfastError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from psycopg_pool import AsyncConnectionPool

    from holdfast.kit.db import Work
    from holdfast.kit.db.address import PostgresDatabase
    from holdfast.kit.db.postgres_async import AsyncConnection

T = TypeVar("T")
log = structlog.get_logger(__name__)

LANES: Final = 8  # operations at once; each waits for the server most of its time
# The pool waits twice as long after each attempt; it begins anew with the next request after it gave up.
RECONNECT_S: Final = 3.0
# Well under ``MOST_LATE_US`` of the ledger: a leaf that is committed later than that would be lifted, and its receipt
# would promise what is not kept. What lies between the two is how far the clocks of two machines may be apart.
ANSWERED_WITHIN_S: Final = 8.0


class Lanes:
    """Runs operations at once; the port is that of :class:`holdfast.edges.dataplane.turn.Turns`."""

    def __init__(
        self,
        data: PostgresDatabase,
        keys: PostgresDatabase,
        loop: asyncio.AbstractEventLoop,
        *,
        opens: Callable[[], Work[None]] | None = None,
        seals: Callable[[list[Any]], list[Any]] = unchanged,
    ) -> None:
        """``opens`` is run first in each transaction; ``seals`` is given results that became durable together."""
        self._opens = opens
        self._seals = seals
        self._data = _pool(data)
        self._keys = _pool(keys)
        self._loop = loop
        self._tasks: set[asyncio.Task[None]] = set()
        self._queued: dict[asyncio.Task[None] | None, Waiting] = {}
        self._durable: list[tuple[Waiting, Any]] = []
        self.turns = 0
        self.operations = 0
        self.busy_retries = 0
        self.refused = 0

    async def open(self) -> None:
        """Connect. :class:`Unavailable` when the server does not answer."""
        try:
            await self._data.open(wait=True, timeout=10)
            await self._keys.open(wait=True, timeout=10)
        except PoolTimeout as error:
            raise Unavailable(
                "PostgreSQL does not answer", remedy="See that it runs, then start again."
            ) from error

    async def close(self) -> None:
        """Let what runs end, and disconnect."""
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._data.close()
        await self._keys.close()

    def submit(
        self,
        work: Callable[[], Work[T]],
        *,
        together: bool = False,  # noqa: ARG002  each has a transaction of its own
    ) -> asyncio.Future[T]:
        """Begin an operation; the future resolves after the commit that holds its leaf.

        Raises :class:`Unavailable` at once when too many wait already: nothing of the operation is done then.
        """
        if len(self._tasks) >= MOST_WAITING:
            self._refuse_or_make_room()
        waiting = Waiting(work, self._loop.create_future(), monotonic_s())
        task = self._loop.create_task(self._run(waiting))
        self._tasks.add(task)
        self._queued[task] = waiting
        task.add_done_callback(self._over)
        return waiting.future

    def _over(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._queued.pop(task, None)

    def _refuse_or_make_room(self) -> None:
        """Drop those whose callers went away before they began; :class:`Unavailable` when that makes no room."""
        for task, waiting in list(self._queued.items()):
            if task is not None and waiting.future.cancelled():
                task.cancel()
                self._over(task)
        if len(self._tasks) >= MOST_WAITING:
            self.refused += 1
            raise Unavailable("too many requests wait", code="queue_full")

    async def _run(self, waiting: Waiting) -> None:
        try:
            result: Any = await self._until_durable(waiting)
        except Exception as error:  # noqa: BLE001  no failure may look like an answer
            result = Failed(_told(error))
        if not self._durable:
            self._loop.call_soon(self._flush)
        self._durable.append((waiting, result))

    async def _until_durable(self, waiting: Waiting) -> Any:
        while True:
            try:
                async with self._data.connection() as data, self._keys.connection() as keys:
                    self._queued.pop(asyncio.current_task(), None)
                    return await self._once(waiting.work, data, keys)
            except psycopg.Error as error:
                if not is_busy(error) or monotonic_s() - waiting.since_s > BUSY_LIMIT_S:
                    raise
                self.busy_retries += 1

    async def _once(
        self, work: Callable[[], Work[Any]], data: AsyncConnection, keys: AsyncConnection
    ) -> Any:
        begun_s = monotonic_s()
        try:
            async with writing_async(data):
                if self._opens is not None:
                    await drive_async(self._opens(), data, keys)
                result = await drive_async(work(), data, keys)
        except HoldfastError as error:
            if error.aftermath is not None:
                async with writing_async(data):
                    await drive_async(error.aftermath(), data, keys)
            raise
        if monotonic_s() - begun_s > ANSWERED_WITHIN_S:
            raise Unavailable("it took too long", remedy="Try again.")
        return result

    def _flush(self) -> None:
        """Sign for all that became durable meanwhile, and let it leave."""
        done, self._durable = self._durable, []
        self.turns += 1
        self.operations += len(done)
        results = [result for _, result in done]
        try:
            results = self._seals(results)
        except Exception as error:  # noqa: BLE001  an answer without its receipt is none
            results = [Failed(error)] * len(done)
        for (waiting, _), result in zip(done, results, strict=True):
            waiting.answer(result)


def _pool(database: PostgresDatabase) -> AsyncConnectionPool[AsyncConnection]:
    return pool(database, least=2, most=LANES, within_s=BUSY_LIMIT_S, reconnect_s=RECONNECT_S)


def _told(error: Exception) -> Exception:
    if isinstance(error, psycopg.OperationalError | PoolTimeout):
        log.error(
            "store_failed", error=type(error).__name__, state=getattr(error, "sqlstate", None)
        )
        return Unavailable("the store is busy or does not answer", remedy="Try again.")
    return error
