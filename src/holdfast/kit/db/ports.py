"""What a connection to one store can do, whichever database the store stands in."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from holdfast.kit.db.statements import Query, Rows, Statement


Ask = Callable[["Sequence[Query]"], "list[Rows]"]


class Traces(Protocol):
    """Byte strings that must not be found: those of somebody who was erased."""

    @property
    def longest(self) -> int:
        """How many bytes the longest has; windows overlap by one less."""
        ...

    def stand_in(self, window: bytes) -> bool:
        """Tell whether one of them stands in ``window``."""
        ...


class Connection(Protocol):
    """One connection to one store: each statement is a transaction of its own until :meth:`begin`.

    On SQLite one writer at a time holds the store from :meth:`begin` to the end. On PostgreSQL many write at once, at
    the isolation level *read committed*: what one of them relies on is locked by the statement that reads it, or
    changed by a conditional update.
    """

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        ...

    def execute(self, query: Query) -> Rows:
        """Run one query and return all its rows."""
        ...

    def execute_all(self, queries: Sequence[Query]) -> list[Rows]:
        """Run queries one after the other, in one round trip; return each one's rows."""
        ...

    def asking(self) -> Ask:
        """Return :meth:`execute_all` for one piece of work, which asks it again and again."""
        ...

    def execute_many(self, statement: Statement, parameters: Sequence[Any]) -> int:
        """Run a statement for each of ``parameters`` (mappings, or values in the order of the names in the text).

        Returns how many rows were written.
        """
        ...

    def begin(self) -> None:
        """Begin to write. :class:`Unavailable` when the store is busy."""
        ...

    def begin_reading(self) -> None:
        """Begin to read; what is read until :meth:`commit` may be of one moment, and locks nobody out."""
        ...

    def commit(self) -> None:
        """Make what was written durable."""
        ...

    def rollback(self) -> None:
        """Undo what was written; does nothing outside a transaction."""
        ...

    def save(self) -> None:
        """Set the one savepoint."""
        ...

    def undo(self) -> None:
        """Undo what was written since :meth:`save`."""
        ...

    def release(self) -> None:
        """Forget the savepoint."""
        ...

    def wipe(self, *, anew: bool = False, tables: Collection[str] = ()) -> None:
        """Overwrite what was deleted, as well as the database does it; ``anew`` spares no time to do it better.

        ``tables`` are those that it was deleted from, if that is known: without ``anew`` no others need be written.

        :class:`Unavailable` while a reader or another writer keeps it from that.
        """
        ...

    def holds(self, traces: Traces) -> bool:
        """Tell whether one of ``traces`` stands anywhere in the store's files, free space and log included."""
        ...

    def tables(self) -> frozenset[str]:
        """Return the names of the tables."""
        ...

    def others(self) -> int:
        """Return how many sessions beside this one a server has to the store; of a file nobody knows: none."""
        ...

    def size_bytes(self) -> int:
        """Return how many bytes the store takes up."""
        ...

    def is_read_only(self) -> bool:
        """Tell whether nothing can be written, whoever asks: a standby, or a connection that was opened so."""
        ...

    def perils(self) -> list[str]:
        """Return what keeps a commit from being durable, or what is deleted from being gone; usually nothing."""
        ...

    def close(self) -> None:
        """End the connection; what is not committed is undone."""
        ...
