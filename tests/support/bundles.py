"""Bundles for the verifier's tests: exported from a real house, and judged as a client judges them."""

from __future__ import annotations

import shutil
from pathlib import Path

from holdfast.spine.ledger.checkpoint import Head
from holdfast.spine.ledger.export import export_bundle
from holdfast.spine.ledger.note import parse_vkey, sign_note
from holdfast.spine.ledger.tiles import ENTRIES, encode_bundle, tiles_of
from holdfast.spine.ledger.tree import CompactRange, leaf_hash
from holdfast.spine.ledger.verify import Given, Report, verify_bundle
from holdfast.spine.ledger.verify.history import UserMemory
from support.ledger import BANK, LedgerHouse
from support.stores import NOON_US


class Client:
    """A client: its keys from the contract, its own memory, and a desk for bundles."""

    def __init__(self, house: LedgerHouse, desk: Path, log: str = BANK) -> None:
        self.house = house
        self.log = log
        self.desk = desk
        self.keys = tuple(parse_vkey(vkey) for vkey in house.vkeys(log))
        self._bundles = 0

    def export(self, certificates: dict[str, bytes] | None = None) -> Path:
        """What the house hands over now."""
        self._bundles += 1
        out = self.desk / f"bundle-{self._bundles}"
        vkeys = self.house.vkeys(self.log)
        export_bundle(self.house.folder(self.log), out, vkeys=vkeys, certificates=certificates)
        return out

    def copy(self, bundle: Path) -> Path:
        """A bundle that may be tampered with."""
        self._bundles += 1
        return Path(shutil.copytree(bundle, self.desk / f"bundle-{self._bundles}"))

    def verify(self, bundle: Path, *, keys=None, since: bytes | None = None) -> Report:
        memory = UserMemory(self.desk / "state")
        chosen = self.keys if keys is None else tuple(keys)
        return verify_bundle(bundle, Given(memory, NOON_US, chosen, since))

    def forget(self) -> None:
        """Another machine, or another person: nothing was seen before."""
        shutil.rmtree(self.desk / "state", ignore_errors=True)


def codes(report: Report) -> set[str]:
    return {finding.code for finding in report.findings}


def forged_log(folder, origin, signers, entries, *, at_us=0):
    """A complete, well-formed log over ``entries``: what a house could publish if it wanted to lie."""
    folder.mkdir(parents=True)
    tree = CompactRange()
    for entry in entries:
        tree.append(leaf_hash(entry))
    for tile in tiles_of(len(entries)):
        path = folder / tile.path
        path.parent.mkdir(parents=True, exist_ok=True)
        part = entries[tile.n * 256 : tile.n * 256 + tile.width]
        hashes = b"".join(map(leaf_hash, part))
        path.write_bytes(encode_bundle(part) if tile.level == ENTRIES else hashes)
    text = Head(origin, len(entries), tree.root()).text
    (folder / "checkpoint").write_bytes(sign_note(text, signers, at_us))
    return folder
