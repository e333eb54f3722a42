"""Receipts: what is promised about a leaf at the moment of its commit (SPINE 29).

The leaves that one commit group answers are the leaves of a small RFC 6962 tree, one tree for each log. Its root is
signed once, after the commit, as a statement of the house (:mod:`~holdfast.spine.ledger.statements`): no receipt can
be taken for a checkpoint, nor for a certificate, and the key that checks it is the log's Ed25519 key that the client
already has. A receipt says: an entry with this hash was committed, and will stand in the log within ten seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from holdfast.kit.clock import SECOND_US, parse_rfc3339, rfc3339
from holdfast.kit.errors import IntegrityBroken
from holdfast.spine.ledger.checkpoint import base64_text, from_base64
from holdfast.spine.ledger.names import log_of
from holdfast.spine.ledger.statements import SIGNATURE, sign_statement, verify_statement
from holdfast.spine.ledger.tree import HASH_BYTES, inclusion_holds, root_and_paths

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from holdfast.spine.ledger.note import NoteSigner, VerifierKey

RECEIPT: Final = "holdfast/receipt/v1"
WITHIN_S: Final = 10
_MOST_STEPS: Final = 63


class Receipt(msgspec.Struct, frozen=True):
    """The promise about one leaf. Hashes are base64, ``time`` is RFC 3339, ``origin`` names the log in the world."""

    origin: str
    time: str
    within_s: int  # seconds after ``time`` by which the leaf stands in the log
    index: int  # of the leaf in the tree of its commit group, not in the log
    size: int
    root: str
    path: tuple[str, ...]
    signature: str


def receipts_for(hashes: Sequence[bytes], signer: NoteSigner, at_us: int) -> tuple[Receipt, ...]:
    """Sign for the leaves of one commit group in one log, committed by ``at_us``; at least one."""
    root, paths = root_and_paths(hashes)
    origin, time = signer.key.name, rfc3339(at_us)
    signed = sign_statement(_body(origin, time, len(hashes), base64_text(root)), signer, at_us)
    return tuple(
        Receipt(
            origin=origin,
            time=time,
            within_s=WITHIN_S,
            index=index,
            size=len(hashes),
            root=signed["root"],
            path=tuple(map(base64_text, path)),
            signature=signed[SIGNATURE],
        )
        for index, path in enumerate(paths)
    )


def _body(origin: str, time: str, size: int, root: str) -> dict[str, Any]:
    return {
        "type": RECEIPT,
        "log": origin,
        "root": root,
        "size": size,
        "time": time,
        "within_s": WITHIN_S,
    }


class Checked(NamedTuple):
    """A genuine receipt: the entry with this hash has to stand in the log of ``origin`` by ``due_us``."""

    origin: str
    hash: bytes
    at_us: int
    due_us: int


def check_receipt(leaf_hash: bytes, receipt: Receipt, keys: Iterable[VerifierKey]) -> Checked:
    """Verify a receipt for a leaf.

    Raises :class:`NotAuthenticated` when none of ``keys`` signed it, and :class:`IntegrityBroken` when it is malformed,
    its signature is bad, it is signed for another log, or the path does not lead from the leaf to what was signed.
    """
    body = _body(receipt.origin, receipt.time, receipt.size, receipt.root)
    body |= {"within_s": receipt.within_s, SIGNATURE: receipt.signature}
    _, key = verify_statement(body, keys)
    if key.name != receipt.origin:
        raise IntegrityBroken("the key of another log signed it", code="bad_receipt")
    if receipt.within_s != WITHIN_S:
        raise IntegrityBroken(f"it promises no leaf within {WITHIN_S} s", code="bad_receipt")
    root, path = from_base64(receipt.root), [from_base64(step) for step in receipt.path]
    if root is None or any(step is None for step in path) or len(path) > _MOST_STEPS:
        raise IntegrityBroken("its hashes are not base64", code="bad_receipt")
    steps = [step for step in path if step is not None]
    if not inclusion_holds(leaf_hash, receipt.index, receipt.size, steps, root=root):
        raise IntegrityBroken(
            "its path does not lead from the leaf to what was signed", code="bad_receipt"
        )
    at_us = _promised_us(receipt.time)
    return Checked(receipt.origin, leaf_hash, at_us, at_us + WITHIN_S * SECOND_US)


def _promised_us(time: str) -> int:
    try:
        at_us = parse_rfc3339(time)
        if rfc3339(at_us) == time and rfc3339(at_us + WITHIN_S * SECOND_US):
            return at_us
    except (ValueError, OverflowError):
        pass
    raise IntegrityBroken("it has no proper time", code="bad_receipt")


class Named(NamedTuple):
    """What a saved answer says about its leaf.

    ``about`` is what the answer says that it is about, as the leaf has to say it too: name and value of one field, or
    None where the answer names none or the leaf alone was saved.
    """

    id: str
    about: tuple[str, str] | None
    hash: bytes
    receipt: Receipt


def read_named(document: Mapping[str, Any]) -> Named:
    """Find the receipt in a saved answer, or in its ``leaf``; :class:`IntegrityBroken` when there is none."""
    leaf = document.get("leaf", document)
    if not isinstance(leaf, dict) or not isinstance(leaf.get("receipt"), dict):
        raise IntegrityBroken(
            "it holds no receipt: save the answer, or its member `leaf`", code="bad_receipt"
        )
    receipt = _receipt(leaf["receipt"])
    if leaf.get("log", log_of(receipt.origin)) != log_of(receipt.origin):
        raise IntegrityBroken("it names one log and is signed for another", code="bad_receipt")
    # The preview of an approval names the decision that asked for it; its own leaf names the approval.
    name = next((name for name in ("approval", "decision") if name in document), None)
    about = (name, _text(document, name)) if name else None
    return Named(_text(leaf, "id"), about, _hash(leaf), receipt)


def _text(leaf: Mapping[str, Any], name: str) -> str:
    value = leaf.get(name)
    if not isinstance(value, str):
        raise IntegrityBroken(f"its member `{name}` is missing", code="bad_receipt")
    return value


def _hash(leaf: Mapping[str, Any]) -> bytes:
    raw = from_base64(_text(leaf, "hash"))
    if raw is None or len(raw) != HASH_BYTES:
        raise IntegrityBroken("its member `hash` is no hash", code="bad_receipt")
    return raw


def _receipt(document: dict[str, Any]) -> Receipt:
    try:
        return msgspec.convert(document, Receipt)
    except msgspec.ValidationError as error:
        raise IntegrityBroken(
            f"it is not in the form of a receipt: {error}", code="bad_receipt"
        ) from None
