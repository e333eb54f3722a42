"""Attacks that ask for a hidden customer under every circumstance that a request can have (SPINE 2).

Whatever comes along with it, the answer, its line, its record and the work are those for a customer who does not exist.
"""

from __future__ import annotations

import msgspec
import pytest

from holdfast.spine.operations.breaking import Emergency, break_glass
from holdfast.spine.operations.reveal import reveal
from holdfast.spine.operations.verify import verify
from holdfast.spine.turn.answers import ProvisionalOpened
from holdfast.spine.vault.hierarchy import client_keys
from holdfast.spine.vault.shred import request_shred
from holdfast.vocabulary.levels import GlassReason
from support.answers import body, rules
from support.approving import approving_bank
from support.bank import new_punctual_bank
from support.counting import counted, entries, record_size

MINE, HIDDEN, ABSENT = "C00001", "C00002", "cus_01m000000000000000000000zz"
ANSWERS = {"dob": "1950-01-01", "postcode": "99999"}
FIELDS = ("name", "acct")


def shred(bank, name):
    keys = bank.house.read(client_keys(bank.house.keks, "bank-01", 1))
    work = request_shred(keys, bank.id_of(name), by="p_x", now_us=bank.clock.now_us())
    bank.house.transact(work)


def look(bank, name, *, record=None, fields=FIELDS, **more):
    asked = msgspec.structs.replace(bank.asked(), **more)
    return bank.house.transact(reveal(bank.house, asked, bank.id_of(name), fields, record=record))


def guess(bank, name, *, record=None, answers=ANSWERS, **more):
    asked = msgspec.structs.replace(bank.asked(), **more)
    return bank.house.transact(verify(bank.house, asked, bank.id_of(name), answers, record=record))


# ── circumstances: each sets the scene and returns what comes along with the request ────────────────────────────


def plainly(_bank):
    return {}


def with_an_approval_for_the_callers_look(bank):
    return {"approval": bank.granted(bank.asked_for())}


def with_an_approval_for_the_callers_attempt(bank):
    for _ in range(3):
        bank.verify(MINE, ANSWERS)
    return {"approval": bank.granted(bank.ask(bank.verify(MINE, ANSWERS)))}


def with_an_approval_that_does_not_exist(_bank):
    return {"approval": "apr_" + "0" * 26}


def with_a_step_up(bank):
    bank.take_step_up(bank.verify(MINE, {"national_id": "900-12-9999"}).challenge)
    return {}


def after_the_hidden_ones_attempts_are_used_up(bank):
    bank.connect("CT-2", number=2, agent=bank.other, channel="chat")
    for _ in range(3):
        bank.verify(HIDDEN, ANSWERS, contact="CT-2", agent=bank.other)
    return {}


def after_a_colleague_opened_the_hidden_one(bank):
    bank.connect("CT-2", number=2, agent=bank.other, channel="chat")
    bank.reveal(HIDDEN, ["name"], contact="CT-2", agent=bank.other)
    return {}


def after_the_hidden_one_was_erased(bank):
    shred(bank, HIDDEN)
    return {}


def with_a_record_of_the_hidden_one(bank):
    rows = bank.sql("SELECT id FROM vault_record WHERE customer = ?", bank.id_of(HIDDEN))
    return {"record": rows[0][0]}


def in_a_collection_that_does_not_exist(_bank):
    return {"collection": "nowhere"}


def under_a_break_glass(bank):
    wanted = Emergency("bank-01", GlassReason.LIFE_SAFETY, "card-lost", 5, 30)
    who = bank.who(device="desk-1")
    ident = bank.house.transact(break_glass(bank.house, who, wanted)).approval
    bank.decide(ident)
    glass = bank.show(ident, bank.agent).glass
    return {"contact": "", "glass": glass, "contact_ref": glass}


def while_the_record_of_the_hidden_one_is_forged(bank):
    bank.sql("UPDATE vault_record SET body = ? WHERE customer = ?", b"\0", bank.id_of(HIDDEN))
    return {}


CIRCUMSTANCES = [
    plainly,
    with_an_approval_for_the_callers_look,
    with_an_approval_for_the_callers_attempt,
    with_an_approval_that_does_not_exist,
    with_a_step_up,
    after_the_hidden_ones_attempts_are_used_up,
    after_a_colleague_opened_the_hidden_one,
    after_the_hidden_one_was_erased,
    with_a_record_of_the_hidden_one,
    in_a_collection_that_does_not_exist,
    under_a_break_glass,
    while_the_record_of_the_hidden_one_is_forged,
]


@pytest.fixture
def bank(tmp_path):
    bank = approving_bank(tmp_path / "house")
    bank.connect()
    yield bank
    bank.close()


def alike(bank, ask, *, one=HIDDEN, other=ABSENT, records=True):
    """Two requests are answered alike, written alike, and cost the same; whoever comes second."""
    found = []
    ask(one), ask(other)  # what is remembered between requests is remembered now
    for name in (one, other):
        bank.advance(61)  # equal refusals of one minute would be one line
        with counted(bank) as work:
            answer = ask(name)
        line = entries(bank)[-1]
        size = record_size(bank, line) if records else 0
        found.append((body(answer), len(line), size, work))
        assert rules(answer) == {"customer.bound"}
    assert found[0] == found[1]
    assert sum(found[0][3].values()) > 10


@pytest.mark.parametrize("ask", [look, guess])
@pytest.mark.parametrize("circumstance", CIRCUMSTANCES)
def test_a_hidden_customer_is_an_absent_one(bank, circumstance, ask):
    more = circumstance(bank)
    alike(bank, lambda name: ask(bank, name, **more))


@pytest.mark.parametrize("ask", [look, guess])
def test_so_is_the_caller_once_erased(bank, ask):
    """The contact is theirs, so their row is read; all else is as if they had never been.

    Only the sealed record, which the client's security reads, holds the facts as they are.
    """
    shred(bank, MINE)
    alike(bank, lambda name: ask(bank, name), one=MINE, records=False)


@pytest.mark.parametrize("ask", [look, guess])
def test_so_is_one_whom_a_contact_on_ones_word_is_not_about(tmp_path, ask):
    bank = new_punctual_bank(tmp_path / "house")
    bank.advance(90)
    assert isinstance(bank.open_on_word(), ProvisionalOpened)
    alike(bank, lambda name: ask(bank, name, contact="CT-9"))
    bank.close()


@pytest.mark.parametrize(
    ("ask", "more"),
    [(look, {"fields": ("name", "nothing")}), (guess, {"answers": {"dob": "x", "nothing": "x"}})],
)
def test_a_field_that_does_not_exist_is_told_of_neither(bank, ask, more):
    alike(bank, lambda name: ask(bank, name, **more))
