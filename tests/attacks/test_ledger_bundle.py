"""Attacks on a bundle: by whoever carries it from the house to the client, or writes it without the key."""

from __future__ import annotations

import json
import os

import pytest

from holdfast.kit.crypto.signing import Ed25519Key, MlDsa44Key
from holdfast.kit.secret import Secret
from holdfast.spine.ledger.checkpoint import parse_head
from holdfast.spine.ledger.note import Ed25519Signer, MlDsa44Signer, Note, parse_note, sign_note
from holdfast.spine.ledger.statements import sign_statement
from holdfast.spine.ledger.tiles import decode_bundle, encode_bundle
from holdfast.spine.ledger.tree import leaf_hash
from holdfast.spine.ledger.verify import Outcome
from support.bundles import Client, codes
from support.ledger import BANK, SHOP, LedgerHouse

LEAVES = 300


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """One house and one honest bundle for the module; each attack works on its own copy."""
    folder = tmp_path_factory.mktemp("attacks")
    house = LedgerHouse(folder / "house")
    house.grown(BANK, LEAVES)
    house.grown(SHOP, LEAVES)
    made = Client(house, folder / "client")
    made.honest = made.export()
    yield made
    house.close()


@pytest.fixture
def bundle(client):
    client.forget()
    return client.copy(client.honest)


def refused(client, bundle, **given):
    report = client.verify(bundle, **given)
    assert report.outcome is Outcome.BROKEN
    assert not (client.desk / "state").exists(), "what is broken is not remembered"
    return codes(report)


def edit(path, change):
    path.write_bytes(change(path.read_bytes()))


def rewrite_entries(bundle, change):
    """Edit entries and make the level-0 tile fit them, as a careful forger does."""
    path = bundle / "tile/entries/001.p/44"
    entries = change(decode_bundle(path.read_bytes()))
    path.write_bytes(encode_bundle(entries))
    (bundle / "tile/0/001.p/44").write_bytes(b"".join(leaf_hash(e) for e in entries))


def rewrite_checkpoint(bundle, change):
    note = parse_note((bundle / "checkpoint").read_bytes())
    (bundle / "checkpoint").write_bytes(change(note).encode())


def test_the_honest_bundle_is_authentic(client, bundle):
    assert client.verify(bundle).outcome is Outcome.AUTHENTIC


def test_an_edited_leaf_is_named(client, bundle):
    edit(bundle / "tile/entries/000", lambda raw: raw.replace(b"p_qwerty", b"p_azerty", 1))
    assert {"edited_leaf", "wrong_root"} <= refused(client, bundle)


def test_an_edited_leaf_with_a_fitting_tile_does_not_give_the_root(client, bundle):
    rewrite_entries(bundle, lambda e: [e[0].replace(b"p_qwerty", b"p_azerty"), *e[1:]])
    assert refused(client, bundle) == {"wrong_root"}


def test_a_removed_leaf_is_missed(client, bundle):
    rewrite_entries(bundle, lambda entries: entries[1:])
    assert refused(client, bundle)


def test_two_leaves_that_changed_places_are_noticed(client, bundle):
    rewrite_entries(bundle, lambda e: [e[1], e[0], *e[2:]])
    assert "wrong_root" in refused(client, bundle)


def test_a_leaf_that_was_put_in_is_noticed(client, bundle):
    rewrite_entries(bundle, lambda e: [e[0], *e[:-1]])
    assert "wrong_root" in refused(client, bundle)


def test_a_truncated_log_under_a_shortened_checkpoint_is_forged(client, bundle):
    def shorter(note):
        head = parse_head(note.text)
        return note._replace(text=head._replace(size=256).text)

    rewrite_checkpoint(bundle, shorter)
    assert "bad_signature" in refused(client, bundle)


def test_a_cut_bundle_is_noticed(client, bundle):
    edit(bundle / "tile/entries/000", lambda raw: raw[:-3])
    assert refused(client, bundle)


@pytest.mark.parametrize("path", ["tile/entries/000", "tile/0/000", "tile/1/000.p/1"])
def test_a_missing_file_is_noticed(client, bundle, path):
    (bundle / path).unlink()
    assert "missing_file" in refused(client, bundle)


def test_an_edited_tile_over_honest_leaves_is_noticed(client, bundle):
    edit(bundle / "tile/1/000.p/1", lambda raw: raw[::-1])
    assert refused(client, bundle) == {"edited_tile"}


def test_a_checkpoint_signed_by_another_key_of_the_same_name_is_refused(client, bundle):
    def forged(note):
        name = note.lines[0].name
        signers = [
            Ed25519Signer(name, Ed25519Key(Secret(b"\x0a" * 32))),
            MlDsa44Signer(name, MlDsa44Key(Secret(b"\x0b" * 32))),
        ]
        return parse_note(sign_note(note.text, signers, 0))

    rewrite_checkpoint(bundle, forged)
    assert refused(client, bundle) == {"signature_missing"}


