"""Putting receipts on the answers of a turn, once its commit is durable: one signature for each log (SPINE 29)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec.structs

from holdfast.spine.ledger.checkpoint import from_base64
from holdfast.spine.ledger.receipts import receipts_for
from holdfast.spine.turn.answers import LeafPointer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.spine.house import House
    from holdfast.spine.ledger.note import NoteSigner
    from holdfast.spine.ledger.receipts import Receipt


class Receipts:
    """Signs for one house. The keys are read at once: a house that cannot sign must not serve."""

    def __init__(self, house: House) -> None:
        self._clock = house.clock
        self._keys = house.signing_keys
        self._signers: dict[str, NoteSigner] = {}

    def attach(self, results: list[Any]) -> list[Any]:
        """Return the results with a receipt in each that names a leaf and its log; others as they are."""
        by_log: dict[str, dict[str, None]] = {}
        for pointer in filter(None, map(_pointer, results)):
            by_log.setdefault(pointer.log, {})[pointer.hash] = None
        if not by_log:
            return results
        signed = {log: self._sign(log, hashes) for log, hashes in by_log.items()}
        return [_with_receipt(result, signed) for result in results]

    def _sign(self, log: str, hashes: Iterable[str]) -> dict[str, Receipt]:
        signer = self._signers.get(log)
        if signer is None:
            signer = self._signers[log] = self._keys.signers(log)[0]
        named = list(hashes)
        raw = [from_base64(text) or b"" for text in named]
        return dict(zip(named, receipts_for(raw, signer, self._clock.now_us()), strict=True))


def _pointer(result: Any) -> LeafPointer | None:
    leaf = getattr(result, "leaf", None)
    return leaf if isinstance(leaf, LeafPointer) and leaf.log and leaf.hash else None


def _with_receipt(result: Any, signed: dict[str, dict[str, Receipt]]) -> Any:
    leaf = _pointer(result)
    if leaf is None:
        return result
    receipt = signed[leaf.log][leaf.hash]
    return msgspec.structs.replace(result, leaf=msgspec.structs.replace(leaf, receipt=receipt))
