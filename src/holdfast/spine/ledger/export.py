"""The bundle that a client is given: its log as files, certificates, and a verifier that needs nothing else.

Written from the published files alone. Nothing in a bundle is secret to the client, and nothing in it needs to be
trusted: ``holdfast verify`` and the page ``verifier.html`` judge it with the key that stands in the client's contract.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from holdfast.kit.errors import Conflict, HoldfastError, NotFound
from holdfast.spine.ledger.checkpoint import parse_head
from holdfast.spine.ledger.entries import leaf_of
from holdfast.spine.ledger.note import parse_note
from holdfast.spine.ledger.page import verifier_page
from holdfast.spine.ledger.publish import CHECKPOINT, published
from holdfast.spine.ledger.tiles import ENTRIES, WIDTH, Tile, decode_bundle, tiles_of
from holdfast.spine.ledger.verify.bundle import BundleFiles
from holdfast.vocabulary.leaves import LeafType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

PAGE: Final = "verifier.html"
DECISIONS: Final = "decisions.ndjson"
CONTRACTS: Final = "contracts.ndjson"
#: What is listed of leaves of a type, to find them.
_SHOWN: Final = {
    DECISIONS: (LeafType.DECISION_MADE, ("id", "decision", "time", "op", "outcome")),
    CONTRACTS: (
        LeafType.CONTRACT_PUBLISHED,
        ("id", "time", "contract_version", "signed", "changes"),
    ),
}
_README: Final = """\
This is the log {origin}: {size} leaves. {contract}

To check it, take the log's key from your contract, not from this folder, and run

    holdfast verify . --key 'KEY'

or open verifier.html in a browser: it reads this folder on your own machine and sends nothing anywhere.

checkpoint        how long the log is, its root, and the house's signatures (C2SP tlog-checkpoint)
tile/             hashes and entries (C2SP tlog-tiles); each entry is one leaf, JSON
decisions.ndjson  where the decisions stand in the log, to find one; a convenience, not evidence
contracts.ndjson  where the versions of your contract stand in it, whether you signed each, and what it changed
certificates/     certificates of erasure, signed by the house
vkeys             the keys as the house states them; compare them with those in your contract

Keep a copy of the file checkpoint. Next time, `--since` shows that the log only grew.
"""


class Exported(NamedTuple):
    """What was written."""

    origin: str
    size: int
    files: int


def export_bundle(
    source: Path,
    out: Path,
    *,
    vkeys: Sequence[str],
    certificates: Mapping[str, bytes] | None = None,
) -> Exported:
    """Write the published log in ``source`` to ``out``.

    ``out`` is made; it may hold an earlier export of the same log, which is brought up to date. ``certificates`` are
    files by name. :class:`NotFound` when nothing is published, :class:`Conflict` when ``out`` holds something else.
    """
    note = published(source)
    if not note:
        raise NotFound(
            "this log is not published yet",
            remedy="Start `holdfast serve`, or try again in a second.",
            code="not_published",
        )
    head = parse_head(parse_note(note).text)
    _refuse_others(out, head.origin)
    files = BundleFiles(source)
    tiles = tuple(tiles_of(head.size))
    for tile in tiles:
        _write(out / tile.path, files.tile(tile))
    _drop_narrower(out, tiles)
    lists = _lists(files, tiles)
    for name, lines in lists.items():
        _write(
            out / name,
            b"".join(json.dumps(one, ensure_ascii=False).encode() + b"\n" for one in lines),
        )
    _write(out / "vkeys", "".join(f"{vkey}\n" for vkey in vkeys).encode())
    readme = _README.format(
        origin=head.origin, size=head.size, contract=_contract(lists[CONTRACTS])
    )
    _write(out / "README.txt", readme.encode())
    _write(out / PAGE, verifier_page())
    for name, content in (certificates or {}).items():
        _write(out / "certificates" / name, content)
    _write(out / CHECKPOINT, note)
    return Exported(head.origin, head.size, len(tiles) + 6 + len(certificates or {}))


def _refuse_others(out: Path, origin: str) -> None:
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    try:
        earlier = parse_head(parse_note(published(out)).text).origin
    except (HoldfastError, OSError):
        earlier = ""
    if earlier != origin:
        raise Conflict(
            f"{out} is not empty and holds no earlier export of this log",
            remedy="Name a new folder.",
            code="folder_not_empty",
        )


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _drop_narrower(out: Path, tiles: Iterable[Tile]) -> None:
    """Remove partial states that an earlier export left and this one does not have."""
    for tile in tiles:
        partials = (out / tile._replace(width=1).path).parent
        if partials.is_dir():
            for path in partials.iterdir():
                if tile.width == WIDTH or path.name != str(tile.width):
                    path.unlink()


def _lists(files: BundleFiles, tiles: Iterable[Tile]) -> dict[str, list[dict[str, Any]]]:
    """Find the leaves that are listed, each with its index."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in _SHOWN}
    marks = {f'"type":"{kind.value}"'.encode(): name for name, (kind, _) in _SHOWN.items()}
    for tile in tiles:
        if tile.level != ENTRIES:
            continue
        for at, entry in enumerate(decode_bundle(files.tile(tile))):
            for mark, name in marks.items():
                if mark in entry:
                    leaf = leaf_of(entry)
                    shown = {field: leaf.get(field) for field in _SHOWN[name][1]}
                    found[name].append({"index": tile.n * WIDTH + at, **shown})
    return found


def _contract(versions: Sequence[Mapping[str, Any]]) -> str:
    if not versions:
        return "No contract stands in it."
    newest = versions[-1]
    how = "signed by you" if newest["signed"] else "unsigned: you have not signed it"
    return f"Its newest contract is version {newest['contract_version']}, {how}."
