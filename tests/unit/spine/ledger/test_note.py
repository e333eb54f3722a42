"""Notes are those of C2SP signed-note: the published one verifies, and no mangled one does."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.kit.crypto.signing import Ed25519Key, MlDsa44Key
from holdfast.kit.errors import IntegrityBroken, InvalidInput, NotAuthenticated
from holdfast.kit.secret import Secret
from holdfast.spine.ledger.checkpoint import Head, parse_head
from holdfast.spine.ledger.note import (
    Ed25519Signer,
    MlDsa44Signer,
    Note,
    SignatureLine,
    SignatureType,
    cosigned_message,
    open_checkpoint,
    open_note,
    parse_note,
    parse_vkey,
    sign_note,
)
from holdfast.spine.ledger.tree import EMPTY_ROOT, leaf_hash

# The key and the note that golang.org/x/mod/sumdb/note publishes with its tests.
VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
LINE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXg"
    "KvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
NOTE = (TEXT + "\n" + LINE).encode()
ORIGIN = "house.example/1a2b3c4d/client-bank-01"
HEAD = Head(ORIGIN, 3, leaf_hash(b"root"))
ED25519 = Ed25519Signer(ORIGIN, Ed25519Key(Secret(b"\x01" * 32)))
ML_DSA = MlDsa44Signer(ORIGIN, MlDsa44Key(Secret(b"\x02" * 32)))
NOW_US = 1_795_435_200_000_000


def test_the_published_note_verifies_and_is_written_anew_byte_for_byte():
    key = parse_vkey(VKEY)
    assert open_note(NOTE, [key]).text == TEXT
    signer = Ed25519Signer("PeterNeumann", Ed25519Key(Secret(SEED)))
    assert signer.key == key
    assert signer.key.text == VKEY
    assert sign_note(TEXT, [signer], NOW_US) == NOTE


def test_no_part_of_a_verifier_key_is_one():
    for start in range(len(VKEY) + 1):
        for end in range(start + 1, len(VKEY) + 1):
            if (start, end) != (0, len(VKEY)):
                with pytest.raises(InvalidInput):
                    parse_vkey(VKEY[start:end])


def test_no_mistyped_verifier_key_is_one():
    for at, letter in enumerate(VKEY):
        with pytest.raises(InvalidInput):
            parse_vkey(VKEY[:at] + chr(ord(letter) + 1) + VKEY[at + 1 :])


@pytest.mark.parametrize(
    "vkey",
    [
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "",
    ],
    ids=["longer", "unknown algorithm", "space in the name", "no name", "nothing"],
)
def test_a_malformed_verifier_key_is_refused(vkey):
    with pytest.raises(InvalidInput):
        parse_vkey(vkey)


@pytest.mark.parametrize(
    "note",
    [
        TEXT,
        TEXT + "\n",
        TEXT.rstrip("\n") + "\n" + LINE,
        TEXT + "\n" + LINE.rstrip("\n"),
        TEXT + "\n" + LINE + "\n",
        TEXT + "\n" + LINE.replace("— ", "- "),
        TEXT + "\n" + LINE.replace("— ", "—  "),
        TEXT + "\n" + LINE.replace("PeterNeumann", "Peter+Neumann"),
        TEXT + "\n" + LINE.replace("PeterNeumann", "Peter\u2003Neumann"),
        TEXT + "\n" + LINE.replace("nAM=", "nAM"),
        TEXT + "\n" + LINE.replace("nAM=", "nAN="),
        TEXT + "\n— PeterNeumann x08gow==\n",
        TEXT + "\n" + LINE * 101,
        TEXT.replace("think", "think\t") + "\n" + LINE,
        TEXT.replace("think", "think\r") + "\n" + LINE,
        TEXT + "\n" + LINE + "x" * 1_000_000,
        "",
    ],
)
def test_a_malformed_note_is_refused(note):
    with pytest.raises(IntegrityBroken):
        open_note(note.encode(), [parse_vkey(VKEY)])


def test_a_note_that_is_not_utf8_is_refused():
    with pytest.raises(IntegrityBroken):
        parse_note(NOTE.replace(b"think", b"\xff"))


def test_text_may_hold_empty_lines_and_signatures_begin_after_the_last():
    text = "one\n\ntwo\n"
    note = sign_note(text, [ED25519], NOW_US)
    assert open_note(note, [ED25519.key]).text == text


def test_a_text_that_no_note_can_hold_is_not_signed():
    for text in ("no newline", "tab\tin it\n"):
        with pytest.raises(ValueError, match="note's text"):
            sign_note(text, [ED25519], NOW_US)


def test_a_bad_signature_by_a_known_key_spoils_the_note_though_another_is_good():
    key = parse_vkey(VKEY)
    good = Ed25519Signer("other", Ed25519Key(Secret(b"\x07" * 32)))
    note = parse_note(sign_note(TEXT, [good], NOW_US))
    forged = SignatureLine("PeterNeumann", key.id, bytes(64))
    both = Note(TEXT, (*note.lines, forged)).encode()
    with pytest.raises(IntegrityBroken, match="is bad"):
        open_note(both, [key, good.key])
    assert open_note(both, [good.key]).by == (good.key,)


def test_an_unknown_key_is_ignored_and_alone_it_authenticates_nothing():
    stranger = Ed25519Signer("stranger", Ed25519Key(Secret(b"\x08" * 32)))
    with pytest.raises(NotAuthenticated):
        open_note(NOTE, [stranger.key])
    with pytest.raises(NotAuthenticated):
        open_note(NOTE, [])


def test_the_same_name_with_another_key_is_another_signer():
    other = Ed25519Signer("PeterNeumann", Ed25519Key(Secret(b"\x09" * 32)))
    with pytest.raises(NotAuthenticated):
        open_note(NOTE, [other.key])


def test_a_checkpoint_carries_both_signatures_and_each_verifies_alone():
    note = sign_note(HEAD.text, [ED25519, ML_DSA], NOW_US)
    for keys in ([ED25519.key], [ML_DSA.key], [ED25519.key, ML_DSA.key]):
        head, opened = open_checkpoint(note, keys)
        assert head == HEAD
        assert list(opened.by) == keys
    assert parse_vkey(ML_DSA.key.text) == ML_DSA.key
    assert ML_DSA.key.type is SignatureType.ML_DSA_44


def test_the_cosigned_message_has_the_specified_bytes():
    message = cosigned_message("w", 0x0102, Head("o", 0x0A0B, b"\xcc" * 32))
    assert message == (
        b"subtree/v1\n\x00"
        b"\x01w"
        b"\x00\x00\x00\x00\x00\x00\x01\x02"
        b"\x01o" + b"\x00" * 8 + b"\x00\x00\x00\x00\x00\x00\x0a\x0b" + b"\xcc" * 32
    )


@pytest.mark.parametrize(
    "changed",
    [HEAD._replace(size=4), HEAD._replace(root=EMPTY_ROOT), HEAD._replace(origin="other")],
)
def test_a_signature_for_one_head_is_none_for_another(changed):
    for signer in (ED25519, ML_DSA):
        line = signer.line(HEAD.text, NOW_US)
        moved = Note(changed.text, (line,)).encode()
        with pytest.raises(IntegrityBroken):
            open_note(moved, [signer.key])


def test_the_time_in_an_ml_dsa_line_is_signed():
    line = ML_DSA.line(HEAD.text, NOW_US)
    assert int.from_bytes(line.signature[:8], "big") == NOW_US // 1_000_000
    later = (int.from_bytes(line.signature[:8], "big") + 1).to_bytes(8, "big")
    for prefix in (later, b"\xff" * 8):
        moved = line._replace(signature=prefix + line.signature[8:])
        with pytest.raises(IntegrityBroken):
            open_note(Note(HEAD.text, (moved,)).encode(), [ML_DSA.key])


def test_an_ml_dsa_line_stands_under_checkpoints_only():
    with pytest.raises(IntegrityBroken):
        ML_DSA.line(TEXT, NOW_US)
    line = ML_DSA.line(HEAD.text, NOW_US)
    with pytest.raises(IntegrityBroken):
        open_note(Note(TEXT, (line,)).encode(), [ML_DSA.key])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "origin\n3\n",
        f"origin\n03\n{'A' * 43}=\n",
        f"origin\n-1\n{'A' * 43}=\n",
        f"origin\n{2**63}\n{'A' * 43}=\n",
        f"origin\n٣\n{'A' * 43}=\n",
        f"\n3\n{'A' * 43}=\n",
        f"origin\n3\n{'A' * 43}\n",
        f"origin\n3\n{'A' * 42}==\n",
        f"origin\n3\n{'A' * 43}=\n\nextension\n",
        f"origin\n3\n{'A' * 43}=",
        f"origin\n0\n{'A' * 43}=\n",
    ],
)
def test_a_malformed_checkpoint_is_refused(text):
    with pytest.raises(IntegrityBroken):
        parse_head(text)


def test_extension_lines_are_read_over():
    assert parse_head(HEAD.text + "extension\n") == HEAD


@given(st.binary(max_size=400))
def test_no_bytes_bring_the_parsers_down(raw):
    with pytest.raises((IntegrityBroken, NotAuthenticated)):
        open_note(raw, [ED25519.key])


@given(st.text(max_size=120))
def test_no_text_brings_the_vkey_parser_down(text):
    with pytest.raises(InvalidInput):
        parse_vkey(text)
