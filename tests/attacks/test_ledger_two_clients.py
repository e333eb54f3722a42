"""Two clients lay their logs side by side, to learn whether one person works, or one customer banks, with both.

The house is one, its people are the same, so is a customer; only what SPINE 28 lets stand may be equal in both logs.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace

import pytest

from holdfast.procedures.access.services.assignments import Line, assign, unassign
from holdfast.procedures.access.services.people import restore, suspend
from holdfast.procedures.access.services.tokens import create_for_person, revoke_token
from holdfast.spine.identity.credentials import Bounds
from holdfast.vocabulary.ids import client_log
from holdfast.vocabulary.leaves import SPECS, LeafType
from holdfast.vocabulary.levels import Role
from support.bank import CLIENT, customer
from support.erasing import new_erasing
from support.second import SECOND, SecondClient

#: What may be equal, by the fields in which it stands, and why nobody learns from it who anybody is.
ALIKE = {
    "type": "the vocabulary is public",
    "time": "one act that reaches two clients is one moment; said in what-holdfast-cannot-do.md",
    "starts": "an assignment's first moment; see `time`",
    "expires": "a credential's last moment; see `time`",
    "policies": "a digest of the rules, which say nothing of persons; two equal contracts are equal",
    "schema": "a digest of the collection's form, which says nothing of persons",
    "changes": "names of rules",
    "programme": "a name in the contract",
    "queue": "a name in the contract",
    "collection": "a name in the contract",
    "fields": "names in the contract",
    "rules": "ids of rules",
    "roles": "the vocabulary is public",
    "action": "a name in the contract",
    "reason": "a name in the contract",
    "level": "the vocabulary is public",
    "bound": "the vocabulary is public",
    "employer": "a firm and no person; its clients know whom it employs",
    "signal": "the vocabulary is public",
}


@pytest.fixture
def bank(tmp_path):
    bank = new_erasing(tmp_path / "house")
    yield bank
    bank.close()


def words_of(leaf):
    """Every text in a leaf of eight characters or more, with the field in which it stands."""

    def walk(field, value):
        if isinstance(value, dict):
            for name, inner in value.items():
                yield from walk(field, name)
                yield from walk(field, inner)
        elif isinstance(value, list):
            for inner in value:
                yield from walk(field, inner)
        else:
            for word in re.findall(r"[\w+/=.:-]{8,}", str(value)):
                yield word, field

    for field, value in leaf.items():
        yield from walk(field, value)


def story(bank):
    """One agent works for both clients, with one token, and one customer banks with both."""
    house, agent, admin = bank.house, bank.agent, bank.admin
    second = SecondClient(bank)
    with bank.acting_as(admin):
        for client in (CLIENT, SECOND):
            line = Line(client, "cards-in", ())
            house.transact(assign(house, "A0002", line, roles=(Role.AGENT,)))
        second.assign(agent)
        bound = Bounds()
        issued = house.transact(
            create_for_person(house, agent.staff_id, life_us=None, bounds=bound)
        )
        worker = replace(agent, token=issued.secret.reveal(), credential=issued.id)
    second.import_customer(1)
    calls = {CLIENT: lambda: bank.connect("CT-1"), SECOND: lambda: second.connect("CT-2", agent, 1)}
    for contact, client in (("CT-1", CLIENT), ("CT-2", SECOND)):
        calls[client]()
        asked = {"contact": contact, "client": client, "agent": worker}
        found = bank.search("+12025550101", **asked)
        assert not getattr(found, "reasons", ()), found
        (hit,) = found.hits
        bank.reveal(hit.customer, ["name", "address", "national_id"], **asked)
        bank.verify(hit.customer, {"dob": customer(1)["dob"], "postcode": "10001"}, **asked)
        bank.reveal("C00002", ["name"], **asked)
    with bank.acting_as(admin):
        house.transact(revoke_token(house, worker.credential))
        house.transact(suspend(house, agent.staff_id))
        house.transact(restore(house, agent.staff_id))
        for client in (CLIENT, SECOND):
            house.transact(unassign(house, "A0002", Line(client, "cards-in", ())))
        house.transact(suspend(house, "A0002"))


def told(bank, client):
    """What the client's log says, as words by field."""
    rows = bank.sql(
        "SELECT entry FROM ledger_pending WHERE log = ? ORDER BY id", client_log(client)
    )
    leaves = [json.loads(entry) for (entry,) in rows]
    return leaves, {word: field for leaf in leaves for word, field in words_of(leaf)}


def test_nothing_that_stands_in_both_says_who_anybody_is(bank):
    story(bank)
    leaves, one = told(bank, CLIENT)
    others, other = told(bank, SECOND)
    assert {"decision.made", "token.created", "contact.bound"} <= {leaf["type"] for leaf in leaves}
    assert {leaf["type"] for leaf in leaves} <= {leaf["type"] for leaf in others} | {
        "records.imported"
    }
    linked = {
        f"{one[word]}: {word}" for word in one.keys() & other.keys() if one[word] not in ALIKE
    }
    assert not linked


def test_no_digest_is_opened_by_guessing_what_it_is_of(bank):
    """Names, numbers and addresses are few enough to try them all: nothing in a log may be a plain digest of one."""
    story(bank)
    words = {word for client in (CLIENT, SECOND) for word in told(bank, client)[1]}
    plain = {value for number in range(1, 6) for value in customer(number).values()}
    plain |= {"A0001", "A0002", "CT-1", "CT-2", CLIENT, SECOND, *bank.customers.values()}
    plain |= {bank.agent.id, bank.other.id, bank.admin, bank.agent.credential, bank.agent.token}
    guesses = {form for value in plain for form in forms_of(value)}
    assert not {guess for guess in guesses if any(guess in word for word in words)}


def forms_of(value):
    """A value as it might be written down, and how its digests might be."""
    yield value
    for text in (value, f"{value}\n", json.dumps(value), json.dumps([value])):
        for name in ("md5", "sha1", "sha256", "sha512", "blake2b"):
            digest = hashlib.new(name, text.encode()).digest()
            for cut in (16, len(digest)):
                yield digest[:cut].hex()
                yield base64.b64encode(digest[:cut]).decode().rstrip("=")


def test_every_digest_in_a_leaf_is_salted_or_of_nothing_secret():
    """Whoever adds a field that is a digest says here why nobody can guess what it is of."""
    fields = {
        (kind.value, name)
        for kind, spec in SPECS.items()
        for name, says in spec.fields.items()
        if re.search(r"digest|commitment|SHA-256|hash", says)
    }
    salted = {
        (kind, name) for kind, name in fields if "commitment" in SPECS[LeafType(kind)].fields[name]
    }
    assert fields - salted == {
        ("contract.published", "policies"),  # rules, which the client reads in its contract
        ("policy.compared", "policies"),
        ("decision.made", "policies"),
        ("decision.evaluated", "policies"),
        ("collection.added", "schema"),  # the form of a collection, which the client gave
        ("action.permitted", "permit"),  # the permit holds a random salt
        ("export.requested", "key"),  # a public key, which stands in the contract
        ("backup.made", "data"),  # a whole store
        ("backup.made", "keys"),
    }
