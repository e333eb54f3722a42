"""Attacks that ask in order to learn: verification as an oracle, search as a list."""

from __future__ import annotations

import pytest

from holdfast.drills.bank.build import import_customers
from holdfast.kit.errors import InvalidInput
from holdfast.spine.turn.answers import Found, Refused, Verified
from support.answers import body, rules, text_of
from support.bank import customer, new_bank

MINE, THEIRS = "C00001", "C00002"
WRONG = {"dob": "1950-01-01", "postcode": "99999"}


@pytest.fixture
def bank(tmp_path):
    bank = new_bank(tmp_path / "house")
    yield bank
    bank.close()


@pytest.fixture
def unbound(bank):
    """A caller whom the feed does not know; customer 2 was found by what the caller said."""
    bank.connect(number=None)
    assert isinstance(bank.search(customer(2)["phone"]), Found)
    return bank


def answers_of(number):
    return {"dob": customer(number)["dob"], "postcode": customer(number)["postcode"]}


def attempts(bank):
    return bank.sql("SELECT COUNT(*) FROM decision_verify_attempt")[0][0]


class TestVerification:
    """What a match would tell is told only about the customer of this contact."""

    def test_one_field_at_a_time_before_the_caller_is_known(self, unbound):
        for answer in (customer(2)["dob"], "1950-01-01"):
            assert rules(unbound.verify(THEIRS, {"dob": answer})) == {"verify.combined"}
        assert attempts(unbound) == 0

    def test_right_and_wrong_look_the_same_while_too_few_answers_come(self, unbound):
        right = unbound.verify(THEIRS, {"dob": customer(2)["dob"]})
        wrong = unbound.verify(THEIRS, {"dob": "1950-01-01"})
        assert body(right) == body(wrong)

    def test_which_of_the_answers_was_wrong_is_not_told(self, unbound):
        half = unbound.verify(THEIRS, answers_of(2) | {"postcode": "99999"})
        none = unbound.verify(THEIRS, WRONG)
        assert not half.match
        assert half.match == none.match
        lines = unbound.leaves("decision.made")[-2:]
        assert [line["fields"] for line in lines] == [
            {"dob": "no_match", "postcode": "no_match"}
        ] * 2
        assert not half.bound

    def test_a_customer_whom_nobody_looked_for(self, unbound):
        assert rules(unbound.verify("C00003", answers_of(3))) == {"customer.bound"}
        assert attempts(unbound) == 0

    def test_another_customer_while_one_is_bound(self, bank):
        bank.connect()
        assert rules(bank.verify(THEIRS, answers_of(2))) == {"customer.bound"}
        bank.search(customer(2)["phone"])
        assert rules(bank.verify(THEIRS, {"dob": customer(2)["dob"]})) == {"verify.combined"}

    def test_a_field_that_the_contract_does_not_ask(self, bank):
        bank.connect()
        assert rules(bank.verify(MINE, {"acct": customer(1)["acct"]})) == {"field.set"}
        assert rules(bank.verify(MINE, {"dob": customer(1)["dob"], "name": "Robin"})) == {
            "field.set"
        }
        assert attempts(bank) == 0

    def test_more_guesses_than_a_contact_has(self, bank):
        bank.connect()
        left = [bank.verify(MINE, {"dob": f"1950-01-0{n}"}).attempts_left for n in (1, 2, 3)]
        assert left == [2, 1, 0]
        refused = bank.verify(MINE, {"dob": customer(1)["dob"]})
        assert rules(refused) == {"budget.verify_contact"}
        assert attempts(bank) == 3

    def test_guesses_spread_over_contacts_and_agents(self, bank):
        tried = 0
        for contact, agent in (("CT-1", bank.agent), ("CT-2", bank.other), ("CT-3", bank.agent)):
            bank.connect(contact, agent=agent)
            for day in range(3):
                guess = {"dob": f"1950-02-0{day + 1}"}
                answer = bank.verify(MINE, guess, contact=contact, agent=agent)
                tried += isinstance(answer, Verified)
            bank.advance(200)
        assert tried == 5
        right = bank.verify(MINE, {"dob": customer(1)["dob"]}, contact="CT-3")
        assert rules(right) == {"budget.verify_day"}

    def test_attempts_come_back_after_a_day_and_not_before(self, bank):
        for contact in ("CT-1", "CT-2"):
            bank.connect(contact)
            for _ in range(3):
                bank.verify(MINE, {"dob": "1950-01-01"}, contact=contact)
            bank.advance(1)
        bank.advance(24 * 3600 - 60)
        bank.connect("CT-3")
        assert isinstance(bank.verify(MINE, {"dob": "1950-01-01"}, contact="CT-3"), Refused)
        bank.advance(120)
        assert isinstance(bank.verify(MINE, {"dob": customer(1)["dob"]}, contact="CT-3"), Verified)

    def test_one_answer_used_up_ends_all_that_come_with_it(self, bank):
        bank.connect()
        for _ in range(3):
            bank.verify(MINE, {"dob": "1950-01-01"})
        assert isinstance(bank.verify(MINE, answers_of(1)), Refused)
        assert bank.sql(
            "SELECT COUNT(*) FROM decision_verify_attempt WHERE field = 'postcode'"
        ) == [(0,)]

    def test_an_attempt_is_taken_although_the_record_then_does_not_verify(self, bank):
        bank.connect()
        bank.sql("UPDATE vault_record SET body = ?", b"\0")
        assert rules(bank.verify(MINE, {"dob": customer(1)["dob"]})) == {"vault.integrity"}
        assert attempts(bank) == 1

    def test_a_repeated_idempotency_key_is_no_free_attempt(self, bank):
        bank.connect()
        for _ in range(3):
            bank.verify(MINE, {"dob": "1950-01-01"}, key=("k", b"same"))
        assert attempts(bank) == 3
        assert isinstance(bank.verify(MINE, {"dob": "1950-01-01"}, key=("k", b"same")), Refused)

    @pytest.mark.parametrize("answer", ["", " ", "*", "%", "not a date", "0", "\u200b"])
    def test_an_answer_that_is_none_matches_nothing_and_costs_an_attempt(self, bank, answer):
        bank.connect()
        assert not bank.verify(MINE, {"dob": answer}).match
        assert not bank.verify(MINE, answers_of(1) | {"postcode": answer}).match
        assert attempts(bank) == 3

    def test_a_field_that_the_customer_does_not_have_matches_no_empty_answer(self, bank):
        rows = [customer(9, dob="", postcode="")]
        bank.customers |= import_customers(bank.house, bank.admin, rows)
        bank.connect(number=9)
        for empty in ("", " "):
            assert not bank.verify("C00009", {"dob": empty, "postcode": empty}).match

    def test_the_true_value_stands_in_no_answer(self, bank):
        bank.connect()
        told = text_of(bank.verify(MINE, WRONG)) + text_of(bank.verify(MINE, answers_of(1)))
        assert customer(1)["dob"] not in told
        assert customer(1)["postcode"] not in told


