"""What an operator of a feed is promised: signed events are taken in once, line by line, and told what was wrong."""

from __future__ import annotations

import json

import pytest

from holdfast.kit.db import Round
from holdfast.kit.errors import NotAuthenticated, Unavailable
from holdfast.spine.purpose import store
from holdfast.spine.signals.batch import open_batch
from holdfast.spine.signals.intake import apply
from holdfast.spine.signals.registry import load_feed
from holdfast.spine.signals.resolve import prepare
from support.feeds import CLIENT, FEED, PHONES, FeedHouse, body_of
from support.stores import raw


@pytest.fixture
def house(tmp_path):
    house = FeedHouse(tmp_path)
    yield house
    house.close()


def by_phone(phone):
    return {"by": {"phone": phone}}


def test_a_connected_contact_is_open_to_its_person_and_to_nobody_else(house):
    report = house.send(house.event("queued"), house.event("connected"))
    assert (report.accepted, report.duplicate, report.rejected) == (2, 0, ())
    assert house.is_open(person="ana")
    assert not house.is_open(person="ben")


def test_one_event_may_be_sent_as_one_json_object_over_several_lines(house):
    report = house.send_body(json.dumps(house.event("connected"), indent=2).encode())
    assert report.accepted == 1


def test_blank_lines_and_windows_line_ends_do_not_matter(house):
    body = body_of(house.event("queued"), house.event("connected")).replace(b"\n", b"\r\n\r\n")
    report = house.send_body(b"\xef\xbb\xbf" + body + b"\r\n")
    assert report.accepted == 2


def test_a_number_that_calls_binds_the_contact_to_the_customer_who_has_it(house):
    house.send(house.event("connected", customer=by_phone("+1 202 555 0101")))
    assert house.contact().customer == "cus_ana"
    (leaf,) = house.leaves("contact.bound")
    assert leaf["how"] == "feed"
    assert leaf["contact"] == house.contact().ref


def test_a_number_that_several_customers_share_binds_nobody(house):
    house.add_customer("cus_cara", "+12025550101")
    assert house.send(house.event("connected", customer=by_phone("+12025550101"))).accepted == 1
    assert house.contact().customer == ""


@pytest.mark.parametrize("phone", ["+12025550199", "anonymous", "unknown"])
def test_a_number_that_nobody_has_binds_nobody_and_is_no_mistake(house, phone):
    assert house.send(house.event("connected", customer=by_phone(phone))).accepted == 1
    assert house.contact().customer == ""
    assert house.is_open()


def test_a_number_of_an_older_version_of_the_record_binds_nobody(house):
    house.add_customer("cus_dan", "+12025550177", version=2, indexed=1)
    house.send(house.event("connected", customer=by_phone("+12025550177")))
    assert house.contact().customer == ""


def test_a_number_that_stayed_while_the_record_changed_binds(house):
    house.add_customer("cus_eve", "+12025550188", version=3, sealed=1, indexed=1)
    house.send(house.event("connected", customer=by_phone("+12025550188")))
    assert house.contact().customer == "cus_eve"


def test_a_record_that_cannot_be_read_binds_nobody_and_stops_no_feed(house):
    house.add_customer("cus_fay", "+12025550189", readable=False)
    report = house.send(house.event("connected", customer=by_phone("+12025550189")))
    assert report.accepted == 1
    assert house.contact().customer == ""


def test_a_field_that_is_indexed_for_binding_only_binds_too(house):
    event = house.event("connected", customer={"by": {"account": "9-000-1"}})
    assert house.send(event).accepted == 1


@pytest.mark.parametrize(
    "field", ["city", "shoe_size", "name"], ids=["no index", "no field", "coarse"]
)
def test_a_field_that_cannot_say_who_calls_is_told(house, field):
    report = house.send(house.event("connected", customer={"by": {field: "x"}}))
    assert [(r.reason, r.field) for r in report.rejected] == [("unknown_identifier", "customer.by")]
    assert not house.is_open()


def test_the_identifier_and_the_contacts_own_id_stand_nowhere_in_the_data_store(house):
    event = house.event("connected", contact="CT-PLANTED", customer=by_phone("+12025550101"))
    late = house.event(
        "connected", contact="CT-PLANTED", ago=900, customer=by_phone("+12025550102")
    )
    house.send(event, late, {**event, "client": "other"})
    stored = house.bytes_of_data()
    assert b"CT-PLANTED" not in stored
    assert not [phone for phone in PHONES if phone[-7:].encode() in stored]


def test_a_person_may_be_named_by_staff_id_by_employer_and_staff_id_or_by_our_id(house):
    for number, name in enumerate(("ana", "house/ana", house.people["ana"])):
        house.send(house.event("connected", f"CT-{number}", person=name, channel="chat"))
        assert house.is_open(f"CT-{number}")


