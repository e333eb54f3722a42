"""Attacks by what is said, under a genuine signature: a feed opens only what it may, only in time, and only once."""

from __future__ import annotations

import json

import msgspec
import pytest

from holdfast.kit.db import Round
from holdfast.kit.errors import InvalidInput, TooLarge
from holdfast.spine.identity.store import END_ALL_ASSIGNMENTS
from holdfast.spine.purpose import store
from holdfast.spine.purpose.contact import reason_of
from holdfast.spine.purpose.store import PRESENCE
from support.admin import ask
from support.feeds import BILLING, CLIENT, FeedHouse, body_of
from support.stores import full, raw


@pytest.fixture
def house(tmp_path):
    house = FeedHouse(tmp_path)
    yield house
    house.close()


def reasons(report):
    return [(r.reason, r.field) for r in report.rejected]


def of_phone(last):
    return {"by": {"phone": f"+1202555{last}"}}


class TestReplay:
    def test_a_replayed_event_counts_once(self, house):
        event = house.event("connected")
        assert house.send(event).accepted == 1
        report = house.send(event, event)
        assert (report.accepted, report.duplicate) == (0, 2)

    def test_a_replayed_connected_does_not_reopen_an_ended_contact(self, house):
        event = house.event("connected")
        house.send(event)
        house.send(house.event("ended"))
        house.advance(60)
        house.send(event)
        house.advance(100)
        assert not house.is_open()

    def test_the_same_id_with_another_body_is_refused_and_told(self, house):
        event = house.event("connected")
        house.send(event)
        report = house.send({**event, "person": "ben"}, {**event, "contact": "CT-2"})
        assert reasons(report) == [("id_reused", "id"), ("id_reused", "id")]
        assert house.is_open(person="ana")
        assert not house.is_open(person="ben")
        assert house.contact("CT-2") is None
        assert house.leaves("signal.raised")[-1]["signal"] == "feed.id_reused"

    def test_the_same_id_twice_in_one_batch_with_two_bodies(self, house):
        event = house.event("connected")
        report = house.send(event, {**event, "person": "ben"})
        assert reasons(report) == [("id_reused", "id")]
        assert house.is_open(person="ana")

    def test_a_batch_of_copies_counts_once(self, house):
        event = house.event("connected")
        report = house.send(*[event] * 300)
        assert (report.accepted, report.duplicate) == (1, 299)


