"""No sequence of calls, people and contracts yields a value without its reason, or without its durable line.

A state machine drives a real house through its operations and keeps its own simple account of what is allowed. Whatever
the house shows must be allowed by that account; whatever it answers must stand in the ledger, committed.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import mkdtemp

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from holdfast.drills.bank.build import CONTRACT
from holdfast.kit.errors import NotAuthenticated
from holdfast.spine.answers import Found, Refused, Revealed, Verified
from holdfast.spine.decision.contract import compile_contract
from holdfast.spine.decision.publish import By, contract_in_force, draft, publish_contract
from holdfast.spine.identity import people
from holdfast.spine.identity.references import reference_of
from holdfast.vocabulary.levels import PersonState
from support.bank import customer, new_bank

WRAP_UP_S = 120
FIELDS = ["name", "phone", "acct", "balance", "card", "email", "dob", "national_id", "postcode"]
SENSITIVE = {"balance", "card", "dob", "national_id"}
NEVER = {"dob", "national_id", "postcode"}
NARROW = CONTRACT.replace(
    '"name", "phone", "acct", "card", "balance", "address"', '"name", "phone"'
)
NUMBERS = st.integers(1, 3)
AGENTS = st.sampled_from(["agent", "other"])


class Call:
    """The account of one contact."""

    def __init__(self, name, agent, number):
        self.name = name
        self.agent = agent
        self.number = number  # of the customer it is bound to; None: not known
        self.found = set()  # customers that its searches found
        self.ended_s = None
        self.stepped_up = False

    def is_open(self, now_s):
        return self.ended_s is None or now_s < self.ended_s + WRAP_UP_S


class House(RuleBasedStateMachine):
    """Two agents, three customers, a contract that changes."""

    @initialize()
    def found(self):
        self.folder = Path(mkdtemp(prefix="holdfast-machine-"))
        self.bank = new_bank(self.folder / "house")
        self.calls = []
        self.contacts = 0
        self.now_s = 0.0
        self.suspended = set()
        self.frozen = False
        self.narrow = False
        self.answers = 0

    def teardown(self):
        if hasattr(self, "bank"):
            self.bank.close()
            shutil.rmtree(self.folder)

    # ── what the world does ─────────────────────────────────────────────────────────────────────────────────────
    @rule(who=AGENTS, number=st.one_of(st.none(), NUMBERS))
    def a_call_comes(self, who, number):
        self.contacts += 1
        name = f"CT-{self.contacts}"
        self.bank.connect(name, number=number, agent=self.agent(who))
        self.calls = [call for call in self.calls if call.agent != who]  # the next call closes it
        self.calls.append(Call(name, who, number))
        self.tick(0.001)

    @precondition(lambda self: self.calls)
    @rule(data=st.data())
    def a_call_ends(self, data):
        call = data.draw(st.sampled_from(self.calls))
        if call.ended_s is None:
            self.bank.end(call.name)
            call.ended_s = self.now_s
            self.tick(0.001)

    @rule(seconds=st.sampled_from([1, 30, 119, 121]))
    def time_passes(self, seconds):
        self.tick(seconds)

    @rule(change=st.sampled_from(["suspend", "close", "publish"]), who=AGENTS)
    def the_house_changes(self, change, who):
        if change == "suspend":
            self.suspend_or_restore(who)
        elif change == "close":
            self.close_or_open()
        else:
            self.publish()

    @rule()
    def all_is_well_again(self):
        for who in sorted(self.suspended):
            self.suspend_or_restore(who)
        if self.frozen:
            self.close_or_open()

    def suspend_or_restore(self, who):
        states = PersonState.ACTIVE, PersonState.SUSPENDED
        before, after = states[::-1] if who in self.suspended else states
        work = people.change_state(self.agent(who).id, before, after)
        assert self.bank.house.transact(work)
        self.suspended ^= {who}

    def close_or_open(self):
        self.frozen = not self.frozen
        state = "frozen" if self.frozen else "open"
        with self.bank.house.stores() as stores:
            stores.data.execute("UPDATE decision_client SET state = ?, fence = fence + 1", (state,))

    def publish(self):
        self.narrow = not self.narrow
        house, admin = self.bank.house, self.bank.admin
        text = NARROW if self.narrow else CONTRACT
        before = compile_contract(house.read(contract_in_force("bank-01"))[0])
        by = By(admin, lambda log: reference_of(admin, log))
        now_us = self.bank.clock.now_us()
        house.transact(publish_contract(draft(text, in_force=before), by, now_us=now_us))

    def choose(self, data):
        """A call, mostly with its own agent and customer."""
        call = data.draw(st.sampled_from(self.calls))
        who = data.draw(st.sampled_from([call.agent] * 5 + ["agent", "other"]))
        number = data.draw(st.sampled_from([call.number or 1] * 4 + [1, 2, 3]))
        self.bank.step_up = None
        return call, who, number

    # ── what agents do ──────────────────────────────────────────────────────────────────────────────────────────
    @precondition(lambda self: self.calls)
    @rule(
        data=st.data(),
        fields=st.lists(st.sampled_from(FIELDS), min_size=1, max_size=4, unique=True),
        step_up=st.booleans(),
    )
    def somebody_looks(self, data, fields, step_up):
        call, who, number = self.choose(data)
        answer = self.ask(self.bank.reveal, self.name(number), fields, call=call, who=who)
        if step_up and isinstance(answer, Refused) and answer.challenge:
            self.bank.take_step_up(answer.challenge)
            call.stepped_up = True
            answer = self.ask(self.bank.reveal, self.name(number), fields, call=call, who=who)
            self.check_shown(answer, call, who, number)
            call.stepped_up = False
        else:
            self.check_shown(answer, call, who, number)

    @precondition(lambda self: self.calls)
    @rule(data=st.data())
    def somebody_searches(self, data):
        call, who, number = self.choose(data)
        answer = self.ask(self.bank.search, customer(number)["phone"], call=call, who=who)
        if isinstance(answer, Found) and answer.hits:
            self.check_may_work(call, who)
            assert call.ended_s is None, "no search in wrap-up"
            for hit in answer.hits:
                assert all(shown.shown == "masked" for shown in hit.fields.values())
                assert customer(number)["name"] not in repr(hit)
            call.found.add(number)

    @precondition(lambda self: self.calls)
    @rule(data=st.data(), right=st.booleans())
    def somebody_verifies(self, data, right):
        call, who, number = self.choose(data)
        of = customer(number if right else number + 1)
        answers = {"dob": of["dob"], "postcode": of["postcode"]}
        answer = self.ask(self.bank.verify, self.name(number), answers, call=call, who=who)
        if isinstance(answer, Verified):
            self.check_may_work(call, who)
            assert answer.match is right
            assert number == call.number or number in call.found
            if answer.bound:
                call.number = number

    # ── the account ─────────────────────────────────────────────────────────────────────────────────────────────
    def ask(self, operation, *args, call, who):
        try:
            answer = operation(*args, contact=call.name, agent=self.agent(who))
        except NotAuthenticated:
            return None
        self.answers += 1
        self.check_line(answer)
        return answer

    def check_line(self, answer):
        rows = self.bank.sql("SELECT entry FROM ledger_pending WHERE leaf = ?", answer.leaf.id)
        assert len(rows) == 1, "an answer without its line"
        assert answer.decision.encode() in bytes(rows[0][0])

    def check_may_work(self, call, who):
        assert who == call.agent
        assert who not in self.suspended
        assert not self.frozen
        assert call.is_open(self.now_s)

    def check_shown(self, answer, call, who, number):
        if not isinstance(answer, Revealed):
            assert answer is None or isinstance(answer, Refused)
            return
        self.check_may_work(call, who)
        assert number == call.number or number in call.found
        truth = customer(number)
        for name, shown in answer.fields.items():
            if shown.value is None:
                assert shown.shown == "withheld"
                continue
            assert name not in NEVER
            assert name != "email", "not in the field set of a dispute"
            assert name in {"name", "phone"} or not self.narrow
            if number != call.number:
                assert name in {"name", "phone"}
            if shown.shown == "clear":
                assert number == call.number
                assert shown.value == truth[name]
                assert name not in SENSITIVE or call.stepped_up
            else:
                assert shown.value != truth[name]

    @invariant()
    def every_answer_has_its_record(self):
        if hasattr(self, "bank"):
            (count,) = self.bank.sql("SELECT COUNT(*) FROM decision_record")[0]
            assert count == self.answers

    def agent(self, who):
        return getattr(self.bank, who)

    def name(self, number):
        return f"C{number:05d}"

    def tick(self, seconds):
        self.now_s += seconds
        self.bank.advance(seconds)


TestHouse = pytest.mark.slow(House.TestCase)
TestHouse.settings = settings(
    max_examples=20,
    stateful_step_count=40,
    deadline=None,
    phases=(
        Phase.explicit,
        Phase.reuse,
        Phase.generate,
    ),  # each step is a real transaction: shrinking takes minutes
)
