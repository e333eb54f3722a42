"""The signer: signs a committed head, and only one that continues what it signed before (SPINE 25).

A head is signed when (1) the committed tiles give its root, (2) it is not shorter than the last one signed, (3) at the
same length it has the same root, and (4) a consistency proof leads from the last one to it. What is about to be signed
is remembered on disk before a signature is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.kit.clock import HOUR_US
from holdfast.kit.errors import IntegrityBroken, NotAuthenticated
from holdfast.spine.ledger.checkpoint import Head
from holdfast.spine.ledger.memory import Remembered
from holdfast.spine.ledger.note import open_checkpoint, sign_note
from holdfast.spine.ledger.proofs import consistency, root_at_edge
from holdfast.spine.ledger.tree import consistency_holds

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.kit.db import Work
    from holdfast.spine.ledger.growth import State
    from holdfast.spine.ledger.keys import SigningKeys
    from holdfast.spine.ledger.memory import Memory

RESIGN_AFTER_US: Final = HOUR_US
LOGS: Final = "logs"


class Signed(NamedTuple):
    """A checkpoint that was just signed."""

    log: str
    size: int
    note: bytes
    at_us: int


def is_due(last: Remembered | None, size: int, now_us: int) -> bool:
    """Whether a log of ``size`` wants a new checkpoint: it grew, or its last one is an hour old."""
    return last is None or last.size != size or now_us - last.at_us >= RESIGN_AFTER_US


def examine(state: State, last: Remembered | None) -> Work[None]:
    """Raise :class:`IntegrityBroken` unless ``state`` may be signed after ``last``."""
    if (yield from root_at_edge(state.log, state.size)) != state.root:
        raise _refusal(state, "its head is not the root of its tiles")
    if last is None or last.size == 0:
        return
    if state.size < last.size:
        raise _refusal(state, f"it has {state.size} leaves, but {last.size} were signed before")
    if state.size == last.size:
        if state.root != last.root:
            raise _refusal(state, f"it has another root at {state.size} leaves than was signed")
        return
    proof = yield from consistency(state.log, last.size, state.size)
    if not consistency_holds(last.size, state.size, proof, old_root=last.root, new_root=state.root):
        raise _refusal(state, f"it does not continue the {last.size} leaves signed before")


def _refusal(state: State, why: str) -> IntegrityBroken:
    return IntegrityBroken(
        f"log {state.log} is not signed: {why}",
        remedy="The data store was rolled back or rewritten. Stop the house, keep both copies, and find out which.",
        code="history_broken",
    )


def sign(
    keys: SigningKeys, memory: Memory, states: Iterable[State], now_us: int
) -> tuple[Signed, ...]:
    """Sign heads that :func:`examine` passed; the memory is on disk before the first signature is made."""
    heads = {keys.origin(state.log): Remembered(state.size, state.root, now_us) for state in states}
    if heads:
        memory.remember(heads)
    return tuple(
        Signed(
            state.log,
            state.size,
            sign_note(
                Head(keys.origin(state.log), state.size, state.root).text,
                keys.signers(state.log),
                now_us,
            ),
            now_us,
        )
        for state in states
    )


def own_head(keys: SigningKeys, log: str, note: bytes) -> Head | None:
    """The head in a checkpoint that both keys of this house signed for ``log``; ``None`` for any other bytes."""
    try:
        head, opened = open_checkpoint(note, keys.verifier_keys(log))
    except (IntegrityBroken, NotAuthenticated):
        return None
    signed_by_both = len(opened.by) == len(keys.verifier_keys(log))
    return head if signed_by_both and head.origin == keys.origin(log) else None


def last_signed(log: str, known: Remembered | None, head: Head | None) -> Remembered | None:
    """The longer of what is remembered and what stands published under our own signature.

    :class:`IntegrityBroken` when they differ at the same length.
    """
    if head is None:
        return known
    if known is None or head.size > known.size:
        return Remembered(head.size, head.root, 0)
    if head.size == known.size and head.root != known.root:
        raise IntegrityBroken(
            f"log {log} is not signed: two heads of {head.size} leaves carry our signature",
            code="history_broken",
        )
    return known
