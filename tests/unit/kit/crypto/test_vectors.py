"""Each primitive gives what its publishers say it gives."""

from __future__ import annotations

from pathlib import Path

import cryptography_vectors
import pytest

from holdfast.kit.crypto.aead import GCM, GCM_SIV, seal, unseal
from holdfast.kit.crypto.mac import (
    equal,
    hkdf_sha256,
    hmac_sha256,
    hmac_sha512,
    keyed_sha256,
)
from holdfast.kit.crypto.signing import (
    Ed25519Key,
    MlDsa44Key,
    ed25519_verifies,
    mldsa44_verifies,
)
from holdfast.kit.errors import IntegrityBroken
from holdfast.kit.secret import Secret
from support.vectors import wycheproof

PINNED = Path(cryptography_vectors.__file__).parent


def hexed(case, *names):
    return [bytes.fromhex(case[name]) for name in names]


def parsed(name):
    """Blocks of ``key = value`` lines, as NIST and RFC responses are written."""
    blocks = []
    block = {}
    for line in (PINNED / name).read_text().splitlines():
        text = line.strip()
        if not text:
            if block:
                blocks.append(block)
            block = {}
        elif not text.startswith("#"):
            key, found, value = text.strip("[]").partition("=")
            if found:
                block[key.strip()] = value.strip()
    return [*blocks, block] if block else blocks


@pytest.mark.parametrize(("name", "suite"), [("aes_gcm_test", GCM), ("aes_gcm_siv_test", GCM_SIV)])
def test_aead_seals_and_opens_as_published(name, suite):
    used = 0
    for group, case in wycheproof(name):
        if (group["keySize"], group["ivSize"]) != (256, 96):
            continue
        key, nonce, aad, message, ciphertext, tag = hexed(
            case, "key", "iv", "aad", "msg", "ct", "tag"
        )
        sealed = bytes((suite,)) + nonce + ciphertext + tag
        used += 1
        if case["result"] == "valid":
            assert seal(key, nonce, message, aad, suite=suite) == sealed, case["tcId"]
            assert unseal(key, sealed, aad) == message, case["tcId"]
        else:
            with pytest.raises(IntegrityBroken):
                unseal(key, sealed, aad)
    assert used > 40


@pytest.mark.parametrize(
    ("name", "mac"), [("hmac_sha256_test", hmac_sha256), ("hmac_sha512_test", hmac_sha512)]
)
def test_hmac_is_as_published(name, mac):
    for group, case in wycheproof(name):
        key, message, tag = hexed(case, "key", "msg", "tag")
        same = equal(mac(key, message)[: group["tagSize"] // 8], tag)
        assert same is (case["result"] == "valid"), case["tcId"]


def test_hkdf_is_as_published():
    used = 0
    for _, case in wycheproof("hkdf_sha256_test"):
        key, salt, info, expected = hexed(case, "ikm", "salt", "info", "okm")
        if case["result"] == "valid":
            assert hkdf_sha256(key, info=info, salt=salt, length=case["size"]) == expected
            used += 1
    assert used > 70


def test_ed25519_accepts_and_refuses_as_published():
    for group, case in wycheproof("ed25519_test"):
        public = bytes.fromhex(group["publicKey"]["pk"])
        message, signature = hexed(case, "msg", "sig")
        holds = ed25519_verifies(public, signature, message)
        assert holds is (case["result"] == "valid"), case["tcId"]


def test_ml_dsa_44_accepts_and_refuses_as_published():
    used = 0
    for group, case in wycheproof("mldsa_44_verify_test"):
        if case.get("ctx"):  # Holdfast signs with the empty context only
            continue
        public = bytes.fromhex(group["publicKey"])
        message, signature = hexed(case, "msg", "sig")
        holds = mldsa44_verifies(public, signature, message)
        assert holds is (case["result"] == "valid"), case["tcId"]
        used += 1
    assert used > 100


def test_ed25519_signs_as_rfc_8032_shows():
    text = (PINNED / "asymmetric" / "Ed25519" / "sign.input").read_text()
    for line in text.splitlines()[:256]:
        secret, public, message, signed = line.split(":")[:4]
        key = Ed25519Key(Secret(bytes.fromhex(secret)[:32]))
        assert key.public.hex() == public
        assert key.sign(bytes.fromhex(message)).hex() == signed[:128]


def test_ml_dsa_44_keys_come_from_seeds_as_published():
    text = (PINNED / "asymmetric" / "MLDSA" / "kat_MLDSA_44_det_pure.rsp").read_text()
    blocks = [
        dict(line.split(" = ") for line in block.splitlines() if " = " in line)
        for block in text.split("count = ")[1:]
    ]
    assert len(blocks) == 100
    for block in blocks[:20]:
        seed, public, message, signed, context = hexed(block, "xi", "pk", "msg", "sm", "ctx")
        key = MlDsa44Key(Secret(seed))
        assert key.public == public
        assert mldsa44_verifies(public, key.sign(message), message)
        # Theirs were made under a context, and ours is the empty one.
        assert context
        assert not mldsa44_verifies(public, signed[:2420], message)


def test_hmac_sha256_is_as_rfc_4231_shows():
    cases = [case for case in parsed("HMAC/rfc-4231-sha256.txt") if "MD" in case]
    for case in cases:
        key, message, expected = hexed(case, "Key", "Msg", "MD")
        assert hmac_sha256(key, message)[: len(expected)] == expected
        assert keyed_sha256(key)(message)[: len(expected)] == expected
    assert len(cases) > 5


def test_a_seed_of_another_length_is_refused():
    for kind in (Ed25519Key, MlDsa44Key):
        with pytest.raises(ValueError, match=r"\w"):
            kind(Secret(b"short"))


def test_a_malformed_public_key_verifies_nothing():
    assert not ed25519_verifies(b"\x00", b"\x00" * 64, b"x")
    assert not mldsa44_verifies(b"\x00", b"\x00" * 2420, b"x")


@pytest.mark.parametrize("key_bytes", [0, 1, 32, 63, 64, 65, 200])
def test_a_keyed_hash_is_hmac_for_every_message_it_is_given(key_bytes):
    key = bytes(range(key_bytes))
    keyed = keyed_sha256(key)
    for message in (b"", b"a", b"b" * 63, b"c" * 64, b"d" * 5000, b"a"):
        assert keyed(message) == hmac_sha256(key, message)
