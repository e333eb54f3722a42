"""What goes to PostgreSQL for one round, and what comes back: a generator that says when to wait, and never waits.

A round is one pipeline of libpq: statements prepared on the server once for each connection, their values in the
server's binary form, and a Sync. Nothing follows the Sync: the server would take a flush for the next command, and
would no longer count since when the transaction is idle, so a frozen process would hold its rows for ever.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from functools import lru_cache
from itertools import count
from struct import Struct
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from psycopg import OperationalError
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus
from psycopg.waiting import Ready, Wait

from holdfast.kit.db.statements import for_postgres, in_order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from psycopg import Error
    from psycopg.errors import Diagnostic
    from psycopg.pq.abc import PGconn, PGresult

    from holdfast.kit.db.statements import Query, Row, Rows, Statement

T = TypeVar("T")
_LANES: Final = 4096  # as many as sessions that are numbered one after the other
_AT_ONCE: Final = 500
_TEXT, _BINARY = 0, 1
_WAIT_R, _WAIT_RW, _READY_R = Wait.R, Wait.RW, Ready.R
_BAD: Final = ConnStatus.BAD
_TUPLES: Final = ExecStatus.TUPLES_OK
_DONE: Final = ExecStatus.COMMAND_OK
_ANSWERS: Final = frozenset({_TUPLES, _DONE})
_ABORTED: Final = ExecStatus.PIPELINE_ABORTED
_SYNC: Final = ExecStatus.PIPELINE_SYNC

_INT8: Final = Struct("!q")
_NUMERIC: Final = Struct("!hhHH")
_NEGATIVE: Final = 0x4000
_numbers: Final = count()


def _whole_number(data: bytes) -> int:
    """Sums of ``bigint`` are ``numeric``; there is no fraction in the house."""
    digits, weight, sign, _ = _NUMERIC.unpack_from(data)
    total: int = 0  # digits to the base of ten thousand
    for place in range(digits):
        at = _NUMERIC.size + 2 * place
        total = total * 10_000 + int.from_bytes(data[at : at + 2], "big")
    total *= 10_000 ** max(weight + 1 - digits, 0)
    return -total if sign == _NEGATIVE else total


def _signed(data: bytes) -> int:
    return int.from_bytes(data, "big", signed=True)


def _int8(data: bytes) -> int:
    value: int = _INT8.unpack(data)[0]
    return value


def _float8(data: bytes) -> float:
    value: float = _FLOAT8.unpack(data)[0]
    return value


_FLOAT8: Final = Struct("!d")
#: By the number of a type in the server's catalogue, what makes a value of its binary form.
LOADS: Final[dict[int, Callable[[bytes], Any]]] = {
    16: lambda data: data == b"\x01",  # bool
    17: bytes,  # bytea
    19: bytes.decode,  # name
    20: _int8,
    21: _signed,  # smallint
    23: _signed,  # integer
    25: bytes.decode,  # text
    701: _float8,
    1043: bytes.decode,  # varchar
    1700: _whole_number,  # numeric
}
#: By the type of a value, the number of the server's type, its form, and what makes it.
_DUMPS: Final[dict[type, tuple[int, int, Callable[[Any], bytes | None]]]] = {
    bool: (16, _BINARY, lambda value: b"\x01" if value else b"\x00"),
    int: (20, _BINARY, _INT8.pack),
    float: (701, _BINARY, _FLOAT8.pack),
    bytes: (17, _BINARY, bytes),
    bytearray: (17, _BINARY, bytes),
    memoryview: (17, _BINARY, bytes),
    str: (0, _TEXT, str.encode),  # the server says by its place what it is
    type(None): (0, _TEXT, lambda _: None),
}


class Shape(NamedTuple):
    """A statement for values of certain types; ``name`` is what it is prepared as, empty when it is not."""

    name: bytes
    text: bytes
    kinds: tuple[int, ...]
    forms: tuple[int, ...]
    dumps: tuple[Callable[[Any], bytes | None], ...]


Sent = tuple[Shape, "list[bytes | None]"]
Steps = Generator[Wait, Ready | int, T]


@lru_cache(maxsize=4096)
def _shape(text: str, types: tuple[type, ...]) -> Shape:
    return _shaped(text, types, b"h%d" % next(_numbers))


def _shaped(text: str, types: tuple[type, ...], name: bytes) -> Shape:
    found = [_dump(kind) for kind in types]
    kinds, forms, dumps = zip(*found, strict=True) if found else ((), (), ())
    return Shape(name, text.encode(), kinds, forms, dumps)


def _dump(kind: type) -> tuple[int, int, Callable[[Any], bytes | None]]:
    for one in kind.__mro__:
        if one in _DUMPS:
            return _DUMPS[one]
    raise TypeError(f"no store holds values of the type {kind.__name__}")


def dumped(text: str, values: Sequence[Any], *, prepared: bool = True) -> Sent:
    """Return a statement and its values as they are sent."""
    types = tuple(map(type, values))
    shape = _shape(text, types) if prepared else _shaped(text, types, b"")
    return shape, [dump(value) for dump, value in zip(shape.dumps, values, strict=True)]


class Session:
    """One connection: what is prepared on it, and of what the server warned."""

    __slots__ = ("_columns", "_lane", "pgconn", "warned")

    def __init__(self, pgconn: PGconn) -> None:
        self.pgconn = pgconn
        self._lane = pgconn.backend_pid % _LANES
        self._columns: dict[bytes, tuple[Callable[[bytes], Any], ...]] = {}
        self.warned = False

    def hear(self, diagnostic: Diagnostic) -> None:
        """Take note of a warning."""
        self.warned = self.warned or diagnostic.severity_nonlocalized == "WARNING"

    def ask(self, queries: Sequence[Query], *, first: Sequence[Sent] = ()) -> Steps[list[Rows]]:
        """Ask queries in one round trip, after what goes ``first``; return each one's rows.

        At the end goes how many of them are counted in this connection's lane. The count is undone with the rows, so
        it needs no care when a commit fails. Two connections of one lane would only wait for each other.
        """
        sent = [*first]
        counts: Statement | None = None
        many = 0
        for query in queries:
            if query.statement.counted is not None:
                counts, many = query.statement.counted, many + 1
                query = query.statement(**{**query.params, "lane": self._lane})  # noqa: PLW2901
            text, values, prepared = for_postgres(query)
            sent.append(dumped(text, values, prepared=prepared))
        if counts is not None:
            text, values, _ = for_postgres(counts(lane=self._lane, count=many))
            sent.append(dumped(text, values))
        return self._answers(sent, len(first), len(queries))

    def _answers(self, sent: list[Sent], first: int, count: int) -> Steps[list[Rows]]:
        results = yield from self.exchange(sent)
        return [self._rows(sent[place][0], results[place]) for place in range(first, first + count)]

    def run_many(self, statement: Statement, parameters: Sequence[Any]) -> Steps[int]:
        """Run a statement for each of ``parameters``; return how many rows were written."""
        text, values_of = in_order(statement.text)
        written = 0
        for start in range(0, len(parameters), _AT_ONCE):
            some = parameters[start : start + _AT_ONCE]
            sent = [dumped(text, values_of(one) if isinstance(one, dict) else one) for one in some]
            results = yield from self.exchange(sent)
            written += sum(result.command_tuples or 0 for result in results)
        return written

    def exchange(self, sent: Iterable[Sent]) -> Steps[list[PGresult]]:
        """Send statements and fetch their results; raises the first error, after the connection is in order again."""
        new = self._send(sent)
        results: list[PGresult] = []
        failed: Error | None = None
        try:
            yield from self._flushed()
            while (result := (yield from self._next())).status != _SYNC:
                status = result.status
                if status == _DONE and new and new[0][0] == len(results):
                    self._columns[new.popleft()[1]] = ()
                elif status in _ANSWERS:
                    results.append(result)
                elif status != _ABORTED and failed is None:
                    failed = error_from_result(result)
        except OperationalError:
            if failed is not None:  # the server said why
                raise failed from None
            raise
        self.pgconn.exit_pipeline_mode()
        if failed is not None:
            raise failed
        return results

    def _flushed(self) -> Steps[None]:
        """Send what is queued, and take in what is answered meanwhile: the server may want that first."""
        pgconn = self.pgconn
        while pgconn.flush():
            if (yield _WAIT_RW) & _READY_R:
                pgconn.consume_input()

    def _next(self) -> Steps[PGresult]:
        """Fetch the next result; after each statement's comes None."""
        pgconn = self.pgconn
        while True:
            while pgconn.is_busy():
                if (yield _WAIT_R):
                    pgconn.consume_input()
            result = pgconn.get_result()
            if result is not None:
                return result
            if pgconn.status == _BAD:
                raise OperationalError("the connection is lost")

    def _send(self, sent: Iterable[Sent]) -> deque[tuple[int, bytes]]:
        """Queue statements; return before which of them which is prepared."""
        pgconn, known = self.pgconn, self._columns
        new: deque[tuple[int, bytes]] = deque()
        fresh: set[bytes] = set()
        pgconn.enter_pipeline_mode()
        for place, (shape, values) in enumerate(sent):
            name = shape.name
            if not name:
                pgconn.send_query_params(shape.text, values, shape.kinds, shape.forms, _BINARY)
                continue
            if name not in known and name not in fresh:
                pgconn.send_prepare(name, shape.text, shape.kinds)
                fresh.add(name)
                new.append((place, name))
            pgconn.send_query_prepared(name, values, shape.forms, _BINARY)
        pgconn.pipeline_sync()
        return new

    def _rows(self, shape: Shape, result: PGresult) -> Rows:
        many = result.ntuples
        if not many:
            return []
        loads = self._columns.get(shape.name)
        if not loads:
            loads = tuple(LOADS[result.ftype(at)] for at in range(result.nfields))
            if shape.name:
                self._columns[shape.name] = loads
        value = result.get_value
        columns = tuple(enumerate(loads))
        rows: list[Row] = [
            tuple(
                [None if (data := value(row, at)) is None else load(data) for at, load in columns]
            )
            for row in range(many)
        ]
        return rows
