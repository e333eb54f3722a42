"""Work, counted instead of timed: the statements that ran, and the calls into cryptography."""

from __future__ import annotations

import json
import sys
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from holdfast.spine.house import Stores

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from holdfast.kit.db.ports import Ask, Connection
    from holdfast.kit.db.statements import Query, Rows, Statement
    from support.bank import Bank

SEALING = {"encrypt", "decrypt", "digest", "finalize", "verify"}


class Counting:
    """A connection that notes the name of every statement which goes through it, and every mark of a transaction."""

    def __init__(self, inner: Connection, work: Counter[str]) -> None:
        self._inner = inner
        self._work = work

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def execute(self, query: Query) -> Rows:
        self._work[query.statement.name] += 1
        return self._inner.execute(query)

    def execute_all(self, queries: Sequence[Query]) -> list[Rows]:
        self._work.update(query.statement.name for query in queries)
        return self._inner.execute_all(queries)

    def asking(self) -> Ask:
        return self.execute_all

    def execute_many(self, statement: Statement, parameters: Sequence[Any]) -> int:
        self._work[statement.name] += len(parameters)
        return self._inner.execute_many(statement, parameters)

    def begin(self) -> None:
        self._work["begin"] += 1
        self._inner.begin()

    def commit(self) -> None:
        self._work["commit"] += 1
        self._inner.commit()


@contextmanager
def counted(bank: Bank) -> Iterator[Counter[str]]:
    """Count statements and the calls into cryptography while the block runs."""
    work: Counter[str] = Counter()
    own = bank.house._own

    def called(_frame: Any, event: str, function: Any) -> None:
        if event == "c_call" and function.__name__ in SEALING:
            work[function.__name__] += 1

    bank.house.__dict__["_own"] = Stores(Counting(own.data, work), Counting(own.keys, work))
    sys.setprofile(called)
    try:
        yield work
    finally:
        sys.setprofile(None)
        bank.house.__dict__["_own"] = own


def entries(bank: Bank) -> list[bytes]:
    """The bytes of all leaves, oldest first."""
    return [entry for (entry,) in bank.sql("SELECT entry FROM ledger_pending ORDER BY id")]


def record_size(bank: Bank, entry: bytes) -> int:
    """How long the sealed decision record is that a leaf commits to."""
    ident = json.loads(entry)["id"]
    ((size,),) = bank.sql("SELECT length(sealed) FROM decision_record WHERE id = ?", ident)
    return int(size)
