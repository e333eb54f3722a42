"""Whatever a network does to a feed's batches, the stores end the same (SPINE 13)."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.feeds import FEED, FeedHouse
from support.stores import raw

PERSONS = ("ana", "ben")
CONTACTS = ("CT-1", "CT-2", "CT-3")


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    house = FeedHouse(tmp_path_factory.mktemp("intake"))
    yield house
    house.close()


@st.composite
def told(draw) -> list[dict]:
    """What happened to three contacts and two persons in the last minute, as events without their times."""
    kinds = ("queued", "connected", "held", "transferred", "verified", "ended", "logged_out")
    events = []
    for number in range(draw(st.integers(1, 12))):
        kind = draw(st.sampled_from(kinds))
        event = {"id": f"e{number}", "ago": draw(st.integers(0, 60)), "kind": kind}
        if kind in {"connected", "transferred", "logged_out"}:
            event["person"] = draw(st.sampled_from(PERSONS))
        if kind == "verified":
            event["customer"] = draw(st.sampled_from(["+12025550101", "+12025550102"]))
        events.append({**event, "contact": draw(st.sampled_from(CONTACTS))})
    return events


def canonical(house, event: dict) -> dict:
    fields = {"id": event["id"], "person": event.get("person")}
    if "customer" in event:
        fields["customer"] = {"by": {"phone": event["customer"]}}
    if event["kind"] == "logged_out":
        fields |= {"queue": None, "contact": None}
        return house.event("person.logged_out", ago=event["ago"], **fields)
    return house.event(event["kind"], event["contact"], ago=event["ago"], **fields)


def end_of(house, batches: list[list[dict]]) -> tuple:
    """Send the batches to an empty house and return what stands in the end, and what each person can open."""
    for name in ("contact", "presence"):
        raw(house.data, f"DELETE FROM purpose_{name}")
    raw(house.data, "DELETE FROM signals_event")
    accepted = duplicate = 0
    for batch in batches:
        report = house.send(*(canonical(house, event) for event in batch))
        assert report.rejected == ()
        accepted += report.accepted
        duplicate += report.duplicate
    contacts = [house.contact(name) for name in CONTACTS]
    stands = [contact and contact._replace(version=0) for contact in contacts]
    opens = [house.is_open(name, person) for name in CONTACTS for person in PERSONS]
    events = raw(
        house.data, "SELECT event_id FROM signals_event WHERE feed = ? ORDER BY event_id", (FEED,)
    )
    return stands, opens, events, accepted


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told(), st.randoms(use_true_random=False), st.integers(1, 5))
def test_reordered_repeated_and_cut_otherwise_it_ends_the_same(house, events, random, size):
    in_order = end_of(house, [sorted(events, key=lambda event: -event["ago"])])
    mixed = events + random.choices(events, k=len(events))
    random.shuffle(mixed)
    batches = [mixed[start : start + size] for start in range(0, len(mixed), size)]
    assert end_of(house, batches) == in_order


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told(), st.data())
def test_of_several_calls_a_person_has_at_most_the_last_one(house, events, data):
    end_of(house, [data.draw(st.permutations(events))])
    for person in PERSONS:
        connected = [
            event for event in events if event["kind"] == "connected" and event["person"] == person
        ]
        last = min((event["ago"] for event in connected), default=None)
        for name in CONTACTS:
            mine = [
                event["ago"]
                for event in events
                if event["contact"] == name
                and event.get("person") == person
                and event["kind"] in {"connected", "transferred"}
            ]
            if mine and last is not None and min(mine) > last:
                assert not house.is_open(name, person)
