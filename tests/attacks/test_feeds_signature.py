"""Attacks on who speaks: nothing is written, and the answer does not say what would have been right."""

from __future__ import annotations

import pytest

from holdfast.kit.clock import SECOND_US
from holdfast.kit.errors import HoldfastError, IntegrityBroken, InvalidInput, NotAuthenticated
from holdfast.spine.signals.batch import open_batch
from holdfast.spine.signals.envelope import sign
from holdfast.spine.signals.intake import apply
from holdfast.spine.signals.registry import load_feed
from holdfast.spine.signals.resolve import prepare
from support.feeds import FEED, FeedHouse, another_key, body_of
from support.stores import raw


@pytest.fixture
def house(tmp_path):
    house = FeedHouse(tmp_path)
    yield house
    house.close()


@pytest.fixture
def body(house):
    return body_of(house.event("connected"))


def assert_refused(house, body, header, error=NotAuthenticated, feed=FEED):
    before = raw(house.data, "SELECT COUNT(*) FROM ledger_pending")[0]
    with pytest.raises(error) as refused:
        house.send_body(body, header, feed=feed)
    assert house.contact() is None
    assert house.count_rows("signals_event") == house.count_rows("signals_dead_letter") == 0
    assert raw(house.data, "SELECT COUNT(*) FROM ledger_pending")[0] == before
    return refused.value


def test_a_forged_signature(house, body):
    assert_refused(house, body, house.header(body, key=another_key(house.key.kid)))


def test_a_signature_of_all_zeros(house, body):
    t = house.clock.now_us() // SECOND_US
    assert_refused(house, body, f"t={t},kid={house.key.kid},v1={'0' * 64}")


def test_a_body_changed_by_one_byte_after_signing(house, body):
    assert_refused(house, body.replace(b"ana", b"ben"), house.header(body))


def test_a_line_added_after_signing(house, body):
    more = body + b"\n" + body_of(house.event("connected", "CT-2"))
    assert_refused(house, more, house.header(body))


def test_a_signature_made_for_another_feed_of_the_same_client(house, body):
    house.add_feed("tel-crm")
    assert_refused(house, body, house.header(body, feed="tel-crm"))


def test_a_key_of_another_feed(house, body):
    house.add_feed("tel-crm")
    assert_refused(house, body, house.header(body, key=house.add_key("tel-crm")))


def test_a_feed_that_does_not_exist_looks_like_a_forged_signature(house, body):
    unknown = assert_refused(house, body, house.header(body, feed="nobody"), feed="nobody")
    forged = assert_refused(house, body, house.header(body, key=another_key()))
    assert (unknown.code, unknown.message, unknown.remedy) == (
        forged.code,
        forged.message,
        forged.remedy,
    )


def test_a_retired_key(house, body):
    house.retire(house.key.kid)
    assert_refused(house, body, house.header(body))


def test_a_key_retired_between_its_check_and_the_write(house, body):
    feed, keys = house.read(load_feed(house.root, FEED))
    header = house.header(body)
    batch = open_batch(feed, keys, header, body, name=FEED, now_us=house.clock.now_us())
    (part,) = house.read(prepare(batch, house.known)).parts()
    house.retire(house.key.kid)
    with pytest.raises(NotAuthenticated):
        house.transact(apply(part))
    assert house.contact() is None


@pytest.mark.parametrize("age", [301, -301, 10**6], ids=["old", "from the future", "very old"])
def test_a_stale_timestamp(house, body, age):
    assert (
        "Holdfast-Signature.t" in assert_refused(house, body, house.header(body, age=age)).message
    )


def test_a_recorded_batch_sent_again_later(house, body):
    header = house.header(body)
    house.send_body(body, header)
    house.send(house.event("ended"))
    house.advance(301)
    with pytest.raises(NotAuthenticated):
        house.send_body(body, header)
    assert not house.is_open()


def test_a_timestamp_moved_to_now_without_signing_anew(house, body):
    header = house.header(body, age=400)
    now = house.clock.now_us() // SECOND_US
    assert_refused(house, body, header.replace(f"t={now - 400}", f"t={now}"))


def test_a_full_stop_moved_from_one_signed_part_to_the_next(house, body):
    # "kid.name.t.body": a kid with a full stop in it could borrow from the name
    t = house.clock.now_us() // SECOND_US
    mac = sign(house.key, FEED, t, body).rpartition("v1=")[2]
    header = f"t={t},kid={house.key.kid}.{FEED},v1={mac}"
    assert_refused(house, body, header, InvalidInput, feed=FEED)


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("v1", "Holdfast-Signature.v1"),
        ("Bearer abc", "Holdfast-Signature"),
        ("t=1,kid=k", "Holdfast-Signature.v1"),
        ("t=1,t=2,kid=k,v1={mac}", "Holdfast-Signature"),
        ("t=1,kid=k,v1={mac},v0=x", "Holdfast-Signature"),
        ("t=-1,kid=k,v1={mac}", "Holdfast-Signature.t"),
        ("t=1e9,kid=k,v1={mac}", "Holdfast-Signature.t"),
        ("t=99999999999999999999,kid=k,v1={mac}", "Holdfast-Signature.t"),
        ("t=1,kid=../x,v1={mac}", "Holdfast-Signature.kid"),
        ("t=1,kid=k,v1={mac}00", "Holdfast-Signature.v1"),
        ("t=1,kid=k,v1=" + "g" * 64, "Holdfast-Signature.v1"),
        ("t=١,kid=k,v1={mac}", "Holdfast-Signature.t"),
        ("t=1,kid=k\n,v1={mac}", "Holdfast-Signature.kid"),
        ("t=1," + "x" * 600, "Holdfast-Signature"),
    ],
)
def test_a_malformed_header_is_told_which_part_is_wrong(house, body, header, field):
    error = assert_refused(house, body, header.replace("{mac}", "0" * 64), InvalidInput)
    assert error.field == field


def test_no_header_at_all(house, body):
    assert_refused(house, body, "")


def test_a_body_is_not_read_before_its_signature_is_verified(house):
    for body in (b"", b"[" * 100_000, b"\xff", b"{}" * 10_000, b"x" * (2 << 20)):
        assert_refused(house, body, house.header(body, key=another_key()))


def test_a_sealed_key_moved_to_another_feed_in_the_database(house, body):
    house.add_feed("tel-crm")
    raw(house.data, "UPDATE signals_feed_key SET feed = 'tel-crm'")
    assert_refused(house, body, house.header(body, feed="tel-crm"), IntegrityBroken, feed="tel-crm")


def test_no_error_or_repr_shows_a_secret(house, body):
    secret = house.key.secret.reveal().decode()
    feed, keys = house.read(load_feed(house.root, FEED))
    assert secret not in f"{house.key!r}{feed!r}{keys!r}"
    assert feed.digest_key.reveal().hex() not in f"{feed!r}"
    with pytest.raises(HoldfastError) as error:
        house.send_body(body, house.header(body, key=another_key()))
    assert secret not in f"{error.value!r}{error.value.remedy}"
    assert secret.encode() not in house.bytes_of_data()
