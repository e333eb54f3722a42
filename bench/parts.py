"""Which part of the path of a request a line of code belongs to.

A stack belongs to the part of its innermost frame that has one: what a module of :data:`CALLERS`, the standard library
or another package computes is done for whoever called it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

HTTP = "HTTP: headers, door, body, handing over, answer"
WHO = "who asks: credential, contact, facts"
JUDGING = "judging: groups, question, budgets, Cedar"
RECORD = "decision record, sealed"
SQL = "SQL: binding, running, reading rows"
DRIVER = "the database's driver (psycopg)"
OPENING = "opening the record: head, data keys, manifests, fields"
LEAF = "leaf"
RECEIPT = "receipt: one signature a turn and log"
COMMIT = "turns: begin, savepoints, commit"
OPERATION = "the operation itself: steps, what is charged, laying out"
LOOP = "loop and server, Python's side"
BESIDE = "beside requests: clock, contracts, logs"
THREADS = "other threads: the HTTP server's own"

#: Module, or what its name begins with → part. The longest that fits counts.
PARTS: dict[str, str] = {
    "holdfast.edges.dataplane": HTTP,
    "holdfast.edges.dataplane.keeping": BESIDE,
    "holdfast.edges.dataplane.cohort": COMMIT,
    "holdfast.edges.dataplane.lanes": COMMIT,
    "holdfast.edges.dataplane.process": LOOP,
    "holdfast.edges.dataplane.receipts": RECEIPT,
    "holdfast.edges.dataplane.runner": COMMIT,
    "holdfast.edges.dataplane.turn": COMMIT,
    "holdfast.edges.feeds": HTTP,
    "holdfast.kit.db": SQL,
    "holdfast.kit.http": HTTP,
    "holdfast.kit.jobs": OPERATION,
    "holdfast.spine.actions": OPERATION,
    "holdfast.spine.administration": JUDGING,
    "holdfast.spine.approvals": OPERATION,
    "holdfast.spine.decision": JUDGING,
    "holdfast.spine.decision.facts": WHO,
    "holdfast.spine.decision.freezing": WHO,
    "holdfast.spine.decision.records": RECORD,
    "holdfast.spine.decision.store": SQL,
    "holdfast.spine.identity": WHO,
    "holdfast.spine.ledger": LEAF,
    "holdfast.spine.ledger.note": RECEIPT,
    "holdfast.spine.ledger.receipts": RECEIPT,
    "holdfast.spine.ledger.signer": RECEIPT,
    "holdfast.spine.operations": OPERATION,
    "holdfast.spine.purpose": WHO,
    "holdfast.spine.signals": WHO,
    "holdfast.spine.stream": BESIDE,
    "holdfast.spine.timekeeping": BESIDE,
    "holdfast.spine.turn": OPERATION,
    "holdfast.spine.turn.arrival": WHO,
    "holdfast.spine.vault": OPENING,
    "psycopg": DRIVER,
    "psycopg_binary": DRIVER,
    "psycopg_pool": DRIVER,
    "asyncio": LOOP,
    "granian": LOOP,
    "uvloop": LOOP,
}

#: Functions that belong to another part than their module.
FUNCTIONS: dict[str, dict[str, str]] = {
    "holdfast.kit.db.sqlite": dict.fromkeys(
        ("begin", "begin_reading", "commit", "rollback", "save", "undo", "release"), COMMIT
    ),
    "holdfast.kit.db.postgres_async": {"writing_async": COMMIT},
}

#: What these compute is their caller's; the rest of the house's modules have a part, or are not on the path.
CALLERS: tuple[str, ...] = (
    "holdfast.kit",
    "holdfast.vocabulary",
    "holdfast.spine.house",
)
#: Loaded by a data plane, and only used when it starts.
START: tuple[str, ...] = (
    "holdfast",
    "holdfast.edges",
    "holdfast.edges.checks",
    "holdfast.edges.listening",
    "holdfast.manifests",
    "holdfast.procedures",
    "holdfast.spine",
)


@lru_cache(maxsize=4096)
def part_of(module: str, function: str = "") -> str | None:
    """Return the part that a function belongs to; None where that is its caller's, or the module has none."""
    if found := FUNCTIONS.get(module, {}).get(function):
        return found
    name = module
    while name:
        if name in CALLERS:
            return None
        if name in PARTS:
            return PARTS[name]
        name = name.rpartition(".")[0]
    return None


def is_declared(module: str) -> bool:
    """Tell whether a module of the house has its place here."""
    names = {module}
    while "." in module:
        module = module.rpartition(".")[0]
        names.add(module)
    apart = {"holdfast", "holdfast.edges", "holdfast.spine"}
    return bool(names & (PARTS.keys() | set(CALLERS) | set(START) - apart)) or names <= apart


def part_of_stack(frame: FrameType | None) -> str:
    """Return the part of a stack: that of its innermost frame that has one, or the loop's."""
    while frame is not None:
        code = frame.f_code
        if found := part_of(frame.f_globals.get("__name__", ""), code.co_name):
            return found
        frame = frame.f_back
    return LOOP
