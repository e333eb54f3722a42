"""PostgreSQL from an event loop: work is driven, and transactions are ended, without keeping the loop.

What goes out, and what is made of the server's warnings, is as in :mod:`holdfast.kit.db.postgres`.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import tuple_row
from psycopg.waiting import Ready, Wait

from holdfast.kit.db.exchange import Session, dumped
from holdfast.kit.db.postgres import BEGIN, COMMIT, ROLLBACK, must_be_on_every_server
from holdfast.kit.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from psycopg.pq.abc import PGconn
    from psycopg.rows import AsyncRowFactory

    from holdfast.kit.db.exchange import Sent, Steps
    from holdfast.kit.db.statements import Query, Round, Rows, Work

T = TypeVar("T")
COMMIT_WITHIN_S: Final = 10.0
_GIVEN_UP_S: Final = 5.0
_IDLE: Final = TransactionStatus.IDLE
_SOUND: Final = dumped("SELECT 1", ())
_READY_R, _READY_W, _WAIT_R = Ready.R, Ready.W, Wait.R


class AsyncConnection(psycopg.AsyncConnection[Any]):
    """One connection of an event loop: the driver opens and closes it, rounds go by :mod:`holdfast.kit.db.exchange`."""

    def __init__(self, pgconn: PGconn, row_factory: AsyncRowFactory[Any] = tuple_row) -> None:
        super().__init__(pgconn, row_factory)
        self._session = Session(pgconn)
        self.add_notice_handler(self._session.hear)
        self._first: tuple[Sent, ...] = ()

    async def ask(self, queries: Sequence[Query]) -> list[Rows]:
        """Run queries in one round trip; return each one's rows."""
        first, self._first = self._first, ()
        return await self._awaited(self._session.ask(queries, first=first))

    def begin(self, how: Sent = BEGIN) -> None:
        """Begin a transaction with the next round."""
        self._first = (how,)

    async def commit_within(self, limit_s: float) -> None:
        """Make it durable. :class:`Unavailable` when that takes longer: then nobody knows whether it will be."""
        if self._never_went():
            return
        self._session.warned = False
        await self._ended(self._session.exchange((COMMIT,)), limit_s)

    async def write(self, queries: Sequence[Query], limit_s: float) -> None:
        """Run queries in one round trip and one transaction, which the server ends with the round; as a commit."""
        self._session.warned = False
        await self._ended(self._session.ask(queries), limit_s)

    async def _ended(self, steps: Steps[Any], limit_s: float) -> None:
        try:
            async with asyncio.timeout(limit_s):
                await self._awaited(steps)
        except TimeoutError:
            raise Unavailable(
                "the ledger could not be written in time", remedy="Try again."
            ) from None
        must_be_on_every_server(self._session)

    async def undo(self) -> None:
        """Undo what was written since :meth:`begin`, if a transaction is open; where it broke, the server has."""
        if not (self._never_went() or self.closed or self.pgconn.transaction_status == _IDLE):
            await self._awaited(self._session.exchange((ROLLBACK,)))

    def _never_went(self) -> bool:
        """Tell whether nothing went out since :meth:`begin`; then it is as if that had not been."""
        waiting, self._first = self._first, ()
        return bool(waiting)

    async def check(self) -> None:
        """Ask the server for a sign of life."""
        await self._awaited(self._session.exchange((_SOUND,)))

    async def _awaited(self, steps: Steps[T]) -> T:
        loop, socket = asyncio.get_running_loop(), self.pgconn.socket
        try:
            wanted = next(steps)
            while True:
                ready: asyncio.Future[Ready] = loop.create_future()
                loop.add_reader(socket, _resolve, ready, _READY_R)
                if wanted is not _WAIT_R:
                    loop.add_writer(socket, _resolve, ready, _READY_W)
                try:
                    found = await ready
                finally:
                    loop.remove_reader(socket)
                    if wanted is not _WAIT_R:
                        loop.remove_writer(socket)
                wanted = steps.send(found)
        except StopIteration as done:
            result: T = done.value
            return result
        except asyncio.CancelledError:
            await self._give_up()
            raise

    async def _give_up(self) -> None:
        """Let the server give up what it does, so that no session waits there for nobody, and hang up."""
        with suppress(psycopg.Error):
            await self.cancel_safe(timeout=_GIVEN_UP_S)
        await self.close()


def _resolve(ready: asyncio.Future[Ready], how: Ready) -> None:
    if not ready.done():
        ready.set_result(how)


async def drive_async(work: Work[T], data: AsyncConnection, keys: AsyncConnection) -> T:
    """Run ``work`` to its end; the asynchronous shell beside :func:`holdfast.kit.db.shell.drive`."""
    send = work.send
    try:
        asked: Round = next(work)
        while True:
            if asked.keys_writes:
                await keys.write(asked.keys_writes, COMMIT_WITHIN_S)
            answer = await data.ask(asked.data) if asked.data else []
            if asked.keys:
                answer += await keys.ask(asked.keys)
            asked = send(answer)
    except StopIteration as done:
        result: T = done.value
        return result


@asynccontextmanager
async def writing_async(connection: AsyncConnection) -> AsyncIterator[None]:
    """Write in one transaction; all or nothing.

    :class:`Unavailable` when the commit does not come about in time, as while a standby is away that has to confirm it:
    then nobody knows whether it will.
    """
    connection.begin()
    try:
        yield
        await connection.commit_within(COMMIT_WITHIN_S)
    except BaseException:
        await connection.undo()
        raise
