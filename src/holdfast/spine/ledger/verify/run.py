"""One verification, from the files to the verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.kit.clock import rfc3339
from holdfast.kit.errors import IntegrityBroken, InvalidInput, NotAuthenticated
from holdfast.spine.ledger.checkpoint import Head, base64_text, parse_head
from holdfast.spine.ledger.note import SignatureType, open_note, parse_note
from holdfast.spine.ledger.verify.bundle import BundleFiles
from holdfast.spine.ledger.verify.certificates import check_certificates, read_certificates
from holdfast.spine.ledger.verify.history import compare
from holdfast.spine.ledger.verify.leaves import LeafReader
from holdfast.spine.ledger.verify.receipts import Kept, check_receipts, read_receipts
from holdfast.spine.ledger.verify.replay import Replay
from holdfast.spine.ledger.verify.report import Outcome, Report

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from holdfast.spine.ledger.note import VerifierKey
    from holdfast.spine.ledger.verify.history import Seen, UserMemory


@dataclass(frozen=True, slots=True)
class Given:
    """What the user brings: keys, an earlier checkpoint, a memory, the time, and receipts (name and content)."""

    memory: UserMemory
    now_us: int
    keys: Sequence[VerifierKey] = ()
    since: bytes | None = None
    receipts: Sequence[tuple[str, bytes]] = ()


def verify_bundle(folder: Path, given: Given) -> Report:
    """Verify the bundle in ``folder`` and remember its head when it is authentic.

    Raises :class:`InvalidInput` when the folder holds no log or ``since`` is of another log or not signed by the keys,
    and :class:`Unavailable` when the user's memory cannot be read. Whatever is wrong with the bundle is in the report.
    """
    files = BundleFiles(folder)
    report = Report(str(folder), with_key=bool(given.keys))
    try:
        head = _head(files.checkpoint(), given.keys, report)
    except IntegrityBroken as error:
        report.broken(error.code, error.message)
        return report
    report.origin, report.size, report.root = head.origin, head.size, base64_text(head.root)
    seen = given.memory.last(head.origin)
    since = _since(given, head)
    kept = read_receipts(given.receipts, report, given.keys)
    wanted = [receipt.hash for receipt in kept]
    replay = Replay(files, head.size, report, _sizes(seen, since), wanted=wanted)
    _replay(files, head, report, given.keys, replay=replay, receipts=kept)
    if report.whole:
        _judge_history(report, head, replay.roots, seen=seen, since=since)
    if report.outcome is Outcome.AUTHENTIC:
        _remember(given, head, report)
    return report


def _sizes(seen: Seen | None, since: Head | None) -> list[int]:
    return ([seen.head.size] if seen else []) + ([since.size] if since else [])


def _head(raw: bytes, keys: Sequence[VerifierKey], report: Report) -> Head:
    """The checkpoint's head, with what is wrong about its signatures in the report."""
    note = parse_note(raw)
    head = parse_head(note.text)
    if not keys:
        return head
    try:
        opened = open_note(raw, keys)
        report.signed_by = [f"{key.label} ({key.type.name})" for key in opened.by]
        absent = [key for key in keys if key not in opened.by]
    except NotAuthenticated:
        absent = list(keys)
    except IntegrityBroken as error:
        report.broken(error.code, error.message)
        return head
    for key in absent:
        report.broken(
            "signature_missing",
            f"the checkpoint does not carry the signature by {key.label} ({key.type.name})",
        )
    if all(key.name != head.origin for key in keys):
        report.broken("wrong_log", f"no given key belongs to this log, {head.origin}")
    for line in note.lines:
        for key in keys:
            if key.type is SignatureType.ML_DSA_44 and (line.name, line.key_id) == (
                key.name,
                key.id,
            ):
                report.signed_at = _time_text(line.signature)
    return head


def _time_text(signature: bytes) -> str:
    try:
        return rfc3339(int.from_bytes(signature[:8], "big") * 1_000_000)
    except (ValueError, OverflowError, OSError):
        return ""


def _since(given: Given, head: Head) -> Head | None:
    if given.since is None:
        return None
    try:
        note = parse_note(given.since)
        earlier = parse_head(note.text)
        if given.keys:
            open_note(given.since, given.keys)
    except (IntegrityBroken, NotAuthenticated) as error:
        raise InvalidInput(
            f"the earlier checkpoint does not verify: {error.message}", field="--since"
        ) from None
    if earlier.origin != head.origin:
        raise InvalidInput(
            f"the earlier checkpoint is of another log, {earlier.origin}", field="--since"
        )
    return earlier


def _replay(
    files: BundleFiles,
    head: Head,
    report: Report,
    keys: Sequence[VerifierKey],
    *,
    replay: Replay,
    receipts: Sequence[Kept],
) -> None:
    try:
        certificates = read_certificates(files, report, keys)
    except IntegrityBroken as error:
        report.broken(error.code, error.message)
        certificates = []
    named = [leaf for each in certificates for leaf in each.leaf_ids]
    leaves = LeafReader(report, named + [receipt.id for receipt in receipts])
    complete = replay.run(leaves.read)
    leaves.finish()
    if complete:
        if replay.roots[head.size] != head.root:
            report.broken(
                "wrong_root", "the entries do not give the root that the checkpoint names"
            )
        check_certificates(report, certificates, leaves.found)
        check_receipts(report, receipts, replay.places, leaves.found)


def _judge_history(
    report: Report,
    head: Head,
    roots: Mapping[int, bytes],
    *,
    seen: Seen | None,
    since: Head | None,
) -> None:
    continues = True
    if since is not None:
        continues = compare(
            report, head, roots, earlier=since, when="at the checkpoint given with --since"
        )
        report.history = f"continues the {since.size} leaves of the checkpoint given with --since"
    if seen is not None:
        continues &= compare(
            report, head, roots, earlier=seen.head, when=f"when it was verified on {seen.at}"
        )
        report.history = f"continues the {seen.head.size} leaves that were verified on {seen.at}"
    if seen is None and since is None:
        report.history = "first sight: nothing earlier is known of this log on this machine"
    if not continues:
        report.history = "does not continue what was seen before"


def _remember(given: Given, head: Head, report: Report) -> None:
    try:
        given.memory.remember(head, given.now_us)
    except OSError as error:
        report.notes.append(
            f"this verification could not be remembered ({error.strerror});"
            " the next one cannot show a rollback behind it"
        )
