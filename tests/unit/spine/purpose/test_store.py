"""The statements of purpose: conditional, so that two at once cannot both succeed."""

from __future__ import annotations

import pytest

from holdfast.kit.db import Round
from holdfast.spine.purpose import store
from holdfast.spine.purpose.contact import Contact, contact_of
from support.stores import SmallHouse


@pytest.fixture
def house(tmp_path):
    house = SmallHouse(tmp_path)
    yield house
    house.close()


def ask(house, *queries, keys=()):
    def work():
        return (yield Round(data=queries, keys=keys))

    return house.transact(work())


def load(house, ref="ct_1"):
    (rows,) = ask(house, store.CONTACT(client="bank-01", ref=ref))
    return contact_of(rows)


@pytest.fixture
def contact(house):
    given = Contact(
        "bank-01", "ct_1", person="per_a", queue="billing", feed_reason="plan", holder_us=5
    )
    (rows,) = ask(house, store.put_contact(given))
    assert rows == [(1,)]
    return load(house)


def test_a_contact_comes_back_as_it_was_put(contact):
    assert contact == Contact(
        "bank-01", "ct_1", 1, person="per_a", queue="billing", feed_reason="plan", holder_us=5
    )


def test_two_cannot_change_the_same_version(house, contact):
    first = ask(house, store.put_contact(contact._replace(ended_us=7)))
    second = ask(house, store.put_contact(contact._replace(ended_us=9)))
    assert first == [[(2,)]]
    assert second == [[]]
    assert load(house).ended_us == 7


def test_a_contact_is_not_added_twice(house, contact):
    assert ask(house, store.put_contact(contact._replace(version=0, person="per_b"))) == [[]]
    assert load(house).person == "per_a"


def test_a_contact_of_another_client_is_not_found(house, contact):
    (rows,) = ask(house, store.CONTACT(client="tel-01", ref=contact.ref))
    assert contact_of(rows) is None


def test_a_contact_comes_with_the_last_call_and_logout_of_its_person(house, contact):
    voice = {"person": "per_a", "voice_client": "tel-01", "voice_contact": "ct_2"}
    ask(
        house,
        store.PUT_VOICE(voice_key="2", **voice),
        store.PUT_VOICE(voice_key="1", **{**voice, "voice_contact": "ct_old"}),
        store.PUT_LOGOUT(person="per_a", logout_us=9),
        store.PUT_LOGOUT(person="per_a", logout_us=8),
    )
    found = load(house)
    assert found[-6:-2] == ("2", "tel-01", "ct_2", 9)


def test_binding_happens_once(house, contact):
    bind = {"client": "bank-01", "ref": "ct_1", "at_us": 3}
    assert ask(house, store.BIND(customer="cus_1", version=1, **bind)) == [[(2,)]]
    assert ask(house, store.BIND(customer="cus_2", version=2, **bind)) == [[]]
    assert load(house)[20:24] == ("cus_1", "verified", 3, 0)


def test_rebinding_happens_once_and_only_to_another_customer(house, contact):
    bind = {"client": "bank-01", "ref": "ct_1", "at_us": 3, "most": 1}
    assert ask(house, store.REBIND(customer="cus_2", version=1, **bind)) == [[]]  # not bound at all
    ask(house, store.BIND(client="bank-01", ref="ct_1", customer="cus_1", version=1, at_us=2))
    assert ask(house, store.REBIND(customer="cus_1", version=2, **bind)) == [[]]
    assert ask(house, store.REBIND(customer="cus_2", version=2, **bind)) == [[(3,)]]
    assert ask(house, store.REBIND(customer="cus_3", version=3, **bind)) == [[]]
    assert load(house).customer == "cus_2"


def test_the_reason_is_changed_once(house, contact):
    change = {"client": "bank-01", "ref": "ct_1", "most": 1}
    assert ask(house, store.SET_REASON(reason="lost", version=1, **change)) == [[(2,)]]
    assert ask(house, store.SET_REASON(reason="bill", version=2, **change)) == [[]]
    found = load(house)
    assert (found.chosen_reason, found.chosen_over, found.chosen_queue) == (
        "lost",
        "plan",
        "billing",
    )


def test_candidates_are_kept_once_in_the_order_they_were_found(house):
    found = {"client": "bank-01", "contact": "ct_1"}
    ask(
        house,
        store.ADD_CANDIDATE(customer="cus_b", at_us=1, **found),
        store.ADD_CANDIDATE(customer="cus_a", at_us=2, **found),
        store.ADD_CANDIDATE(customer="cus_b", at_us=3, **found),
    )
    assert ask(house, store.CANDIDATES(**found)) == [[("cus_b",), ("cus_a",)]]
    assert ask(house, store.CANDIDATES(client="bank-01", contact="ct_2")) == [[]]


def test_a_contact_searches_three_distinct_values_and_repeats_them_freely(house):
    def search(value, contact="ct_1"):
        query = store.ADD_SEARCH_VALUE(
            client="bank-01", contact=contact, value_mac=value, at_us=1, most=3
        )
        return bool(ask(house, query)[0])

    assert [search(value) for value in (b"a", b"b", b"a", b"c")] == [True] * 4
    assert not search(b"d")
    assert search(b"a")
    assert search(b"d", contact="ct_2")
    assert ask(house, store.SEARCH_VALUES(client="bank-01", contact="ct_1")) == [
        [(b"a",), (b"b",), (b"c",)]
    ]


def test_a_contacts_own_id_stands_in_the_keys_store_only(house):
    def work():
        add = store.ADD_CONTACT_REF(client="bank-01", external="CT-1", ref="ct_1")
        again = store.ADD_CONTACT_REF(client="bank-01", external="CT-1", ref="ct_other")
        return (
            yield Round(
                keys_writes=(add, again),
                keys=(
                    store.CONTACT_REF(client="bank-01", external="CT-1"),
                    store.CONTACT_REF(client="tel-01", external="CT-1"),
                    store.CONTACT_REFS_ANYWHERE(external="CT-1"),
                ),
            )
        )

    assert house.read(work()) == [[("ct_1",)], [], [("bank-01", "ct_1")]]
