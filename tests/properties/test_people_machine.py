"""No sequence of acts leaves a suspended or departed person with a credential that opens anything.

The machine drives the administrator's own use cases on a real store and compares with the plainest model of what was
promised; it also checks that each act left its leaves, and that clients hear of whoever could reach their data.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from holdfast.kit.clock import HOUR_US, MINUTE_US
from holdfast.kit.db import Round
from holdfast.kit.errors import Conflict, HoldfastError, NotAuthenticated
from holdfast.procedures.access.services import assignments, people, tokens
from holdfast.procedures.access.services.assignments import Line
from holdfast.spine.decision import store as decisions
from holdfast.spine.identity import store
from holdfast.spine.identity.acting import os_user
from holdfast.spine.identity.credentials import Bounds, hash_secret
from holdfast.spine.identity.facts import assigned_at, person_facts
from holdfast.spine.identity.people import add_person
from holdfast.spine.identity.references import credential_reference
from holdfast.spine.identity.requester import level_of, requester_of, step_up_of
from holdfast.vocabulary.levels import AuthLevel, Role
from support.stores import SmallHouse, raw

CLIENTS = ("bank-01", "bank-02")
clients = st.sampled_from(CLIENTS)


def ask(*queries):
    return (yield Round(data=queries))


class People(RuleBasedStateMachine):
    """Persons, their assignments and their tokens, as an administrator changes them."""

    persons = Bundle("persons")
    issued = Bundle("issued")

    @initialize(target=persons)
    def found(self):
        self.folder = Path(tempfile.mkdtemp(prefix="holdfast-people-"))
        self.house = SmallHouse(self.folder / "house")
        self.house.data.raw.execute("PRAGMA synchronous = OFF")
        self.house.transact(self._founding())
        self.state = {}
        self.assigned = set()  # (person, client)
        self.tokens = {}  # secret → (person, expires, client it is bound to)
        self.seconds = {}  # secret → (person, client, contact, expires)
        self.dead = set()
        self.ids = {}  # secret → token id
        self.count = 0
        first = [self.join(), self.join()]
        for person in first:
            self.assign(person, CLIENTS[0])
        return multiple(*first)

    def _founding(self):
        yield Round(data=(store.ADD_EMPLOYER(id="house", name="House"),))
        yield from add_person(
            staff_id="root",
            employer="house",
            roles=(Role.ADMIN,),
            os_user=os_user(),
            now_us=self.house.clock.now_us(),
        )
        yield Round(
            data=tuple(
                decisions.ADD_CLIENT(client=client, name=client, added_us=0) for client in CLIENTS
            )
        )

    def teardown(self):
        if hasattr(self, "house"):
            self.house.close()
            shutil.rmtree(self.folder)

    def now(self):
        return self.house.clock.now_us()

    def leaves(self):
        rows = raw(self.house.data, "SELECT log, entry FROM ledger_pending")
        return [(log, json.loads(bytes(entry))) for log, entry in rows]

    def reaches(self, person):
        return {client for who, client in self.assigned if who == person}

    def act(self, work, leaf, logs):
        """Run an act that must succeed; it leaves one leaf in each of ``logs``."""
        before = self.leaves()
        done = self.house.transact(work)
        fresh = self.leaves()[len(before) :]
        told = sorted(log for log, entry in fresh if entry["type"] == leaf)
        assert told == sorted(logs)
        return done

    def refused(self, work):
        """Run an act that must be refused; it leaves nothing."""
        before = self.leaves()
        try:
            self.house.transact(work)
        except Conflict:
            assert self.leaves() == before
        else:
            raise AssertionError("was not refused")

    @rule(target=persons)
    def join(self):
        self.count += 1
        work = people.add_person(
            self.house, f"A{self.count}", employer="house", roles=(Role.AGENT,)
        )
        member, _ = self.act(work, "person.added", ["house"])
        self.state[member.id] = "active"
        return member.id

    @rule(person=persons)
    def suspend(self, person):
        work = people.suspend(self.house, person)
        if self.state[person] != "active":
            self.refused(work)
            return
        self.act(work, "person.suspended", self._told(person))
        self.state[person] = "suspended"

    @rule(person=persons)
    def restore(self, person):
        work = people.restore(self.house, person)
        if self.state[person] != "suspended":
            self.refused(work)
            return
        self.act(work, "person.restored", self._told(person))
        self.state[person] = "active"

    @rule(person=persons)
    def leave(self, person):
        work = people.leave(self.house, person)
        if self.state[person] == "left":
            self.refused(work)
            return
        self.act(work, "person.left", self._told(person))
        self.state[person] = "left"
        self.assigned -= {(person, client) for client in CLIENTS}
        self._revoked_of(person)

    def _told(self, person):
        return ["house", *(f"client-{client}" for client in self.reaches(person))]

    @rule(person=persons, client=clients)
    def assign(self, person, client):
        line = Line(client, "cards", ("in",))
        work = assignments.assign(self.house, person, line)
        if self.state[person] == "left":
            self.refused(work)
            return
        self.act(work, "person.assigned", ["house", f"client-{client}"])
        self.assigned.add((person, client))

    @rule(person=persons, client=clients)
    def unassign(self, person, client):
        work = assignments.unassign(self.house, person, Line(client, "cards", ("in",)))
        if (person, client) not in self.assigned:
            self.refused(work)
            return
        self.act(work, "person.unassigned", ["house", f"client-{client}"])
        self.assigned.discard((person, client))

    @rule(target=issued, person=persons, bound=st.sampled_from(("", *CLIENTS)))
    def issue(self, person, bound):
        work = tokens.create_for_person(
            self.house, person, life_us=HOUR_US, bounds=Bounds(client=bound)
        )
        if self.state[person] != "active":
            self.refused(work)
            return ""
        reached = self.reaches(person) & ({bound} if bound else set(CLIENTS))
        token = self.act(
            work, "token.created", ["house", *(f"client-{client}" for client in reached)]
        )
        secret = token.secret.reveal()
        self.tokens[secret] = (person, self.now() + HOUR_US, bound)
        self.ids[secret] = token.id
        return secret

    @rule(target=issued, person=persons, client=clients)
    def step_up(self, person, client):
        self.count += 1
        challenge, now = f"stp_{self.count}", self.now()
        self.house.transact(
            ask(
                decisions.ADD_CHALLENGE(
                    id=challenge,
                    client=client,
                    person=person,
                    contact="ct_1",
                    level=2,
                    decision="dec_1",
                    created_us=now,
                    expires_us=now + MINUTE_US,
                )
            )
        )
        if self.state[person] != "active":
            self.refused(tokens.step_up(self.house, challenge))
            return ""
        token, _ = self.act(
            tokens.step_up(self.house, challenge),
            "token.stepped_up",
            ["house", f"client-{client}"],
        )
        self.refused(tokens.step_up(self.house, challenge))
        secret = token.secret.reveal()
        self.seconds[secret] = (person, client, "ct_1", now + 5 * MINUTE_US)
        self.ids[secret] = token.id
        return secret

    @rule(secret=issued)
    def revoke(self, secret):
        if not secret:
            return
        work = tokens.revoke_token(self.house, self.ids[secret])
        if secret in self.dead:
            self.refused(work)
            return
        self.house.transact(work)
        self.dead.add(secret)

    @rule(person=persons)
    def revoke_all(self, person):
        self.house.transact(tokens.revoke_of_person(self.house, person))
        self._revoked_of(person)

    def _revoked_of(self, person):
        """What has not run out by itself is revoked with its person."""
        for secret, (who, *_, expires) in self.seconds.items():
            if who == person and expires > self.now():
                self.dead.add(secret)
        for secret, (who, expires, _) in self.tokens.items():
            if who == person and expires > self.now():
                self.dead.add(secret)

    @rule(minutes=st.sampled_from([1, 6, 61]))
    def wait(self, minutes):
        self.house.clock.advance(minutes * MINUTE_US)

    def row(self, secret):
        rows = self.house.read(ask(store.CREDENTIAL(secret_hash=hash_secret(secret))))[0]
        return rows[0] if rows else None

    def opens(self, secret, client):
        """Whether the secret makes a requester whom nothing of identity refuses at this client."""
        try:
            asks = requester_of(self.row(secret), self.now())
        except NotAuthenticated:
            return False
        rows = self.house.read(ask(store.ASSIGNMENTS(person=asks.person, client=client)))[0]
        facts = person_facts(asks, assigned_at(rows, self.now()), client=client, employers=())
        return all(value.met for value in facts.values())

    @invariant()
    def a_token_opens_exactly_what_was_promised(self):
        for secret, (person, expires, bound) in getattr(self, "tokens", {}).items():
            for client in CLIENTS:
                expected = (
                    self.state[person] == "active"
                    and (person, client) in self.assigned
                    and expires > self.now()
                    and secret not in self.dead
                    and bound in {"", client}
                )
                assert self.opens(secret, client) is expected

    @invariant()
    def a_second_token_opens_nothing_alone_and_lifts_its_own_only(self):
        for secret, (person, client, contact, expires) in getattr(self, "seconds", {}).items():
            assert not self.opens(secret, client)
            lift = step_up_of(self.row(secret), self.now())
            good = expires > self.now() and secret not in self.dead
            assert (lift is not None) is good
            for first, (other, *_) in self.tokens.items():
                try:
                    asks = requester_of(self.row(first), self.now())
                except HoldfastError:
                    continue
                level = level_of(asks, lift, client=client, contact=contact)
                assert (level is AuthLevel.STEP_UP) is (good and other == person)

    @invariant()
    def a_client_heard_of_every_token_that_opens_its_data(self):
        if not getattr(self, "tokens", None):
            return
        heard = {
            (log, entry["token"])
            for log, entry in self.leaves()
            if entry["type"] == "token.created"
        }
        for secret in self.tokens:
            for client in CLIENTS:
                log = f"client-{client}"
                if self.opens(secret, client):
                    assert (log, credential_reference(self.ids[secret], log)) in heard

    @invariant()
    def leaves_name_nobody(self):
        text = json.dumps(self.leaves()) if hasattr(self, "house") else ""
        assert "per_" not in text
        assert "hft_" not in text
        assert '"A1"' not in text


def test_no_sequence_of_acts_leaves_who_is_gone_with_a_working_credential():
    from hypothesis import settings

    run_state_machine_as_test(People, settings=settings(max_examples=40, stateful_step_count=30))