class TestSearch:
    """One exact identifier of one caller; never a list."""

    @pytest.fixture(autouse=True)
    def on_a_call(self, bank):
        bank.connect(number=None)

    @pytest.mark.parametrize("value", ["*", "%", "", " ", "_", "+1202555____", "+1202555%", "1"])
    def test_a_wildcard_a_prefix_and_nothing_find_nobody(self, bank, value):
        assert not found(bank, value, by="phone")
        assert bank.sql("SELECT COUNT(*) FROM purpose_candidate") == [(0,)]

    @pytest.mark.parametrize("value", ["0070000%", "007000", "' OR 1=1 --", "0000000000", "*"])
    def test_part_of_an_account_number_finds_nobody(self, bank, value):
        assert not found(bank, value, by="acct")

    @pytest.mark.parametrize(
        "field", ["name", "dob", "national_id", "card", "balance", "postcode", "segment", "email"]
    )
    def test_a_field_that_is_no_identifier(self, bank, field):
        answer = bank.search(customer(1)[field], by=field)
        assert rules(answer) == {"field.set"}
        assert bank.sql("SELECT COUNT(*) FROM purpose_candidate") == [(0,)]

    def test_a_field_that_is_indexed_for_binding_only(self, bank):
        known, unknown = customer(1)["national_id"], "900-12-9999"
        assert body(bank.search(known, by="national_id")) == body(
            bank.search(unknown, by="national_id")
        )

    def test_a_hit_shows_basic_fields_masked_and_nothing_else(self, bank):
        (hit,) = bank.search(customer(1)["acct"], by="acct").hits
        assert {name: shown.shown for name, shown in hit.fields.items()} == {"name": "masked"}
        assert all(value not in text_of(hit) for value in customer(1).values())

    def test_many_different_values_in_one_contact(self, bank):
        for number in (1, 2, 3):
            assert isinstance(bank.search(customer(number)["phone"]), Found)
        assert rules(bank.search(customer(4)["phone"])) == {"budget.searches_contact"}
        assert rules(bank.search(customer(4)["acct"], by="acct")) == {"budget.searches_contact"}
        again = bank.search(customer(2)["phone"])
        assert [hit.customer for hit in again.hits] == [bank.customers["C00002"]]

    def test_the_same_value_in_another_spelling_is_the_same_value(self, bank):
        phone = customer(1)["phone"]
        for text in (phone, f"{phone[:2]} ({phone[2:5]}) {phone[5:8]}-{phone[8:]}"):
            assert len(bank.search(text).hits) == 1
        assert bank.sql("SELECT COUNT(*) FROM purpose_search_value") == [(1,)]

    def test_guessing_costs_more_than_finding(self, bank):
        assert bank.search(customer(1)["phone"]).hits
        assert used(bank, "searches") == 1
        assert not bank.search("+12025550199").hits
        assert used(bank, "searches") == 4

    def test_a_search_that_is_refused_costs_as_much_as_a_miss(self, bank):
        bank.search("900-12-1001", by="national_id")
        assert used(bank, "searches") == 3

    def test_guessing_all_day_ends_when_the_day_is_used_up(self, bank):
        for number in range(400):
            if number % 3 == 0:
                bank.connect(f"CT-{number}", number=None)
                contact = f"CT-{number}"
            answer = bank.search(f"+1202555{number:04d}", contact=contact)
            if isinstance(answer, Refused):
                break
            bank.advance(1)
        assert rules(answer) == {"budget.searches_day"}
        assert number <= 67

    def test_a_value_that_many_customers_share_lists_none_of_them(self, tmp_path):
        bank = crowd(tmp_path / "crowd", 6)
        bank.connect(number=None)
        answer = bank.search("+12025550101")
        assert rules(answer) == {"search.selective"}
        assert bank.sql("SELECT COUNT(*) FROM purpose_candidate") == [(0,)]
        bank.close()

    def test_what_was_searched_stands_nowhere(self, bank):
        secret = "+12025550188"
        bank.search(secret)
        bank.search(secret[1:], by="acct")
        assert secret.encode() not in bank.all_bytes()
        assert secret[2:].encode() not in bank.all_bytes()


def found(bank, value, *, by):
    """Whom a search finds; nobody if the value is not one of the field's type."""
    try:
        return bank.search(value, by=by).hits
    except InvalidInput:
        return ()


def used(bank, kind):
    rows = bank.sql("SELECT SUM(used) FROM decision_budget WHERE kind = ?", kind)
    return rows[0][0]


def crowd(home, count):
    """A house in which several customers have one telephone."""
    bank = new_bank(home)
    rows = [customer(10 + n, phone="+12025550101") for n in range(count)]
    import_customers(bank.house, bank.admin, rows)
    return bank
