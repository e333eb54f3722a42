"""PostgreSQL from an event loop: work is driven, and transactions are ended, without keeping the loop.

What goes out, and what is made of the server's warnings, is as in :mod:`holdfast.kit.db.postgres`.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from psycopg.pq import TransactionStatus

from holdfast.kit.db.postgres import as_sent, on_every_server
from holdfast.kit.db.sending import sent_together
from holdfast.kit.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    import psycopg

    from holdfast.kit.db.statements import Query, Round, Rows, T, Work

COMMIT_WITHIN_S: Final = 10.0
_IDLE: Final = TransactionStatus.IDLE


async def drive_async(
    work: Work[T], data: psycopg.AsyncConnection[Any], keys: psycopg.AsyncConnection[Any]
) -> T:
    """Run ``work`` to its end; the asynchronous shell beside :func:`holdfast.kit.db.shell.drive`."""
    send = work.send
    try:
        asked: Round = next(work)
        while True:
            if asked.keys_writes:
                async with writing_async(keys):
                    await _ask(keys, asked.keys_writes)
            answer = await _ask(data, asked.data) if asked.data else []
            if asked.keys:
                answer += await _ask(keys, asked.keys)
            asked = send(answer)
    except StopIteration as done:
        result: T = done.value
        return result


@asynccontextmanager
async def writing_async(connection: psycopg.AsyncConnection[Any]) -> AsyncIterator[None]:
    """Write in one transaction; all or nothing.

    :class:`Unavailable` when the commit does not come about in time, as while a standby is away that has to confirm it:
    then nobody knows whether it will.
    """
    await connection.execute("BEGIN")
    try:
        yield
        try:
            with on_every_server(connection):
                async with asyncio.timeout(COMMIT_WITHIN_S):
                    await connection.execute("COMMIT")
        except TimeoutError:
            raise Unavailable(
                "the ledger could not be written in time", remedy="Try again."
            ) from None
    except BaseException:
        if not connection.closed and connection.info.transaction_status is not _IDLE:
            await connection.execute("ROLLBACK")
        raise


async def _ask(connection: psycopg.AsyncConnection[Any], queries: Sequence[Query]) -> list[Rows]:
    asked = as_sent(connection, queries)
    if len(asked) == 1:
        return [await _fetch(await connection.execute(*asked[0]))]
    async with connection.pipeline() as pipeline, sent_together(pipeline):
        cursors = [await connection.execute(*one) for one in asked]
    return [await _fetch(cursor) for cursor in cursors[: len(queries)]]


async def _fetch(cursor: psycopg.AsyncCursor[Any]) -> Rows:
    return await cursor.fetchall() if cursor.description is not None else []