class TestScope:
    def test_an_event_for_another_client(self, house):
        report = house.send(house.event("connected", client="bank-01"))
        assert reasons(report) == [("other_client", "client")]
        assert house.contact() is None
        assert house.leaves("signal.raised")[0]["signal"] == "feed.out_of_scope"

    def test_an_event_of_a_type_it_may_not_tell(self, house):
        house.add_feed("tel-ivr", types=("contact.verified",))
        key = house.add_key("tel-ivr")
        body = body_of(house.event("connected"))
        report = house.send_body(body, house.header(body, feed="tel-ivr", key=key), feed="tel-ivr")
        assert reasons(report) == [("other_type", "type")]

    @pytest.mark.parametrize(
        ("fields", "expected"),
        [
            ({"queue": "sell"}, ("other_programme", "queue")),
            ({"queue": "sell", "programme": "sales"}, ("other_programme", "programme")),
            # a queue cannot be smuggled in under the name of a programme that it does not belong to
            ({"queue": "sell", "programme": "care"}, ("other_programme", "queue")),
            ({"queue": "billing", "programme": "sales"}, ("other_programme", "programme")),
        ],
    )
    def test_an_event_for_another_programme(self, house, fields, expected):
        house.add_feed("tel-care", programmes=("care",))
        key = house.add_key("tel-care")
        body = body_of(house.event("connected", **fields))
        report = house.send_body(
            body, house.header(body, feed="tel-care", key=key), feed="tel-care"
        )
        assert reasons(report) == [expected]
        assert not house.is_open()

    def test_a_person_who_works_for_another_client(self, house):
        """It learns no more of them than of somebody who does not exist, and closes nothing of theirs."""
        stranger = house._person("zoe", client="bank-01")
        for kind in (
            "contact.connected",
            "contact.transferred",
            "person.logged_in",
            "person.logged_out",
        ):
            told = [
                house.send(house.event(kind, f"CT-{name}", person=name))
                for name in ("zoe", "nobody")
            ]
            assert reasons(told[0]) == [("unknown_person", "person")]
            assert msgspec.json.encode(told[0]) == msgspec.json.encode(told[1])
        assert house.ask(PRESENCE(person=stranger)) == []
        assert house.contact("CT-zoe") is None

    def test_a_person_who_works_for_the_client_no_longer(self, house):
        house.send(house.event("connected", person="ben"))
        now_us = house.clock.now_us()
        left = END_ALL_ASSIGNMENTS(person=house.people["ben"], now=now_us)
        house.transact(ask(left))
        report = house.send(house.event("connected", "CT-2", person="ben"))
        assert reasons(report) == [("unknown_person", "person")]
        assert not house.is_open("CT-2", "ben")

    def test_an_end_of_a_contact_of_another_programme(self, house):
        house.send(house.event("connected", queue="sell"))
        house.add_feed("tel-care", programmes=("care",))
        key = house.add_key("tel-care")
        body = body_of(house.event("ended", queue=None))
        report = house.send_body(
            body, house.header(body, feed="tel-care", key=key), feed="tel-care"
        )
        assert reasons(report) == [("other_programme", "contact")]
        assert house.is_open()

    @pytest.mark.parametrize("site", [None, "bogota"])
    def test_an_event_from_another_site(self, house, site):
        house.add_feed("tel-mnl", sites=("manila",))
        key = house.add_key("tel-mnl")
        body = body_of(house.event("connected", site=site))
        report = house.send_body(body, house.header(body, feed="tel-mnl", key=key), feed="tel-mnl")
        assert reasons(report) == [("other_site", "site")]

    def test_a_person_who_does_not_exist(self, house):
        report = house.send(house.event("connected", person="per_00000000000000000000000000"))
        assert reasons(report) == [("unknown_person", "person")]
        assert not house.is_open()

    @pytest.mark.parametrize(
        ("fields", "expected"),
        [
            ({"queue": "vip"}, ("unknown_queue", "queue")),
            ({"reason": "offer"}, ("unknown_reason", "reason")),
            ({"reason": "everything"}, ("unknown_reason", "reason")),
        ],
    )
    def test_a_queue_or_reason_that_the_contract_does_not_know(self, house, fields, expected):
        report = house.send(house.event("connected", **fields))
        assert reasons(report) == [expected]
        assert not house.is_open()

    def test_a_refused_event_still_takes_the_contact_from_who_had_it(self, house):
        house.send(house.event("connected", ago=5))
        report = house.send(house.event("connected", person="nobody"))
        assert reasons(report) == [("unknown_person", "person")]
        assert not house.is_open()

    def test_a_sealed_contact_id_of_another_client_is_another_contact(self, house):
        house.send(house.event("connected"))
        rows = house.ask(store.CONTACT_REF(client="bank-01", external="CT-1"), of_keys=True)
        assert rows == []


class TestTime:
    def test_a_late_connected_opens_nothing(self, house):
        report = house.send(house.event("connected", ago=121))
        assert reasons(report) == [("too_late", "occurred_at")]
        assert not house.is_open()

    def test_an_event_from_the_future_opens_nothing_now_or_then(self, house):
        event = house.event("connected", ago=-6)
        assert reasons(house.send(event)) == [("too_early", "occurred_at")]
        house.advance(6)
        assert not house.is_open()

    def test_an_end_in_the_far_future_ends_now(self, house):
        house.send(house.event("connected"))
        assert house.send(house.event("ended", ago=-86_400)).accepted == 1
        house.advance(BILLING.wrap_up_s)
        assert not house.is_open()

    def test_an_end_is_an_end_at_any_age(self, house):
        house.send(house.event("connected"))
        house.advance(1000)
        assert house.send(house.event("ended", ago=1000)).accepted == 1
        assert not house.is_open()

    def test_a_late_end_does_not_grant_wrap_up_anew(self, house):
        house.send(house.event("connected"))
        house.advance(600)
        house.send(house.event("ended", ago=300))
        assert not house.is_open()

    @pytest.mark.parametrize("kind", ["connected", "transferred"])
    def test_who_gets_it_after_its_end_has_nothing_to_wrap_up(self, house, kind):
        house.send(house.event("connected", ago=90))
        house.send(house.event("ended", ago=60))
        assert house.is_open()
        house.send(house.event(kind, person="ben", ago=59))
        assert not house.is_open(person="ben")
        assert not house.is_open()

    def test_who_got_it_in_the_second_of_its_end_wraps_up(self, house):
        house.send(house.event("ended", ago=60))
        house.send(house.event("connected", person="ben", ago=60))
        assert house.is_open(person="ben")

    def test_a_late_transfer_gives_the_contact_to_nobody(self, house):
        house.send(house.event("connected"))
        house.advance(300)
        report = house.send(house.event("transferred", ago=200, person="ben"))
        assert reasons(report) == [("too_late", "occurred_at")]
        assert not house.is_open(person="ana")
        assert not house.is_open(person="ben")

    def test_a_late_next_call_closes_the_one_before(self, house):
        house.send(house.event("connected", "CT-1", ago=100))
        house.advance(300)
        house.send(house.event("held", "CT-1"))
        house.send(house.event("connected", "CT-2", ago=200))
        assert not house.is_open("CT-1")
        assert not house.is_open("CT-2")

    def test_a_next_call_from_the_future_closes_nothing(self, house):
        house.send(house.event("connected", "CT-1"))
        house.send(house.event("connected", "CT-2", ago=-3600))
        assert house.is_open("CT-1")

    def test_a_late_identifier_binds_nobody(self, house):
        house.send(house.event("connected", ago=100))
        house.advance(300)
        house.send(house.event("verified", ago=301, customer=of_phone("0101")))
        assert house.contact().customer == ""

    def test_a_late_reason_does_not_change_the_field_set(self, house):
        house.send(house.event("connected", ago=100, reason="bill"))
        house.advance(300)
        house.send(house.event("held", ago=301, reason="plan"))
        assert reason_of(house.contact(), BILLING) == "bill"

    def test_late_events_do_not_keep_a_silent_contact_open(self, house):
        house.send(house.event("connected"))
        for _ in range(4):
            house.advance(1000)
            house.send(house.event("held", ago=130))
        assert not house.is_open()

    def test_a_logout_from_the_future_does_not_lock_the_person_out(self, house):
        out = house.event("person.logged_out", contact=None, queue=None, person="ana", ago=-3600)
        house.send(out)
        house.advance(1)
        house.send(house.event("connected"))
        assert house.is_open()

    @pytest.mark.parametrize("at", ["1969-12-31T23:59:59Z", "0001-01-01T00:00:00Z"])
    def test_a_time_before_time(self, house, at):
        report = house.send({**house.event("connected"), "occurred_at": at})
        assert reasons(report) == [("invalid_value", "occurred_at")]


