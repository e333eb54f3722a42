"""Work, counted instead of timed: the statements that ran, and the calls into cryptography."""

from __future__ import annotations

import json
import sys
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.bank import Bank

SEALING = {"encrypt", "decrypt", "digest", "finalize", "verify"}


@contextmanager
def counted(bank: Bank) -> Iterator[Counter[str]]:
    """Count statements and the calls into cryptography while the block runs."""
    work: Counter[str] = Counter()
    stores = (bank.house._own.data, bank.house._own.keys)

    def called(_frame: Any, event: str, function: Any) -> None:
        if event == "c_call" and function.__name__ in SEALING:
            work[function.__name__] += 1

    for store in stores:
        store.raw.set_trace_callback(lambda text: work.update([text.split("(", 1)[0][:60]]))
    sys.setprofile(called)
    try:
        yield work
    finally:
        sys.setprofile(None)
        for store in stores:
            store.raw.set_trace_callback(None)


def entries(bank: Bank) -> list[bytes]:
    """The bytes of all leaves, oldest first."""
    return [entry for (entry,) in bank.sql("SELECT entry FROM ledger_pending ORDER BY id")]


def record_size(bank: Bank, entry: bytes) -> int:
    """How long the sealed decision record is that a leaf commits to."""
    ident = json.loads(entry)["id"]
    ((size,),) = bank.sql("SELECT length(sealed) FROM decision_record WHERE id = ?", ident)
    return int(size)
