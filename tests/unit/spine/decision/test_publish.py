"""Taking on a client and publishing: what is checked before, what is written, what the client sees."""

from __future__ import annotations

import base64

import pytest

from holdfast.kit.errors import Conflict, Denied, InvalidInput, NotFound
from holdfast.spine.decision import publish
from holdfast.spine.decision.contract import compile_contract
from holdfast.spine.decision.publish import By, draft
from holdfast.spine.decision.signature import read_key, read_signature
from holdfast.spine.identity.references import reference_of
from support.admin import AdminHouse
from support.signing import Signer
from support.stores import raw

CONTRACT = """
[client]
id = "tel-01"
name = "Example Telco"
[[programme]]
id = "care"
[[queue]]
id = "bills"
programme = "care"
reasons = ["bill"]
[[reason]]
id = "bill"
fields.subscribers = ["name"]
"""
WIDER = CONTRACT.replace('["name"]', '["name", "bill"]')


@pytest.fixture
def house(tmp_path):
    house = AdminHouse(tmp_path / "house")
    house.by = By(house.root, lambda log: reference_of(house.root, log))
    yield house
    house.close()


def add(house, text=CONTRACT, signature=b""):
    made = draft(text, signature=signature)
    work = publish.add_client(made, house.by, vkey="vkey", now_us=house.clock.now_us())
    return house.transact(work)


def put(house, text, signature=b"", in_force=CONTRACT):
    made = draft(text, signature=signature, in_force=compile_contract(in_force))
    work = publish.publish_contract(made, house.by, now_us=house.clock.now_us())
    return house.transact(work)


def test_a_new_client_has_its_first_contract_in_force(house):
    done = add(house)
    assert (done.client, done.version, done.signed) == ("tel-01", 1, False)
    assert house.read(publish.contract_in_force("tel-01")) == (CONTRACT, 1)
    (listed,) = [one for one in house.read(publish.clients()) if one.client == "tel-01"]
    assert (listed.name, listed.state, listed.contract_version) == ("Example Telco", "open", 1)


def test_house_and_client_see_it_under_different_references(house):
    add(house)
    told = [
        (log, leaf["type"], leaf["by"])
        for log, leaf in house.leaves()
        if "vkey" in leaf or "signed" in leaf
    ]
    assert [(log, kind) for log, kind, _ in told] == [
        ("house", "client.added"),
        ("client-tel-01", "client.added"),
        ("client-tel-01", "contract.published"),
    ]
    assert told[0][2] != told[1][2] == told[2][2]


def test_the_leaf_commits_to_the_text(house):
    add(house)
    (leaf,) = [leaf for _, leaf in house.leaves() if leaf["type"] == "contract.published"]
    salt = raw(house.data, "SELECT salt FROM decision_contract WHERE client = 'tel-01'")[0][0]
    assert leaf["contract"] == publish.commitment(CONTRACT, bytes(salt))
    assert leaf["contract"] != publish.commitment(WIDER, bytes(salt))


def test_a_client_is_taken_on_once(house):
    add(house)
    with pytest.raises(Conflict, match="there is a client tel-01 already"):
        add(house, WIDER)
    assert house.read(publish.contract_in_force("tel-01")) == (CONTRACT, 1)


def test_a_new_version_raises_the_fence_and_keeps_the_old_one(house):
    add(house)
    before = house.fence("tel-01")
    done = put(house, WIDER)
    assert (done.version, done.changed) == (2, True)
    assert house.fence("tel-01") > before
    versions = house.read(publish.versions("tel-01"))
    assert [one.version for one in versions] == [1, 2]
    assert versions[0].policies == versions[1].policies  # field sets are data, not policies


def test_the_same_contract_again_changes_nothing(house):
    add(house)
    before = house.fence("tel-01"), len(house.leaves())
    assert not put(house, CONTRACT).changed
    assert (house.fence("tel-01"), len(house.leaves())) == before


def test_a_version_that_was_published_meanwhile_is_a_conflict(house):
    add(house)
    made = draft(WIDER, in_force=compile_contract(CONTRACT))
    work = publish.publish_contract(made, house.by, now_us=house.clock.now_us())
    asked = next(work)
    rows = house.data.execute_all(asked.data)
    put(house, WIDER + "# one\n")
    with pytest.raises(Conflict, match="published meanwhile"):
        house.transact(_rest(work, rows))


def _rest(work, rows):
    asked = work.send(rows)
    while True:
        asked = work.send((yield asked))


def test_unknown_clients(house):
    with pytest.raises(NotFound):
        put(house, CONTRACT)
    with pytest.raises(NotFound):
        house.read(publish.contract_in_force("tel-01"))


def test_a_contract_of_another_client_is_refused():
    with pytest.raises(InvalidInput, match="contract of tel-02, not of tel-01"):
        draft(CONTRACT.replace("tel-01", "tel-02"), in_force=compile_contract(CONTRACT))


class TestSigned:
    signer, other = Signer(1), Signer(2)

    def test_a_signed_contract_is_told_as_signed(self, house):
        text = self.signer.contract(CONTRACT, 1)
        assert add(house, text, self.signer.sign(text)).signed
        (leaf,) = [leaf for _, leaf in house.leaves() if leaf["type"] == "contract.published"]
        assert leaf["signed"] is True

    def test_base64_and_raw_bytes_are_the_same_signature(self):
        text = self.signer.contract(CONTRACT, 1)
        raw = self.signer.sign(text)
        assert draft(text, signature=base64.encodebytes(raw)).signature == raw
        with pytest.raises(InvalidInput, match="neither 64 bytes nor their base64"):
            read_signature(b"x" * 63)

    def test_a_later_version_is_signed_with_the_key_in_force(self, house):
        first = self.signer.contract(CONTRACT, 1)
        add(house, first, self.signer.sign(first))
        second = self.signer.contract(WIDER, 2)
        assert put(house, second, self.signer.sign(second), in_force=first).version == 2

    def test_the_key_changes_by_the_old_key_only(self):
        first = self.signer.contract(CONTRACT, 1)
        second = self.other.contract(WIDER, 2)
        in_force = compile_contract(first)
        with pytest.raises(Denied, match="not the client's"):
            draft(second, signature=self.other.sign(second), in_force=in_force)
        assert draft(second, signature=self.signer.sign(second), in_force=in_force).signature

    def test_a_number_that_is_not_the_next_is_refused(self, house):
        first = self.signer.contract(CONTRACT, 1)
        add(house, first, self.signer.sign(first))
        for version in (1, 3):
            text = self.signer.contract(WIDER, version)
            with pytest.raises(Conflict, match="the next one is 2"):
                put(house, text, self.signer.sign(text), in_force=first)

    def test_a_signature_without_a_key_is_no_use(self):
        with pytest.raises(InvalidInput, match="no signing key is known"):
            draft(CONTRACT, signature=self.signer.sign(CONTRACT))

    @pytest.mark.parametrize("text", ["", "!", "AAAA", "MCowBQYDK2VwAyEA"])
    def test_what_is_no_key_is_refused(self, text):
        with pytest.raises(ValueError, match="is no Ed25519 public key"):
            read_key(text)
