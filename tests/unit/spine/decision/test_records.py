"""A decision record is sealed, bound to its place, and says what the judge saw."""

from __future__ import annotations

import pytest

from holdfast.kit.errors import IntegrityBroken
from holdfast.kit.secret import Secret
from holdfast.spine.decision import records
from holdfast.vocabulary.levels import DataClass
from support.judging import group, judged, policies
from support.stores import NOON_US

KEY = Secret(b"k" * 32)


def made(judgement):
    return records.content(
        judgement,
        decision="dec_1",
        at_us=NOON_US,
        person="p_abc",
        contact="ct_abc",
        customers=("c_abc",),
        outcome=judgement.outcome,
        fields={"name": "clear"},
        extra_rules=("vault.integrity",),
    )


@pytest.fixture
def stored():
    return records.seal(made(judged()), KEY, client="bank-01", record="dec_1")


def opened(stored, **changes):
    where = {"client": "bank-01", "record": "dec_1", "salt": stored.salt}
    return records.open_record(
        changes.pop("sealed", stored.sealed),
        changes.pop("key", KEY),
        **{**where, "committed": stored.commitment, **changes},
    )


def test_it_comes_back_as_it_was_made(stored):
    content = opened(stored)
    assert content == made(judged())
    assert content.policies == policies().digest
    assert content.said[0].fields == {"name": "clear"}


def test_it_says_what_was_refused_and_why():
    content = made(judged(group("name"), group("balance", data_class=DataClass.C3)))
    assert [said.verdict for said in content.said] == ["permit", "step_up"]
    assert content.said[1].reasons[0].rule == "level.sensitive"


def test_it_names_customers_by_reference_only():
    assert b"cus_1" not in records.encode(made(judged(customer="cus_1")))


@pytest.mark.parametrize(
    "change",
    [
        {"client": "bank-02"},
        {"record": "dec_2"},
        {"key": Secret(b"o" * 32)},
        {"salt": b"0" * 16},
        {"committed": b"0" * 32},
        {"sealed": b""},
        {"sealed": b"\x02" + b"0" * 60},
    ],
    ids=["client", "record", "key", "salt", "commitment", "nothing", "garbage"],
)
def test_moved_edited_or_swapped_it_does_not_open(stored, change):
    with pytest.raises(IntegrityBroken):
        opened(stored, **change)


def test_an_edited_byte_is_noticed(stored):
    for place in (0, 5, len(stored.sealed) // 2, -1):
        edited = bytearray(stored.sealed)
        edited[place] ^= 1
        with pytest.raises(IntegrityBroken):
            opened(stored, sealed=bytes(edited))


def test_the_same_record_is_committed_to_differently_each_time():
    one, other = (records.seal(made(judged()), KEY, client="b", record="d") for _ in range(2))
    assert one.commitment != other.commitment


def test_what_is_no_record_is_refused():
    with pytest.raises(IntegrityBroken):
        records.decode(b"{}")


def test_months():
    assert records.month_of(NOON_US) == "2026-11"
    assert records.month_of(0) == "1970-01"