class TestBinding:
    def test_a_feed_cannot_move_a_contact_that_was_bound_by_verification(self, house):
        house.send(house.event("connected", ago=5))
        contact = house.contact()

        def bind():
            yield Round(
                data=(
                    store.BIND(
                        client=CLIENT, ref=contact.ref, customer="cus_ana", version=1, at_us=1
                    ),
                )
            )

        house.transact(bind())
        house.send(house.event("verified", customer=of_phone("0102")))
        assert house.contact().customer == "cus_ana"
        assert house.leaves("signal.raised")[-1]["signal"] == "contact.identifiers_differ"

    def test_naming_one_customer_after_another_does_not_walk_through_them(self, house):
        house.send(house.event("connected", ago=9, customer=of_phone("0101")))
        house.send(house.event("held", ago=8, customer=of_phone("0102")))
        assert house.contact().customer == ""
        house.send(house.event("held", ago=7, customer=of_phone("0102")))
        assert house.contact().customer == ""

    def test_an_identifier_of_an_erased_customer_binds_nobody(self, house):
        raw(house.data, "UPDATE vault_customer SET state = 'shredding' WHERE id = 'cus_ana'")
        house.send(house.event("connected", customer=of_phone("0101")))
        assert house.contact().customer == ""


class TestMalformed:
    @pytest.mark.parametrize(
        ("change", "reason", "field"),
        [
            ({"id": None}, "missing_field", "id"),
            ({"contact": None}, "missing_field", "contact"),
            ({"queue": None}, "missing_field", "queue"),
            ({"person": None}, "missing_field", "person"),
            ({"person": ""}, "missing_field", "person"),
            ({"occurred_at": None}, "missing_field", "occurred_at"),
            ({"occurred_at": 1_790_000_000}, "invalid_value", "occurred_at"),
            ({"occurred_at": "yesterday"}, "invalid_value", "occurred_at"),
            ({"type": "contact.exploded"}, "invalid_value", "type"),
            ({"contact": "CT\x001"}, "invalid_value", "contact"),
            ({"contact": "CT-1\n"}, "invalid_value", "contact"),
            ({"contact": "../../etc"}, "invalid_value", "contact"),
            ({"contact": "x" * 129}, "invalid_value", "contact"),
            ({"contact": ["CT-1"]}, "invalid_value", "contact"),
            ({"id": {"a": {"b": "c"}}}, "invalid_value", "id"),
            ({"channel": "telepathy"}, "invalid_value", "channel"),
            ({"customer": "+12025550101"}, "invalid_value", "customer"),
            ({"customer": {"by": {}}}, "invalid_value", "customer.by"),
            ({"customer": {"by": {"phone": "1", "name": "x"}}}, "invalid_value", "customer.by"),
            ({"customer": {"by": {"phone": "\x00"}}}, "invalid_value", "customer.by"),
            ({"customer": {"by": {"phone": "9" * 600}}}, "invalid_value", "customer.by"),
            ({"customer": {"id": "cus_ana"}}, "unknown_field", "customer.id"),
            ({"admin": True}, "unknown_field", "admin"),
        ],
    )
    def test_a_wrong_field_is_named_and_nothing_opens(self, house, change, reason, field):
        event = {**house.event("connected"), **change}
        report = house.send({name: value for name, value in event.items() if value is not None})
        (rejected,) = report.rejected
        assert rejected.reason == reason
        assert rejected.field == field
        assert house.contact() is None

    @pytest.mark.parametrize(
        "line",
        [
            b"{",
            b"null",
            b"[1]",
            b'"x"',
            b"\xff\xfe{}",
            b'{"id": "\x00"}',
            b'{"id":' * 5000,
            b"[" * 8000,
            b'{"id": 1e400}',
            b'{"id": NaN}',
        ],
        ids=[
            "cut",
            "null",
            "list",
            "text",
            "utf-16",
            "nul",
            "deep",
            "deeper",
            "huge number",
            "nan",
        ],
    )
    def test_a_line_that_is_no_event_harms_no_other(self, house, line):
        report = house.send_body(line + b"\n" + body_of(house.event("connected")))
        assert report.accepted == 1
        assert [r.line for r in report.rejected] == [1]

    def test_a_deeply_nested_single_body(self, house):
        body = b'{"customer":' * 50_000 + b"1" + b"}" * 50_000
        report = house.send_body(body)
        assert [r.reason for r in report.rejected] == ["line_too_large"]

    def test_a_line_over_its_limit(self, house):
        event = house.event("connected")
        report = house.send_body(body_of(event).replace(b"{", b"{" + b" " * 9000, 1))
        assert [r.reason for r in report.rejected] == ["line_too_large"]

    @pytest.mark.parametrize("body", [b"", b"  \n\n ", b"\xef\xbb\xbf"])
    def test_an_empty_body(self, house, body):
        with pytest.raises(InvalidInput) as refused:
            house.send_body(body)
        assert refused.value.field == "body"

    @pytest.mark.parametrize("body", [b" " * (1 << 20) + b"{}", b"{}\n" * 1001])
    def test_a_body_over_its_limits(self, house, body):
        with pytest.raises(TooLarge) as refused:
            house.send_body(body)
        assert refused.value.field == "body"

    def test_what_was_wrong_is_told_without_the_value(self, house):
        planted = "4111111111111111"
        events = [
            {**house.event("connected"), planted: 1},
            {**house.event("connected"), "type": planted},
            {**house.event("connected"), "customer": {"by": {"phone": planted, planted: planted}}},
            {**house.event("connected"), "customer": {planted: planted}},
            house.event("connected", person=f"x{planted}", queue=f"q{planted}"),
        ]
        report = house.send(*events)
        assert len(report.rejected) == len(events)
        assert planted not in f"{report}{house.leaves('signal.raised')}"
        assert planted.encode() not in house.bytes_of_data()

    def test_a_flood_of_bad_lines_makes_few_rows_and_few_leaves(self, house):
        for _ in range(3):
            house.send_body(b"\n".join([b"{oops"] * 1000))
        assert house.count_rows("signals_dead_letter") <= 150
        assert len(house.leaves("signal.raised")) == 1
        rows = raw(house.data, "SELECT SUM(count) FROM signals_tally")[0]
        assert rows == (3000,)


