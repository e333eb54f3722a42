"""No sequence of calls, searches, looks, suspensions and hours shows a value that it should not (SPINE 1, 5, 7).

The machine drives a whole house and knows of each answer only what was promised:

- a value is shown only with a line that another connection can read at once, and the line says how it was shown;
- what is shown in clear is of the customer to whom this very contact is bound, to the person who holds it, while it
  lasts, and that person is neither suspended nor without a token;
- nothing that is only compared is ever shown, and whatever is withheld or refused says why and what to do.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run

from holdfast.kit.errors import Conflict, NotAuthenticated
from holdfast.spine.identity import people
from holdfast.spine.turn.answers import Found, Refused, Revealed, Updated, Verified
from holdfast.vocabulary.levels import PersonState
from support.answers import text_of
from support.bank import customer, new_bank

NUMBERS = (1, 2, 3)
SECRET = ("dob", "national_id", "postcode")
FIELDS = ("name", "phone", "acct", "balance", "address", "email", "card", *SECRET)
WRAP_UP_S, LONGEST_S = 120, 3600

agents = st.sampled_from(("agent", "other"))
numbers = st.sampled_from(NUMBERS)
fields = st.lists(st.sampled_from(FIELDS), min_size=1, max_size=4, unique=True)
picks = st.sampled_from((0, 0, 0, 0, 1, 2))  # mostly the newest call,
askers = st.sampled_from(("holder",) * 6 + ("agent", "other"))  # mostly who holds it,
whose = st.sampled_from((0, 0, 0, 0, 1, 2))  # mostly about the caller
reasons = st.sampled_from(("dispute", "contact-change"))
seldom = st.sampled_from((False,) * 4 + (True,))


@dataclass(frozen=True)
class Call:
    """What the feed has told of a contact, as the machine remembers it; times in seconds."""

    id: str
    holder: str
    since: float
    last: float
    caller: int
    ended: float | None = None
    moved: bool = False  # by a transfer: only a call that connects closes the one before


class Morning(RuleBasedStateMachine):
    """A bank's morning."""

    @initialize()
    def found(self):
        self.folder = Path(tempfile.mkdtemp(prefix="holdfast-path-"))
        self.bank = new_bank(self.folder / "house")
        self.bank.house._own.data.raw.execute("PRAGMA synchronous = OFF")
        self.bank.house._own.keys.raw.execute("PRAGMA synchronous = OFF")
        self.people = {"agent": self.bank.agent, "other": self.bank.other}
        self.suspended, self.revoked = set(), set()
        self.calls = []
        self.now = 0.0
        self.step_ups = {}
        self.changed = set()  # customers whose address was changed
        self.connect("agent", known=True, number=1, reason="contact-change")

    def teardown(self):
        if hasattr(self, "bank"):
            self.bank.close()
            shutil.rmtree(self.folder)

    # ── the world ───────────────────────────────────────────────────────────────────────────────────────────────

    @rule(who=agents, known=st.booleans(), number=numbers, reason=reasons)
    def connect(self, who, known, number, reason):
        call = Call(f"CT-{len(self.calls)}", who, self.now, self.now, number)
        by = {"customer": {"by": {"phone": customer(number)["phone"]}}} if known else {}
        staff = self.people[who].staff_id
        self.bank.send(self.bank.event("connected", call.id, person=staff, reason=reason, **by))
        self.calls.append(call)
        self.pass_time(1)

    @precondition(lambda self: self.calls)
    @rule(pick=picks, who=agents, really=seldom)
    def transfer(self, pick, who, really):
        call = self.call(pick)
        if really and call.ended is None:
            self.bank.send(
                self.bank.event("transferred", call.id, person=self.people[who].staff_id)
            )
            since = call.since if call.holder == who else self.now
            self.put(replace(call, holder=who, since=since, last=self.now, moved=True))
            self.pass_time(1)

    @precondition(lambda self: self.calls)
    @rule(pick=picks, really=seldom)
    def end(self, pick, really):
        call = self.call(pick)
        if really and call.ended is None:
            self.bank.end(call.id)
            self.put(replace(call, ended=self.now, last=self.now))
            self.pass_time(1)

    @rule(seconds=st.sampled_from((1, 1, 1, 30, 119, 600, 3700)))
    def pass_time(self, seconds):
        self.bank.advance(seconds)
        self.now += seconds

    @rule(who=agents, really=seldom)
    def suspend_or_restore(self, who, really):
        if not really and who not in self.suspended:
            return
        states = PersonState.ACTIVE, PersonState.SUSPENDED
        if who in self.suspended:
            states = states[::-1]
        assert self.bank.house.transact(
            people.change_state(self.people[who].id, states[0], states[1])
        )
        self.suspended ^= {who}

    @rule(who=agents, really=seldom)
    def revoke_or_renew(self, who, really):
        if not really and who not in self.revoked:
            return
        if who in self.revoked:
            self.people[who] = self.bank.new_token(self.people[who])
        else:
            self.bank.revoke(self.people[who])
        self.revoked ^= {who}

    # ── requests ────────────────────────────────────────────────────────────────────────────────────────────────

    @precondition(lambda self: self.calls)
    @rule(who=askers, pick=picks, other=whose, by=st.sampled_from(("phone", "acct", "dob")))
    def search(self, who, pick, other, by):
        who, number = self.meant(who, pick, other)

        def ask(call, agent):
            return self.bank.search(customer(number)[by], by=by, contact=call.id, agent=agent)

        answer, call = self.asked(who, pick, ask)
        if isinstance(answer, Found):
            self.may_look(who, call)
            assert by != "dob"
            for hit in answer.hits:
                assert {shown.shown for shown in hit.fields.values()} <= {"masked"}
            assert all(value not in text_of(answer) for value in customer(number).values())

    @precondition(lambda self: self.calls)
    @rule(who=askers, pick=picks, other=whose, right=st.booleans(), two=st.booleans())
    def verify(self, who, pick, other, right, two):
        who, number = self.meant(who, pick, other)

        answers = {"dob": customer(number)["dob"] if right else "1950-01-01"}
        if two:
            answers["postcode"] = customer(number)["postcode"]

        bound = self.bound_to(self.call(pick))

        def ask(call, agent):
            return self.bank.verify(f"C{number:05d}", answers, contact=call.id, agent=agent)

        answer, call = self.asked(who, pick, ask)
        if isinstance(answer, Verified):
            self.may_look(who, call)
            assert answer.match == right
            mine = self.bank.customers[f"C{number:05d}"]
            assert two or bound == mine
            assert not answer.bound or self.bound_to(call) == mine

    @precondition(lambda self: self.calls)
    @rule(who=askers, pick=picks, other=whose, names=fields)
    def reveal(self, who, pick, other, names):
        who, number = self.meant(who, pick, other)

        def ask(call, agent):
            return self.bank.reveal(f"C{number:05d}", names, contact=call.id, agent=agent)

        answer, call = self.asked(who, pick, ask)
        if isinstance(answer, Revealed):
            self.may_look(who, call)
            self.shown_rightly(answer, call, number)

    @precondition(lambda self: self.calls)
    @rule(who=askers, pick=picks, other=whose)
    def update(self, who, pick, other):
        who, number = self.meant(who, pick, other)

        bound = self.bound_to(self.call(pick))

        def ask(call, agent):
            values = {"address": f"{number} New Street"}
            return self.bank.update(f"C{number:05d}", values, contact=call.id, agent=agent)

        answer, call = self.asked(who, pick, ask)
        if isinstance(answer, Updated):
            self.may_look(who, call)
            assert bound == self.bank.customers[f"C{number:05d}"]
            self.changed.add(number)

    @precondition(lambda self: self.calls)
    @rule(who=askers, pick=picks, reason=st.sampled_from(("contact-change", "card-lost", "x")))
    def change_reason(self, who, pick, reason):
        who, _ = self.meant(who, pick, 0)

        def ask(call, agent):
            return self.bank.change_reason(reason, contact=call.id, agent=agent)

        answer, call = self.asked(who, pick, ask)
        if not isinstance(answer, Refused | None):
            self.may_look(who, call)
            assert reason != "x"

    # ── what was promised ───────────────────────────────────────────────────────────────────────────────────────

    def asked(self, who, pick, ask):
        """Ask as ``who`` and check what holds for every answer; no answer without an accepted token."""
        call, before = self.call(pick), self.count()
        self.bank.step_up = self.step_ups.get((who, call.id))
        try:
            answer = ask(call, self.people[who])
        except NotAuthenticated:
            assert who in self.revoked
            assert self.count() == before
            return None, call
        except Conflict:
            assert self.count() == before
            return None, call
        assert who not in self.revoked
        self.has_its_line(answer)
        assert not any(customer(n)[name] in text_of(answer) for n in NUMBERS for name in SECRET[:2])
        if isinstance(answer, Refused):
            assert answer.reasons
            assert all(reason.rule and reason.remedy.text for reason in answer.reasons)
            if answer.challenge:
                self.bank.take_step_up(answer.challenge)
                self.step_ups[who, call.id] = self.bank.step_up
        return answer, call

    def has_its_line(self, answer):
        """Another connection reads the line at once, and it says what was shown."""
        ((entry,),) = self.bank.sql(
            "SELECT entry FROM ledger_pending WHERE leaf = ?", answer.leaf.id
        )
        line = json.loads(entry)
        assert line["decision"] == answer.decision
        if isinstance(answer, Refused):
            assert line["outcome"] in {"deny", "step_up", "approval"}
            assert not set(line["fields"].values()) & {"clear", "masked"}
        else:
            assert line["outcome"] in {"permit", "partial"}
        if isinstance(answer, Revealed):
            assert line["fields"] == {name: one.shown for name, one in answer.fields.items()}

    def may_look(self, who, call):
        """The person works here, and holds a contact that is not over."""
        assert who not in self.suspended
        assert call.holder == who
        assert call.ended is None or self.now < call.ended + WRAP_UP_S
        assert call.ended is not None or self.now < call.last + LONGEST_S
        later = [other for other in self.calls if other.id != call.id and other.holder == who]
        assert not any(other.since > call.since for other in later if not other.moved)

    def shown_rightly(self, answer, call, number):
        bound = self.bound_to(call) == self.bank.customers[f"C{number:05d}"]
        true = customer(number)
        if number in self.changed:
            true["address"] = f"{number} New Street"
        for name, one in answer.fields.items():
            if one.shown == "withheld":
                assert one.value is None
                assert one.reasons
                assert all(reason.remedy.text for reason in one.reasons)
                continue
            assert name not in SECRET
            assert (one.value == true[name]) == (one.shown == "clear")
            if one.shown == "clear":
                assert bound
                assert name != "card"

    def bound_to(self, call):
        ((ref,),) = self.bank.sql(
            "SELECT ref FROM keyring_contact WHERE external = ?", call.id, keys=True
        )
        return self.bank.sql("SELECT customer FROM purpose_contact WHERE ref = ?", ref)[0][0]

    def meant(self, who, pick, other):
        """Who asks, and about which customer: the caller, or one of the others."""
        call = self.call(pick)
        number = NUMBERS[(call.caller - 1 + other) % len(NUMBERS)]
        return call.holder if who == "holder" else who, number

    def count(self):
        return self.bank.sql("SELECT COUNT(*) FROM ledger_pending")[0][0]

    def call(self, pick):
        return self.calls[-1 - pick % len(self.calls)]

    def put(self, call):
        self.calls = [call if one.id == call.id else one for one in self.calls]


def test_no_sequence_shows_a_value_without_right_and_line():
    run(
        Morning,
        settings=settings(
            max_examples=30,
            stateful_step_count=40,
            suppress_health_check=list(HealthCheck),
        ),
    )
