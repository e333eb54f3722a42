"""The signer: signs a committed head, and only one that continues what it signed before (SPINE 25).

A head is signed when (1) the committed tiles give its root, (2) it is not shorter than the last one signed, (3) at the
same length it has the same root, and (4) a consistency proof leads from the last one to it. What is about to be signed
is remembered on disk before a signature is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, Protocol
from urllib.parse import urlsplit

from holdfast.kit.canonical import length_prefixed
from holdfast.kit.clock import HOUR_US
from holdfast.kit.errors import IntegrityBroken, NotAuthenticated, NotFound
from holdfast.spine.ledger.checkpoint import Head
from holdfast.spine.ledger.keys import FOLDER, SigningKeys
from holdfast.spine.ledger.memory import Remembered
from holdfast.spine.ledger.note import open_checkpoint, sign_note
from holdfast.spine.ledger.proofs import consistency, root_at_edge
from holdfast.spine.ledger.tree import consistency_holds

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from holdfast.kit.db import Work
    from holdfast.spine.ledger.growth import State
    from holdfast.spine.ledger.memory import Memory

RESIGN_AFTER_US: Final = HOUR_US
LOGS: Final = "logs"
_SEALED_AS: Final = length_prefixed(b"holdfast/signing-keys/v1")


class Root(Protocol):
    """What seals the file of the keys: the root of the house's key hierarchy."""

    def wrap(self, secret: bytes, aad: bytes) -> bytes:
        """Seal."""
        ...

    def unwrap(self, wrapped: bytes, aad: bytes) -> bytes:
        """Open."""
        ...


class WithOrigin(Protocol):
    """Settings, as far as they matter here."""

    @property
    def origin(self) -> str:
        """The house's public origin."""
        ...


class KeyHolder(Protocol):
    """A house, as far as its signing keys matter."""

    @property
    def home(self) -> Path:
        """Folder of the house."""
        ...

    @property
    def root(self) -> Root:
        """Root of the key hierarchy."""
        ...

    @property
    def settings(self) -> WithOrigin:
        """Settings of the house."""
        ...


def signing_keys(house: KeyHolder) -> SigningKeys:
    """Return the house's signing keys, made on first use and sealed under its root.

    A house that has published a log and has lost its keys gets no new ones: :class:`IntegrityBroken`.
    """
    folder = house.home / FOLDER
    try:
        return SigningKeys.load(folder, unseal=lambda sealed: house.root.unwrap(sealed, _SEALED_AS))
    except NotFound:
        if (house.home / LOGS).exists():
            raise IntegrityBroken(
                f"the signing keys in {folder} are lost, but logs were published under them",
                remedy="Restore the folder from the machine's own backup.",
                code="signing_keys_lost",
            ) from None
    host = urlsplit(house.settings.origin).hostname or "localhost"
    return SigningKeys.create(
        folder, host=host, seal=lambda secret: house.root.wrap(secret, _SEALED_AS)
    )


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