def test_a_store_that_fails_in_the_middle_leaves_nothing(house):
    """Contacts, event ids and leaves stand or fall together: after a failure the sender may send it all again."""
    event = house.event("connected", customer=of_phone("0101"))
    with full(house.data, "signals_event"), pytest.raises(Exception, match="full"):
        house.send(event)
    assert house.count_rows("purpose_contact") == 0
    assert house.leaves("contact.bound") == []
    assert house.send(event).accepted == 1
    assert house.is_open()


def test_a_report_says_lines_as_the_sender_counted_them(house):
    lines = [house.event("connected"), house.event("connected", client="x"), house.event("held")]
    report = house.send_body(b"\n\n" + b"\n\n".join(body_of(line) for line in lines))
    assert json.loads(msgspec.json.encode(report))["rejected"] == [
        {"line": 5, "reason": "other_client", "field": "client"}
    ]


def test_a_contact_of_two_feeds_is_one_contact(house):
    house.send(house.event("queued", customer=of_phone("0101")))
    house.add_feed("tel-crm")
    key = house.add_key("tel-crm")
    body = body_of(house.event("connected"))
    house.send_body(body, house.header(body, feed="tel-crm", key=key), feed="tel-crm")
    assert house.is_open()
    assert house.contact().customer == "cus_ana"
    assert house.count_rows("purpose_contact") == 1