def test_a_forged_signature_under_the_right_key_id_is_refused(client, bundle):
    def forged(note):
        line = note.lines[0]._replace(signature=os.urandom(64))
        return note._replace(lines=(line, *note.lines[1:]))

    rewrite_checkpoint(bundle, forged)
    assert "bad_signature" in refused(client, bundle)


def test_a_stripped_ml_dsa_line_is_an_error_when_that_key_is_given(client, bundle):
    rewrite_checkpoint(bundle, lambda note: note._replace(lines=note.lines[:1]))
    assert refused(client, bundle) == {"signature_missing"}
    only_ed25519 = client.verify(bundle, keys=client.keys[:1])
    assert only_ed25519.outcome is Outcome.AUTHENTIC


def test_a_stripped_ed25519_line_is_an_error_when_that_key_is_given(client, bundle):
    rewrite_checkpoint(bundle, lambda note: note._replace(lines=note.lines[1:]))
    assert refused(client, bundle) == {"signature_missing"}


def test_a_forged_ml_dsa_line_spoils_a_good_ed25519_one(client, bundle):
    def forged(note):
        line = note.lines[1]
        return note._replace(lines=(note.lines[0], line._replace(signature=bytes(2428))))

    rewrite_checkpoint(bundle, forged)
    assert "bad_signature" in refused(client, bundle)


def test_signatures_of_another_client_s_log_do_not_serve(client, bundle):
    other = parse_note((client.house.folder(SHOP) / "checkpoint").read_bytes())
    rewrite_checkpoint(bundle, lambda note: Note(note.text, other.lines))
    assert refused(client, bundle) == {"signature_missing"}


def test_another_client_s_whole_log_is_not_taken_for_one_s_own(client):
    client.forget()
    assert "wrong_log" in refused(client, client.house.folder(SHOP))


def test_a_renamed_origin_is_forged(client, bundle):
    rewrite_checkpoint(
        bundle, lambda note: note._replace(text=note.text.replace("bank", "bonk", 1))
    )
    assert refused(client, bundle)


def test_keys_in_the_bundle_authenticate_nothing(client, bundle):
    assert (bundle / "vkeys").exists()
    assert client.verify(bundle, keys=()).outcome is Outcome.NOT_AUTHENTICATED


def test_a_checkpoint_of_an_absurd_size_ends_with_a_finding(client, bundle):
    def absurd(note):
        return note._replace(text=parse_head(note.text)._replace(size=2**62).text)

    rewrite_checkpoint(bundle, absurd)
    assert refused(client, bundle) >= {"bad_signature", "missing_file"}


def test_a_device_or_an_endless_file_is_not_read(client, bundle):
    (bundle / "tile/0/000").unlink()
    (bundle / "tile/0/000").symlink_to("/dev/zero")
    assert "not_a_file" in refused(client, bundle)
    (bundle / "checkpoint").write_bytes(b"x" * 1_000_001)
    assert "too_long" in refused(client, bundle)


def test_a_certificate_that_the_house_did_not_sign_is_refused(client, bundle):
    name = client.keys[0].name
    body = {
        "type": "holdfast/shred-certificate/v1",
        "log": BANK,
        "customer": "c_1",
        "leaves": [{"id": "lf_1"}],
        "refused_at": "",
        "erased_at": "",
        "copies": "not determined",
    }
    signed = sign_statement(body, Ed25519Signer(name, Ed25519Key(Secret(b"\x0c" * 32))), 0)
    (bundle / "certificates").mkdir()
    (bundle / "certificates" / "c.json").write_text(json.dumps(signed))
    assert "forged_certificate" in refused(client, bundle)


def test_no_single_changed_byte_of_a_bundle_stays_unseen(client):
    """Every byte that is evidence: checkpoint, tiles and entries."""
    evidence = [
        path.relative_to(client.honest)
        for path in sorted(client.honest.rglob("*"))
        if path.is_file() and (path.name == "checkpoint" or "tile" in path.parts)
    ]
    assert len(evidence) == 6
    for path in evidence:
        raw = (client.honest / path).read_bytes()
        bundle = client.copy(client.honest)
        for at in {0, 1, len(raw) // 3, len(raw) // 2, len(raw) - 2, len(raw) - 1}:
            client.forget()
            changed = bytearray(raw)
            changed[at] ^= 0x01
            (bundle / path).write_bytes(changed)
            assert client.verify(bundle).outcome is Outcome.BROKEN, (path, at)
        (bundle / path).write_bytes(raw)
