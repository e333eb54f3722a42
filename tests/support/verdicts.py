"""Bundles with the verdicts that they deserve: one list, judged by `holdfast verify` and by the page alike.

``python -m support.verdicts`` (in ``tests/``) writes them to :data:`FILE`. Keys, ids and times are fixed, so two runs
differ only where a signature draws randomness. Each case is a base, changes to its files, and what is expected of it:
the outcome, the codes of the findings, what became of each receipt, whether each certificate was accepted.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any, NamedTuple

from holdfast.kit.canonical import canonical_json
from holdfast.kit.clock import SECOND_US, rfc3339
from holdfast.kit.crypto.signing import Ed25519Key, MlDsa44Key
from holdfast.kit.secret import Secret
from holdfast.spine.ledger.checkpoint import Head, base64_text
from holdfast.spine.ledger.note import Ed25519Signer, MlDsa44Signer, sign_note
from holdfast.spine.ledger.receipts import receipts_for
from holdfast.spine.ledger.statements import sign_statement
from holdfast.spine.ledger.tiles import ENTRIES, WIDTH, Tile, encode_bundle, hashes_of
from holdfast.spine.ledger.tree import CompactRange, leaf_hash, subtree_root
from holdfast.vocabulary.leaves import SPECS, Leaf, LeafType
from support.stores import NOON_US

FILE = Path(__file__).parents[1] / "vectors" / "verifier.json"
LOG = "client-bank-01"
HOUSE = "house.example/00000001"
DASH = "\u2014".encode()
LATER_US = NOON_US + 60 * SECOND_US


def signers_of(log: str, house: str = HOUSE, seed: int = 1):
    name = f"{house}/{log}"
    raw = bytes((seed,)) * 32
    return [
        Ed25519Signer(name, Ed25519Key(Secret(raw))),
        MlDsa44Signer(name, MlDsa44Key(Secret(raw))),
    ]


HOUSES = signers_of(LOG)
OTHER_LOG = signers_of("client-shop-02", seed=2)
STRANGER = signers_of(LOG, seed=3)
KEYS = [signer.key.text for signer in HOUSES]
NAMED = {signer.key.text: signer.key.type.name for signer in HOUSES}  # how a case names them


def plain(number: int, at_us: int = NOON_US) -> bytes:
    body = {"decision": f"dec_{number:026d}", "person": "p_1"}
    return Leaf(LeafType.DECISION_READ, f"lf_{number}", at_us, body).entry()


def checkpoint(
    entries: list[bytes], signers=HOUSES, at_us: int = LATER_US, **changes: Any
) -> bytes:
    tree = CompactRange()
    for entry in entries:
        tree.append(leaf_hash(entry))
    head = Head(signers[0].key.name, len(entries), tree.root())._replace(**changes)
    return sign_note(head.text, signers, at_us)


def files_of(entries: list[bytes], signers=HOUSES, at_us: int = LATER_US) -> dict[str, bytes]:
    """A log's files as they are published."""
    files = {"checkpoint": checkpoint(entries, signers, at_us)}
    for n in range(0, len(entries), WIDTH):
        part = entries[n : n + WIDTH]
        files[Tile(ENTRIES, n // WIDTH, len(part)).path] = encode_bundle(part)
    level, row = 0, hashes_of(entries)
    while row:
        cut = [row[n : n + WIDTH] for n in range(0, len(row), WIDTH)]
        for n, part in enumerate(cut):
            files[Tile(level, n, len(part)).path] = b"".join(part)
        level, row = level + 1, [subtree_root(part) for part in cut if len(part) == WIDTH]
    return files


class Book:
    """Collects bases and cases."""

    def __init__(self) -> None:
        self.bases: dict[str, dict[str, Any]] = {}
        self.cases: list[dict[str, Any]] = []

    def base(self, name: str, files: dict[str, bytes]) -> str:
        self.bases[name] = {path: _text(raw) for path, raw in sorted(files.items())}
        return name

    def case(self, name: str, base: str, outcome: str, *codes: str, **more: Any) -> None:
        """``files`` are put in place of the base's (None removes); ``page`` is what the page alone says otherwise."""
        files = more.pop("files", {})
        expect = {"outcome": outcome, "codes": sorted(codes)}
        expect |= {key: more.pop(key) for key in ("receipts", "certificates") if key in more}
        since = more.pop("since", None)
        answers = more.pop("answers", {})
        page = more.pop("page", {})
        self.cases.append(
            {
                "name": name,
                "base": base,
                "files": {path: _text(raw) for path, raw in files.items()},
                "keys": [NAMED.get(key, key) for key in more.pop("keys", KEYS)],
                "since": _text(since),
                "answers": {file: _text(raw) for file, raw in answers.items()},
                "expect": expect,
                **({"page": {**expect, **page}} if page else {}),
            }
        )
        assert not more, more


class Many(NamedTuple):
    """A file that says the same thing many times."""

    raw: bytes
    times: int


def _text(raw: bytes | Many | None) -> Any:
    """As text where it is one, so that people can read the file; else as base64."""
    if isinstance(raw, Many):
        return {"base64": base64_text(raw.raw), "times": raw.times}
    if raw is None:
        return None
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return {"base64": base64_text(raw), "times": 1}


def document(value: Any) -> bytes:
    return json.dumps(value, indent=1).encode()


def flipped(raw: bytes, at: int) -> bytes:
    changed = bytearray(raw)
    changed[at] ^= 1
    return bytes(changed)


# ── whole logs, and what can be done to their files ──────────────────────────────────────────────────────────────


def logs(book: Book) -> None:
    entries = [plain(number) for number in range(6)]
    files = files_of(entries)
    small = book.base("small", files)
    note = files["checkpoint"]
    bundle, tile = "tile/entries/000.p/6", "tile/0/000.p/6"
    forged = [plain(0), plain(77), *entries[2:]]

    book.case("an honest log", small, "authentic")
    book.case("an honest log without a key", small, "not_authenticated", keys=[])
    book.case("an honest log and its Ed25519 key alone", small, "authentic", keys=KEYS[:1])
    book.case(
        "an honest log and its ML-DSA key alone: a browser cannot check it",
        small,
        "authentic",
        keys=KEYS[1:],
        page={"outcome": "not_authenticated"},
    )
    book.case("an empty log", book.base("empty", files_of([])), "authentic")
    book.case(
        "a mirror whose last files have grown since",
        small,
        "authentic",
        files={
            bundle: None,
            tile: None,
            **{
                path: raw
                for path, raw in files_of([*entries, plain(6), plain(7)]).items()
                if path != "checkpoint"
            },
        },
    )
    edited = encode_bundle([plain(77), *entries[1:]])
    book.case(
        "an edited leaf", small, "broken", "edited_leaf", "wrong_root", files={bundle: edited}
    )
    book.case(
        "an edited tile", small, "broken", "edited_leaf", files={tile: flipped(files[tile], 40)}
    )
    book.case(
        "an edited leaf and a tile that fits it",
        small,
        "broken",
        "wrong_root",
        files={bundle: encode_bundle(forged), tile: b"".join(hashes_of(forged))},
    )
    swapped = [entries[1], entries[0], *entries[2:]]
    book.case(
        "two leaves that changed places",
        small,
        "broken",
        "wrong_root",
        files={bundle: encode_bundle(swapped), tile: b"".join(hashes_of(swapped))},
    )
    book.case(
        "a leaf left out",
        small,
        "broken",
        "integrity_broken",
        files={bundle: encode_bundle(entries[1:])},
    )
    book.case(
        "a cut bundle", small, "broken", "integrity_broken", files={bundle: files[bundle][:-3]}
    )
    book.case("a bundle that is gone", small, "broken", "missing_file", files={bundle: None})
    book.case("a tile that is gone", small, "broken", "missing_file", files={tile: None})
    book.case(
        "a tile too short", small, "broken", "integrity_broken", files={tile: files[tile][:-1]}
    )
    book.case(
        "a tile too long", small, "broken", "too_long", files={tile: Many(b"\0", WIDTH * 32 + 1)}
    )
    book.case(
        "compressed entries",
        small,
        "broken",
        "integrity_broken",
        files={
            bundle: base64.b64decode("H4sIAAAAAAAC/wMAAAAAAAAAAAA="),
        },
    )

    large(book)
    checkpoints(book, entries, note)
    history(book, entries)


def checkpoints(book: Book, entries: list[bytes], note: bytes) -> None:
    parts = note.split(DASH)
    text, lines = parts[0], [DASH + part for part in parts[1:]]
    small = "small"

    def noted(name: str, raw: bytes, *codes: str, **more: Any) -> None:
        book.case(name, small, "broken", *codes, files={"checkpoint": raw}, **more)

    noted("no checkpoint but noise", b"noise", "malformed_note")
    noted("an empty checkpoint", b"", "malformed_note")
    noted("a checkpoint that is too long", Many(b"x", 1_000_001), "too_long")
    noted(
        "a checkpoint with a mark before it",
        b"\xef\xbb\xbf" + note,
        "bad_signature",
    )
    noted("a checkpoint with other line ends", note.replace(b"\n", b"\r\n"), "malformed_note")
    noted("a checkpoint that is not UTF-8", note.replace(b"house", b"hous\xff"), "malformed_note")
    noted("a checkpoint without signatures", text, "malformed_note")
    noted("a checkpoint with 101 signatures", text + lines[0] * 101, "malformed_note")
    noted(
        "a line put into a signed checkpoint",
        text[:-1] + b"extra\n\n" + b"".join(lines),
        "bad_signature",
    )
    noted("a renamed origin", note.replace(b"bank", b"bonk", 1), "bad_signature")
    noted("a size that starts with 0", note.replace(b"\n6\n", b"\n06\n"), "integrity_broken")
    noted("another size", note.replace(b"\n6\n", b"\n5\n"), "bad_signature", "wrong_root")
    noted(
        "a root in another spelling",
        text.replace(b"=\n", b"\n") + b"".join(lines),
        "integrity_broken",
    )
    noted("the Ed25519 line stripped", text + lines[1], "signature_missing")
    noted("the ML-DSA line stripped", text + lines[0], "signature_missing")
    book.case(
        "the ML-DSA line stripped, and only the other key is given",
        small,
        "authentic",
        files={"checkpoint": text + lines[0]},
        keys=KEYS[:1],
    )
    blob = base64.b64decode(lines[0].split(b" ")[2])
    bad_line = b" ".join((*lines[0].split(b" ")[:2], base64.b64encode(flipped(blob, 20)))) + b"\n"
    noted("a forged Ed25519 line", text + bad_line + lines[1], "bad_signature")
    noted(
        "a good and a forged line by one key",
        text + lines[0] + bad_line + lines[1],
        "bad_signature",
    )
    blob = base64.b64decode(lines[1].split(b" ")[2])
    forged_pq = b" ".join((*lines[1].split(b" ")[:2], base64.b64encode(flipped(blob, 90)))) + b"\n"
    noted(
        "a forged ML-DSA line: a browser cannot see it",
        text + lines[0] + forged_pq,
        "bad_signature",
        page={"outcome": "authentic", "codes": []},
    )
    noted(
        "signed by a stranger under the house's name",
        checkpoint(entries, STRANGER),
        "signature_missing",
    )
    noted(
        "another client's checkpoint",
        checkpoint(entries, OTHER_LOG),
        "signature_missing",
        "wrong_log",
    )
    book.case(
        "another client's whole log",
        book.base("other", files_of(entries, OTHER_LOG)),
        "broken",
        "signature_missing",
        "wrong_log",
    )
    noted("a size beyond all files", checkpoint(entries, size=2**62), "missing_file")
    noted("a size one too large", checkpoint(entries, size=7), "missing_file")
    noted(
        "an empty log with a root", checkpoint([], HOUSES[:1], root=bytes(32)), "integrity_broken"
    )
    extended = text[:-1] + b"extension line\n"
    signed = b"".join(signer.line(extended.decode(), LATER_US).text.encode() for signer in HOUSES)
    book.case(
        "a signed extension line",
        small,
        "authentic",
        files={"checkpoint": extended + b"\n" + signed},
    )
    book.case("a mistyped key", small, "bad_input", keys=[KEYS[0].replace("house", "hause")])
    book.case("half a key", small, "bad_input", keys=[KEYS[0][:-4]])
    book.case("no log at all", small, "bad_input", files={"checkpoint": None})


def large(book: Book) -> None:
    entries = [plain(number) for number in range(WIDTH + 2)]
    files = files_of(entries)
    base = book.base("large", files)
    book.case("a log of two bundles", base, "authentic")
    book.case(
        "an edited hash of the second level",
        base,
        "broken",
        "edited_tile",
        files={"tile/1/000.p/1": flipped(files["tile/1/000.p/1"], 3)},
    )
    book.case(
        "a full tile that is gone", base, "broken", "missing_file", files={"tile/0/000": None}
    )
    book.case(
        "a full bundle that is gone",
        base,
        "broken",
        "missing_file",
        files={"tile/entries/000": None},
    )
    book.case(
        "the second bundle in place of the first",
        base,
        "broken",
        "integrity_broken",
        files={"tile/entries/000": files["tile/entries/001.p/2"]},
    )


def history(book: Book, entries: list[bytes]) -> None:
    more = [*entries, plain(6), plain(7)]
    grown = book.base("grown", files_of(more))
    book.case("a log that only grew", grown, "authentic", since=checkpoint(entries))
    book.case("the same log again", grown, "authentic", since=checkpoint(more))
    book.case("after an empty one", grown, "authentic", since=checkpoint([]))
    book.case("rolled back", "small", "history_broken", "rolled_back", since=checkpoint(more))
    split = [*entries[:5], plain(99)]
    book.case(
        "two roots for one size", "small", "history_broken", "split_view", since=checkpoint(split)
    )
    book.case("another history", grown, "history_broken", "not_consistent", since=checkpoint(split))
    book.case(
        "an earlier checkpoint of another log",
        grown,
        "bad_input",
        since=checkpoint(entries, OTHER_LOG),
    )
    book.case(
        "an earlier checkpoint by a stranger",
        grown,
        "bad_input",
        since=checkpoint(entries, STRANGER),
    )
    book.case("an earlier checkpoint that is none", grown, "bad_input", since=b"noise")
    book.case(
        "rolled back, and edited",
        "small",
        "broken",
        "edited_leaf",
        since=checkpoint(more),
        files={"tile/0/000.p/6": bytes(6 * 32)},
    )


# ── leaves that a house should never have signed ────────────────────────────────────────────────────────────────


def leaves(book: Book) -> None:
    at = rfc3339(NOON_US)
    good = {
        "v": 1,
        "type": "decision.read",
        "id": "lf_x",
        "time": at,
        "decision": "d",
        "person": "p",
    }
    text = canonical_json(good)
    unknown = {
        "v": 1,
        "type": "moon.phase",
        "id": "lf_x",
        "time": at,
        "seen": ["\u20ac", "\U0001f511", 7],
    }
    deep = "[" * 40 + "]" * 40
    cases: dict[str, tuple[bytes, str]] = {
        "no JSON": (b"no json", "malformed_leaf"),
        "no bytes": (b"", "malformed_leaf"),
        "a list": (b"[]", "malformed_leaf"),
        "null": (b"null", "malformed_leaf"),
        "an object without names": (b"{}", "malformed_leaf"),
        "names out of order": (json.dumps(good, separators=(",", ":")).encode(), "malformed_leaf"),
        "white space": (text + b"\n", "malformed_leaf"),
        "a mark before it": (b"\xef\xbb\xbf" + text, "malformed_leaf"),
        "a name twice": (
            text.replace(b'{"decision"', b'{"decision":"d","decision"'),
            "malformed_leaf",
        ),
        "half a surrogate pair": (text.replace(b'"d"', b'"\\ud800"'), "malformed_leaf"),
        "an escape that need not be": (text.replace(b'"d"', b'"\\u0064"'), "malformed_leaf"),
        "a broken byte": (text.replace(b'"d"', b'"\xff"'), "malformed_leaf"),
        "a fraction": (text.replace(b'"v":1', b'"v":1.5'), "malformed_leaf"),
        "a version with a point": (text.replace(b'"v":1', b'"v":1.0'), "malformed_leaf"),
        "true for a version": (text.replace(b'"v":1', b'"v":true'), "malformed_leaf"),
        "not a number": (text.replace(b'"d"', b"NaN"), "malformed_leaf"),
        "a number beyond 2^53": (text.replace(b'"d"', b"9007199254740994"), "malformed_leaf"),
        "minus nothing": (text.replace(b'"d"', b"-0"), "malformed_leaf"),
        "a number for an id": (text.replace(b'"lf_x"', b"7"), "malformed_leaf"),
        "forty lists in each other": (text.replace(b'"d"', deep.encode()), "malformed_leaf"),
        "thousands of lists in each other": (
            text.replace(b'"d"', b"[" * 5_000 + b"]" * 5_000),
            "malformed_leaf",
        ),
        "no time": (canonical_json({**good, "time": "yesterday"}), "bad_time"),
        "a time without fractions": (
            canonical_json({**good, "time": "2026-11-23T12:00:00Z"}),
            "bad_time",
        ),
        "a thirteenth month": (
            canonical_json({**good, "time": at.replace("-11-", "-13-")}),
            "bad_time",
        ),
        "the thirtieth of February": (
            canonical_json({**good, "time": "2027-02-30T00:00:00.000000Z"}),
            "bad_time",
        ),
        "hour 24": (canonical_json({**good, "time": "2027-01-30T24:00:00.000000Z"}), "bad_time"),
        "the year nought": (canonical_json({**good, "time": f"0000{at[4:]}"}), "bad_time"),
        "an earlier time": (canonical_json({**good, "time": f"2020{at[4:]}"}), "time_went_back"),
        "a time sixteen seconds earlier": (
            canonical_json({**good, "time": rfc3339(NOON_US - 16 * SECOND_US)}),
            "time_went_back",
        ),
        "a field too many": (canonical_json({**good, "name": "x"}), "undeclared_fields"),
        "a field too few": (text.replace(b',"person":"p"', b""), "undeclared_fields"),
        "a field called __proto__": (
            text.replace(b'{"decision"', b'{"__proto__":1,"decision"'),
            "undeclared_fields",
        ),
    }
    for name, (entry, code) in cases.items():
        base = book.base(f"leaf: {name}", files_of([plain(0), entry], HOUSES[:1]))
        book.case(f"a leaf: {name}", base, "broken", code, keys=KEYS[:1])
    for name, entry in {
        "a kind that is not known": canonical_json(unknown),
        "a later version": canonical_json({**good, "v": 2, "name": "x"}),
        "a kind called __proto__": canonical_json({**good, "type": "__proto__"}),
        "one known well": text,
        "one committed late": canonical_json({**good, "time": rfc3339(NOON_US - 14 * SECOND_US)}),
    }.items():
        base = book.base(f"leaf: {name}", files_of([plain(0), entry], HOUSES[:1]))
        book.case(f"a leaf: {name}", base, "authentic", keys=KEYS[:1])


# ── certificates ────────────────────────────────────────────────────────────────────────────────────────────────


def certificates(book: Book) -> None:
    at, until = rfc3339(NOON_US), rfc3339(NOON_US + 3_600 * SECOND_US)

    def leaf(kind: LeafType, ident: str, **body: Any) -> bytes:
        return Leaf(kind, ident, NOON_US, body).entry()

    by = {"by": "p_1"}
    customer = {"customer": "c_1", "operation": "op_1"}
    entries = [
        leaf(LeafType.SHRED_REQUESTED, "lf_asked", **customer, **by),
        leaf(LeafType.SHRED_DONE, "lf_done", **customer, records=2, classes=["C2"], erased=at),
        *(
            _kept(f"lf_kept{n}", fields, until)
            for n, fields in enumerate((["name"], ["name", "phone"]))
        ),
        plain(1),
        *_client_erased(at),
    ]
    files = files_of(entries)
    base = book.base("erased", files)
    body: dict[str, Any] = {
        "type": "holdfast/shred-certificate/v1",
        "log": LOG,
        "customer": "c_1",
        "leaves": [{"id": "lf_asked"}, {"id": "lf_done", "index": 1}],
        "refused_at": at,
        "erased_at": at,
        "copies": "not determined",
    }
    held = {**body, "held": {"fields": 2, "until": until}}
    held["leaves"] = [*body["leaves"], {"id": "lf_kept0"}, {"id": "lf_kept1", "index": 3}]
    client = {
        **body,
        "type": "holdfast/client-shred-certificate/v1",
        "client": "bank-01",
        "leaves": [{"id": "lf_all"}, {"id": "lf_gone", "index": 6}],
    }
    del client["customer"]

    def signed(what: dict[str, Any], signer: Any = HOUSES[0]) -> bytes:
        return document(sign_statement(what, signer, LATER_US))

    def case(name: str, raw: bytes, outcome: str, *codes: str, **more: Any) -> None:
        file = more.pop("file", "certificates/c.json")
        book.case(f"a certificate: {name}", base, outcome, *codes, files={file: raw}, **more)

    for name, good in {
        "honest": body,
        "of one kept under a hold": held,
        "of a client": client,
        "of a client, with holds that ended": {**client, "held": {"ended": 3}},
    }.items():
        case(name, signed(good), "authentic", certificates=[True])
        case(
            f"{name}, without a key",
            signed(good),
            "not_authenticated",
            keys=[],
            certificates=[False],
        )
        case(
            f"{name}, by a stranger",
            signed(good, STRANGER[0]),
            "broken",
            "forged_certificate",
            certificates=[],
        )
    case("under another ending", b"noise", "authentic", file="certificates/c.txt", certificates=[])
    case(
        "deeper in a folder",
        b"noise",
        "authentic",
        file="certificates/more/c.json",
        certificates=[],
    )

    no = {"certificates": [False]}
    refused: dict[str, dict[str, Any]] = {
        "of another log": {**body, "log": "client-shop-02"},
        "of another customer": {**body, "customer": "c_2"},
        "with a leaf that is nowhere": {**body, "leaves": [*body["leaves"], {"id": "lf_no"}]},
        "with a leaf of another kind": {**body, "leaves": [*body["leaves"], {"id": "lf_1"}]},
        "with another place": {**body, "leaves": [{"id": "lf_done", "index": 0}]},
        "without the leaf that it is done": {**body, "leaves": [{"id": "lf_asked"}]},
        "with another time": {**body, "erased_at": until},
        "with a time in another form": {**body, "erased_at": at.replace("Z", "+00:00")},
        "with no time": {**body, "erased_at": "soon"},
        "silent about what was kept": {**held, "held": None},
        "that keeps what no leaf keeps": {**body, "held": held["held"]},
        "of fewer fields kept": {**held, "held": {"fields": 1, "until": until}},
        "kept until another time": {**held, "held": {"fields": 2, "until": at}},
        "of another client": {**client, "client": "shop-02"},
        "of a client, by leaves of a customer": {**client, "leaves": body["leaves"]},
        "of a customer, by leaves of the client": {**body, "leaves": client["leaves"]},
        "of a client, not done": {**client, "leaves": client["leaves"][:1]},
        "of a client, with another time": {**client, "erased_at": until},
    }
    refused["silent about what was kept"].pop("held")
    for name, wrong in refused.items():
        case(name, signed(wrong), "broken", "certificate_not_in_log", **no)
    malformed: dict[str, bytes | Many] = {
        "of no leaves": signed({**body, "leaves": []}),
        "of leaves that are a text": signed({**body, "leaves": "lf_done"}),
        "of a place that is true": signed({**body, "leaves": [{"id": "lf_done", "index": True}]}),
        "of another type": signed({**body, "type": "holdfast/other/v1"}),
        "of a type from the language": signed({**body, "type": "constructor"}),
        "without copies": signed({**body, "copies": None}),
        "with an empty hold": signed({**held, "held": {}}),
        "with a hold of no fields": signed({**held, "held": {"fields": 0, "until": until}}),
        "with true for a count": signed({**client, "held": {"ended": True}}),
        "changed after it was signed": signed(body).replace(b"not determined", b"all destroyed"),
        "without a signature": document(body),
        "with a number for a signature": document({**body, "signature": 7}),
        "with two signatures": document({**body, "signature": "\n".join([signature_of(body)] * 2)}),
        "with a name twice": signed(body).replace(b'"copies"', b'"copies": "none", "copies"'),
        "that nests deep": b'{"type":' + b"[" * 40 + b"]" * 40 + b"}",
        "that nests without end": Many(b"[", 100_000),
        "that is a list": b"[]",
        "that is nothing": b"",
        "that is not UTF-8": b"\xff",
    }
    for name, raw in malformed.items():
        case(name, raw, "broken", "bad_certificate", certificates=[])
    case("that is too long", Many(b" ", 1_000_001), "broken", "too_long", certificates=[])


def _kept(ident: str, fields: list[str], until: str) -> bytes:
    return fill(LeafType.HOLD_KEPT, ident, customer="c_1", fields=fields, until=until)


def _client_erased(at: str) -> list[bytes]:
    return [
        fill(LeafType.CLIENT_SHRED_REQUESTED, "lf_all", client="bank-01"),
        fill(LeafType.CLIENT_SHREDDED, "lf_gone", client="bank-01", erased=at),
    ]


def fill(kind: LeafType, ident: str, **body: Any) -> bytes:
    """A leaf with all fields that its type declares; those that matter here, and a text for the rest."""
    return Leaf(kind, ident, NOON_US, {**dict.fromkeys(SPECS[kind].fields, "x"), **body}).entry()


def signature_of(body: dict[str, Any]) -> str:
    return sign_statement(body, HOUSES[0], LATER_US)["signature"]


# ── receipts ────────────────────────────────────────────────────────────────────────────────────────────────────


def answers(promised: list[bytes], signer: Any, at_us: int = NOON_US) -> list[dict[str, Any]]:
    """What a caller got for leaves that were committed together."""
    receipts = receipts_for([leaf_hash(entry) for entry in promised], signer, at_us)
    found = []
    for entry, receipt in zip(promised, receipts, strict=True):
        leaf = json.loads(entry)
        made = {name: getattr(receipt, name) for name in receipt.__struct_fields__}
        pointer = {"log": signer.key.name.rpartition("/")[2], "id": leaf["id"]}
        pointer |= {
            "hash": base64_text(leaf_hash(entry)),
            "receipt": {**made, "path": list(receipt.path)},
        }
        found.append({"decision": leaf["decision"], "match": True, "leaf": pointer})
    return found


def receipts(book: Book) -> None:
    promised = [plain(number) for number in (11, 12, 13)]
    first, second, _ = answers(promised, HOUSES[0])
    before, after = [plain(1)], plain(2, NOON_US + 11 * SECOND_US)
    kept = book.base("kept", files_of([*before, *promised, after]))
    soon = book.base("soon", files_of([*before, plain(2, NOON_US + 10 * SECOND_US)], at_us=NOON_US))
    late = book.base("late", files_of([*before, promised[0], promised[2], after]))
    idle = book.base("idle", files_of(before))

    def case(name: str, base: str, answer: Any, outcome: str, *codes: str, **more: Any) -> None:
        raw = answer if isinstance(answer, bytes | Many) else document(answer)
        book.case(f"a receipt: {name}", base, outcome, *codes, answers={"a.json": raw}, **more)

    case("kept", kept, first, "authentic", receipts=["kept"])
    case("kept, of the leaf alone", kept, second["leaf"], "authentic", receipts=["kept"])
    case("without a key", kept, first, "not_authenticated", keys=[], receipts=["unknown"])
    case(
        "without a key, of a leaf that is nowhere",
        late,
        second,
        "not_authenticated",
        keys=[],
        receipts=["unknown"],
    )
    case("with the ML-DSA key alone", kept, first, "bad_input", keys=KEYS[1:])
    case("not due", soon, second, "authentic", receipts=["not_yet_due"])
    case("broken", late, second, "promise_broken", "broken_promise", receipts=["broken"])
    case(
        "broken, with one key",
        late,
        second,
        "promise_broken",
        "broken_promise",
        keys=KEYS[:1],
        receipts=["broken"],
    )
    case(
        "broken by an idle log: only the ML-DSA signature says how late it is",
        idle,
        second,
        "promise_broken",
        "broken_promise",
        receipts=["broken"],
        page={"outcome": "authentic", "codes": [], "receipts": ["not_yet_due"]},
    )
    case(
        "broken, in a log that was rolled back",
        late,
        second,
        "history_broken",
        "broken_promise",
        "rolled_back",
        receipts=["broken"],
        since=checkpoint([plain(n) for n in range(9)]),
    )

    def with_leaf(answer: dict[str, Any], **changes: Any) -> dict[str, Any]:
        return {**answer, "leaf": {**answer["leaf"], **changes}}

    def with_receipt(answer: dict[str, Any], **changes: Any) -> dict[str, Any]:
        return with_leaf(answer, receipt={**answer["leaf"]["receipt"], **changes})

    other = answers(promised, OTHER_LOG[0])[0]
    invented = base64_text(leaf_hash(plain(77)))
    refused: dict[str, tuple[Any, str]] = {
        "with another time": (
            with_receipt(first, time=rfc3339(NOON_US - SECOND_US)),
            "bad_signature",
        ),
        "with another term": (with_receipt(first, within_s=3_600), "bad_signature"),
        "with another size": (with_receipt(first, size=4), "bad_signature"),
        "with another root": (with_receipt(first, root=invented), "bad_signature"),
        "with another place": (with_receipt(first, index=1), "bad_receipt"),
        "with a place beyond": (with_receipt(first, index=-1), "bad_receipt"),
        "with a neighbour's path": (
            with_receipt(first, path=second["leaf"]["receipt"]["path"]),
            "bad_receipt",
        ),
        "with a path without end": (with_receipt(first, path=[invented] * 64), "bad_receipt"),
        "with a path of noise": (with_receipt(first, path=["?"]), "bad_receipt"),
        "for an invented leaf": (with_leaf(first, hash=invented), "bad_receipt"),
        "for a hash that is none": (with_leaf(first, hash="AAAA"), "bad_receipt"),
        "under a neighbour's name": (with_leaf(first, id=second["leaf"]["id"]), "bad_receipt"),
        "under an answer about another decision": (
            {**first, "decision": second["decision"]},
            "bad_receipt",
        ),
        "under an answer about an approval": ({**first, "approval": "ap_1"}, "bad_receipt"),
        "that names another log": (with_leaf(first, log="client-shop-02"), "bad_receipt"),
        "of another log": (other, "forged_receipt"),
        "by a stranger": (answers(promised, STRANGER[0])[0], "forged_receipt"),
        "signed for another log": (
            with_receipt(first, origin=OTHER_LOG[0].key.name),
            "bad_receipt",
        ),
        "of an hour, and signed": (resigned(first, within_s=3_600), "bad_receipt"),
        "of no proper time, and signed": (resigned(first, time="soon"), "bad_receipt"),
        "at the end of time, and signed": (
            resigned(first, time="9999-12-31T23:59:59.000000Z"),
            "bad_receipt",
        ),
        "as another statement": (
            resigned(first, type="holdfast/shred-certificate/v1"),
            "bad_signature",
        ),
        "with a name twice": (
            document(first).replace(b'"time"', b'"time": "now", "time"'),
            "bad_receipt",
        ),
        "without a path": (without(first, "path"), "bad_receipt"),
        "with a text for a number": (with_receipt(first, size="3"), "bad_receipt"),
        "with true for a number": (with_receipt(first, index=True), "bad_receipt"),
        "that nests without end": (Many(b"[", 100_000), "bad_receipt"),
        "that is an answer without one": ({"decision": "dec_1"}, "bad_receipt"),
        "whose leaf is null": ({"decision": "dec_1", "leaf": None}, "bad_receipt"),
        "that is a list": ([first], "bad_receipt"),
        "that is nothing": (b"", "bad_receipt"),
    }
    for name, (answer, code) in refused.items():
        case(name, kept, answer, "broken", code, receipts=[])


def resigned(answer: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """An answer whose receipt the house's own key signed, and should not have."""
    receipt = answer["leaf"]["receipt"]
    body = {name: receipt[name] for name in ("root", "size", "time", "within_s")}
    body |= {"type": "holdfast/receipt/v1", "log": receipt["origin"], **changes}
    made = {**receipt, **changes, "signature": signature_of(body)}
    return {**answer, "leaf": {**answer["leaf"], "receipt": made}}


def without(answer: dict[str, Any], name: str) -> dict[str, Any]:
    receipt = {key: value for key, value in answer["leaf"]["receipt"].items() if key != name}
    return {**answer, "leaf": {**answer["leaf"], "receipt": receipt}}


def made() -> dict[str, Any]:
    """All bases and cases, as they stand in the file."""
    book = Book()
    logs(book)
    leaves(book)
    certificates(book)
    receipts(book)
    names = [case["name"] for case in book.cases]
    assert len(names) == len(set(names))
    keys = {name: text for text, name in NAMED.items()}
    return {"keys": keys, "bases": book.bases, "cases": book.cases}


def content(text: Any) -> bytes:
    """A file of the book as bytes."""
    if isinstance(text, str):
        return text.encode()
    return base64.b64decode(text["base64"]) * int(text["times"])


def lay_out(book: dict[str, Any], case: dict[str, Any], folder: Path) -> None:
    """Write the bundle of a case, as a client unpacks it."""
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in {**book["bases"][case["base"]], **case["files"]}.items():
        if text is not None:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content(text))


if __name__ == "__main__":
    FILE.write_text(json.dumps(made(), indent=1, ensure_ascii=False) + "\n")