def test_lines_are_judged_one_by_one(house):
    good, bad = house.event("connected"), house.event("connected", "CT-2", person="nobody")
    report = house.send_body(body_of(good, bad) + b"\n{oops\n" + body_of(house.event("held")))
    assert report.accepted == 2
    assert [(r.line, r.reason) for r in report.rejected] == [(2, "unknown_person"), (3, "not_json")]


def test_what_was_refused_is_kept_as_codes_and_told_once_a_minute(house):
    for _ in range(3):
        house.send(house.event("connected", person="nobody"))
    assert house.count_rows("signals_dead_letter") == 3
    (leaf,) = house.leaves("signal.raised")
    assert (leaf["signal"], leaf["subject"], leaf["count"]) == ("feed.unknown_name", "tel-acd", 1)
    house.advance(60)
    house.send(house.event("connected", person="nobody"))
    assert len(house.leaves("signal.raised")) == 2


def test_the_next_call_of_a_person_closes_the_one_before(house):
    house.send(house.event("connected", "CT-1", ago=10))
    house.send(house.event("connected", "CT-2", ago=5))
    assert not house.is_open("CT-1")
    assert house.is_open("CT-2")


def test_the_next_call_closes_the_one_before_even_if_it_is_told_first(house):
    house.send(house.event("connected", "CT-2", ago=5))
    house.send(house.event("connected", "CT-1", ago=10))
    assert not house.is_open("CT-1")
    assert house.is_open("CT-2")


def test_a_person_who_goes_back_to_the_first_call_has_it_again(house):
    house.send(
        house.event("connected", "CT-1", ago=10),
        house.event("connected", "CT-2", ago=5),
        house.event("connected", "CT-1", ago=1),
    )
    assert house.is_open("CT-1")
    assert not house.is_open("CT-2")


def test_logging_out_closes_all_contacts_of_the_person(house):
    house.send(house.event("connected", "CT-1", ago=10))
    out = house.event("person.logged_out", contact=None, queue=None, person="ana")
    assert house.send(out).accepted == 1
    assert not house.is_open("CT-1")


def test_a_batch_over_one_transactions_size_is_taken_in_whole(house):
    events = [house.event("connected", f"CT-{n}", channel="chat") for n in range(450)]
    report = house.send(*events, events[0])
    assert (report.accepted, report.duplicate) == (450, 1)
    assert house.is_open("CT-449")


def test_keys_rotate_by_overlap(house):
    old, new = house.key, house.add_key("tel-acd")
    body = body_of(house.event("connected"))
    assert house.send_body(body, house.header(body, key=old)).accepted == 1
    assert house.send_body(body, house.header(body, key=new)).duplicate == 1
    house.retire(old.kid)
    assert house.send_body(body, house.header(body, key=new)).duplicate == 1
    with pytest.raises(NotAuthenticated):
        house.send_body(body, house.header(body, key=old))


def test_two_identifiers_that_differ_are_told(house):
    house.send(
        house.event("queued", customer=by_phone("+12025550101")),
        house.event("connected", customer=by_phone("+12025550102")),
    )
    assert house.contact().customer == ""
    assert [leaf["signal"] for leaf in house.leaves("signal.raised")] == [
        "contact.identifiers_differ"
    ]


def test_a_feed_with_a_time_zone_may_send_local_times(house):
    house.add_feed("tel-wfm", zone="Asia/Manila")
    key = house.add_key("tel-wfm")
    event = {**house.event("connected"), "occurred_at": "2026-11-23T20:00:00"}
    body = body_of(event)
    assert house.send_body(
        body, house.header(body, feed="tel-wfm", key=key), feed="tel-wfm"
    ).accepted
    report = house.send({**event, "id": "other"})
    assert [(r.reason, r.field) for r in report.rejected] == [("no_offset", "occurred_at")]


def test_each_change_of_a_feed_is_a_leaf_in_its_clients_log(house):
    house.retire(house.key.kid)
    rows = raw(house.data, "SELECT DISTINCT log FROM ledger_pending")
    assert rows == [(f"client-{CLIENT}",)]
    for kind in ("feed.added", "feed.key_added", "feed.key_retired"):
        assert house.leaves(kind)[0]["feed"] == "tel-acd"


def test_a_contact_that_somebody_else_changed_meanwhile_takes_the_whole_part_back(house):
    house.send(house.event("connected", ago=5))
    feed, keys = house.read(load_feed(house.root, FEED))
    body = body_of(house.event("held"), house.event("connected", "CT-2"))
    now_us = house.clock.now_us()
    batch = open_batch(feed, keys, house.header(body), body, name=FEED, now_us=now_us)
    (part,) = house.read(prepare(batch, house.known)).parts()

    def overtaken():
        work = apply(part)
        answers = yield next(work)
        # what another writer of PostgreSQL could do between our reading and our writing
        contact = house.contact()._replace(ended_us=now_us)
        yield Round(data=(store.put_contact(contact),))
        answers = yield work.send(answers)
        work.send(answers)

    with pytest.raises(Unavailable):
        house.transact(overtaken())
    assert house.contact("CT-2") is None
    assert house.send_body(body).accepted == 2
