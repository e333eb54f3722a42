"""The synchronous shell: runs a :data:`Work` to its end on a connection to each store."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from holdfast.kit.errors import HoldfastError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from holdfast.kit.db.ports import Connection
    from holdfast.kit.db.statements import Query, Round, T, Work


def drive(work: Work[T], data: Connection, keys: Connection) -> T:
    """Run ``work`` to its end on two open connections; the caller owns the transaction."""
    try:
        asked = next(work)
    except StopIteration as done:
        result: T = done.value
        return result
    return go_on(work, asked, data, keys)


def go_on(work: Work[T], asked: Round, data: Connection, keys: Connection) -> T:
    """Run ``work``, which has asked something, to its end; else as :func:`drive`."""
    send, ask_data, ask_keys = work.send, data.asking(), keys.asking()
    try:
        while True:
            if asked.keys_writes:
                _write_keys(keys, asked.keys_writes)
            answer = ask_data(asked.data) if asked.data else []
            if asked.keys:
                answer += ask_keys(asked.keys)
            asked = send(answer)
    except StopIteration as done:
        result: T = done.value
        return result


def _write_keys(keys: Connection, writes: Sequence[Query]) -> None:
    if keys.in_transaction:
        keys.commit()  # a read transaction of the caller; what follows reads anew
    with writing(keys):
        keys.execute_all(writes)


@contextmanager
def writing(connection: Connection) -> Iterator[None]:
    """Write in one transaction; all or nothing. :class:`Unavailable` when the store is busy."""
    connection.begin()
    try:
        yield
        connection.commit()
    except BaseException:
        connection.rollback()
        raise


def in_transaction(work: Work[T], data: Connection, keys: Connection) -> T:
    """Run ``work`` in one write transaction of ``data``, begun before the first load.

    Raises :class:`Unavailable` when the store is busy; nothing was written then. An error with an ``aftermath`` has
    that written in a second transaction, and is then raised.
    """
    try:
        with writing(data):
            return drive(work, data, keys)
    except HoldfastError as error:
        settle(error, data, keys)
        raise


def settle(error: HoldfastError, data: Connection, keys: Connection) -> None:
    """Write what ``error`` leaves behind, in a transaction of its own; nothing for most errors."""
    if error.aftermath is not None:
        with writing(data):
            drive(error.aftermath(), data, keys)
