"""Attacks by who would have both: a feed's key says that there is a contact, a token takes it."""

from __future__ import annotations

import pytest

from holdfast.edges.cli.feed import _retired
from holdfast.edges.cli.feed_push import own_key
from holdfast.kit.clock import DAY_US
from holdfast.procedures.access.services import assignments, tokens
from holdfast.procedures.access.services.assignments import Line
from holdfast.spine.administration.refusals import Refused
from holdfast.spine.identity.credentials import Bounds
from holdfast.vocabulary.levels import Role
from support.administering import CLIENT, FEED, Office, as_holder, issued
from support.holders import Holder, pem
from support.stores import raw

CARDS = Line(CLIENT, "cards", ())
BOTH = ("admin.feed_and_token",)


@pytest.fixture
def office(tmp_path):
    office = Office(tmp_path / "house")
    yield office
    office.close()


def token(office, person="A1", *, by=None, **bounds):
    with office.by(by or office.root):
        work = tokens.create_for_person(office, person, life_us=None, bounds=Bounds(**bounds))
        return office.transact(work)


def key_refused(office, **more):
    with pytest.raises(Refused) as caught:
        office.make_key(**more)
    assert caught.value.rules == BOTH


def token_refused(office, *args, **more):
    with pytest.raises(Refused) as caught:
        token(office, *args, **more)
    assert caught.value.rules == BOTH


def test_who_issued_an_agents_token_makes_a_feed_key(office):
    token(office)
    key_refused(office)
    assert office.told("administration.refused")
    office.make_key(by=office.second)  # who issued none, may


def test_who_made_a_feed_key_issues_an_agents_token(office):
    office.make_key()
    token_refused(office)
    assert office.told("administration.refused")
    token(office, by=office.second)


def test_who_made_a_feed_key_issues_a_token_for_this_client_only(office):
    office.make_key()
    token_refused(office, client=CLIENT)
    token(office, client="bank-01")  # this one opens nothing that the feed speaks of


def test_a_token_is_issued_first_and_its_holder_assigned_to_the_client_then(office):
    person = office.person("B1", Role.AGENT)
    token(office, "B1")
    office.make_key()
    with pytest.raises(Refused) as caught:
        office.transact(assignments.assign(office, "B1", CARDS))
    assert caught.value.rules == BOTH
    with office.by(office.second), pytest.raises(Refused):  # whoever does the assigning
        office.transact(assignments.assign(office, "B1", CARDS))
    rows = raw(office.data, "SELECT id FROM identity_assignment WHERE person = ?", (person,))
    assert rows == []


def test_who_made_a_feed_key_is_given_work_and_a_token_by_others(office):
    office.make_key(by=office.second)
    with pytest.raises(Refused) as caught:  # a token to administer with is one that they hold
        office.transact(assignments.assign(office, "second", CARDS, roles=(Role.AGENT,)))
    assert caught.value.rules == BOTH
    office.clock.advance(2 * DAY_US)
    office.transact(assignments.assign(office, "second", CARDS, roles=(Role.AGENT,)))
    token_refused(office, "second")
    token_refused(office, "second", by=office.third, jkt="a-key-of-their-own")


def test_who_works_for_the_client_and_holds_a_token_makes_a_feed_key(office):
    office.transact(assignments.assign(office, "second", CARDS, roles=(Role.AGENT,)))
    token(office, "second", by=office.third)
    key_refused(office, by=office.second)


def test_who_issued_an_agents_token_sends_events_with_the_houses_copy_of_the_key(office):
    office.make_key(by=office.second)
    token(office)
    with pytest.raises(Refused) as caught:
        office.transact(own_key(office, FEED))
    assert caught.value.rules == BOTH


def test_a_future_assignment_is_none_yet(office):
    """Who is to work for the client from tomorrow on counts today."""
    office.person("B1", Role.AGENT)
    term = assignments.Term(starts_us=office.clock.now_us() + DAY_US)
    office.transact(assignments.assign(office, "B1", CARDS, term=term))
    token(office, "B1")
    key_refused(office)


def test_what_is_over_does_not_count(office):
    issued = token(office)
    key_refused(office)
    office.transact(tokens.revoke_token(office, issued.id))
    kid = office.make_key()
    token_refused(office)
    office.transact(_retired(office, FEED, kid))
    token(office)


def test_a_token_bound_to_its_holders_key_is_nothing_to_who_issued_it(office):
    office.make_key()
    token(office, jkt="thumbprint-of-the-agents-key")
    office.make_key()


def test_a_feed_key_that_is_made_with_a_token_which_others_saw(office):
    """Who issued the other administrator's plain token may sit there: the key is theirs, too."""
    seen = issued(office, "second")
    with as_holder(office, seen):
        office.make_key()
    token_refused(office)
    token(office, by=office.third)


def test_a_feed_key_in_the_name_of_the_administrator_whose_token_they_issued(office):
    token(office)
    with as_holder(office, issued(office, "second")):
        key_refused(office)
    holder = Holder()
    own = issued(office, "second", jkt=holder.jkt)
    with as_holder(office, own, key=pem(holder)):
        office.make_key()
