"""Receipts that a client kept, held against the log: whether what was promised was also done (SPINE 29)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from holdfast.kit.clock import rfc3339
from holdfast.kit.errors import IntegrityBroken, InvalidInput, NotAuthenticated
from holdfast.spine.ledger.note import SignatureType
from holdfast.spine.ledger.receipts import check_receipt, read_named
from holdfast.spine.ledger.verify.reading import moment, read_document
from holdfast.spine.ledger.verify.report import Promise, ReceiptResult

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from holdfast.spine.ledger.note import VerifierKey
    from holdfast.spine.ledger.receipts import Checked
    from holdfast.spine.ledger.verify.report import Report


class Kept(NamedTuple):
    """A receipt file as it was read.

    ``about`` is what the saved answer says that it is about; ``checked`` is None when no key was given to authenticate
    the receipt with.
    """

    file: str
    id: str
    about: tuple[str, str] | None
    hash: bytes
    origin: str
    checked: Checked | None


def read_receipts(
    given: Sequence[tuple[str, bytes]], report: Report, keys: Sequence[VerifierKey]
) -> list[Kept]:
    """Read and authenticate receipts (name and content); what is wrong with one goes into the report.

    Raises :class:`InvalidInput` when keys were given, but none that receipts are signed with.
    """
    signers = [key for key in keys if key.type is SignatureType.ED25519]
    if given and keys and not signers:
        raise InvalidInput(
            "receipts are signed with the log's Ed25519 key; give that one", field="--key"
        )
    found = []
    for name, raw in given:
        try:
            found.append(_read(name, raw, signers))
        except IntegrityBroken as error:
            bad = "bad_signature" if error.code == "bad_signature" else "bad_receipt"
            report.broken(bad, f"receipt {name}: {error.message}")
        except NotAuthenticated:
            report.broken(
                "forged_receipt",
                f"receipt {name}: no key that was given signed it; it is forged, or of another log",
            )
    return found


def _read(name: str, raw: bytes, keys: Sequence[VerifierKey]) -> Kept:
    named = read_named(read_document(raw))
    checked = check_receipt(named.hash, named.receipt, keys) if keys else None
    return Kept(name, named.id, named.about, named.hash, named.receipt.origin, checked)


def check_receipts(
    report: Report,
    receipts: Sequence[Kept],
    places: Mapping[bytes, int],
    leaves: Mapping[str, tuple[int, dict[str, Any]]],
) -> None:
    """Hold each receipt against the log.

    ``places`` has the index of each hash that is in the log, ``leaves`` index and leaf of each id that was asked for.
    """
    for kept in receipts:
        wrong = _contradiction(kept, report.origin, places, leaves)
        if wrong:
            report.broken("bad_receipt", f"receipt {kept.file}: {wrong}")
            continue
        result = _judged(kept, places.get(kept.hash), report)
        report.receipts.append(result)
        if result.promise is Promise.BROKEN:
            report.promise_broken("broken_promise", f"receipt {kept.file}: {result.says}")


def _contradiction(
    kept: Kept,
    origin: str,
    places: Mapping[bytes, int],
    leaves: Mapping[str, tuple[int, dict[str, Any]]],
) -> str:
    if kept.origin != origin:
        return f"it is about the log {kept.origin}"
    index = places.get(kept.hash)
    if index is None:
        return ""
    stands, leaf = leaves.get(kept.id, (-1, {}))
    if stands != index:
        return f"the leaf with its hash stands at {index} and is not {kept.id}"
    # Else a house could put the receipt of one decision under the answer about another, which it never wrote down.
    if kept.about and leaf.get(kept.about[0]) != kept.about[1]:
        return f"the leaf at {index} is not about the {' '.join(kept.about)} that the answer names"
    return ""


def _judged(kept: Kept, index: int | None, report: Report) -> ReceiptResult:
    where = "" if index is None else f"in the log at {index}"
    if kept.checked is None:
        says = f"{where or 'not in the log'}; not authenticated: no key was given"
        return ReceiptResult(kept.file, kept.id, Promise.UNKNOWN, index, says)
    if index is not None:
        return ReceiptResult(kept.file, kept.id, Promise.KEPT, index, where)
    due = rfc3339(kept.checked.due_us)
    seen = max(moment(report.last_leaf) or 0, moment(report.signed_at) or 0)
    if seen <= kept.checked.due_us:
        says = f"promised for {due}; this log reaches only to {_text(seen)}: take a newer one"
        return ReceiptResult(kept.file, kept.id, Promise.NOT_YET_DUE, None, says)
    says = f"promised for {due} and not in the log, which reaches to {rfc3339(seen)}"
    return ReceiptResult(kept.file, kept.id, Promise.BROKEN, None, says)


def _text(at_us: int) -> str:
    return rfc3339(at_us) if at_us else "its beginning"
