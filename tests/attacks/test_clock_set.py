"""Attacks by whoever sets the machine's clock: nothing that was over opens again, nothing is destroyed by it."""

from __future__ import annotations

import pytest

from holdfast.drills.bank.build import CLIENT
from holdfast.edges.worker.jobs import HANDLERS, SCHEDULES
from holdfast.edges.worker.time import TimeWatch
from holdfast.kit.clock import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from holdfast.kit.config import load_settings
from holdfast.kit.db import Round
from holdfast.kit.errors import HoldfastError, NotAuthenticated
from holdfast.spine.administration.scene import administer
from holdfast.spine.decision.facts import assess
from holdfast.spine.house import open_house
from holdfast.spine.identity.credentials import issue
from holdfast.spine.ledger.recorder import append_signal
from holdfast.spine.timekeeping import begin, confirm, destroyed, may_destroy
from holdfast.vocabulary.acts import Act
from holdfast.vocabulary.facts import FactDeclaration, FactId, FactKind, FactState, StandingFact
from holdfast.vocabulary.levels import Audience
from support.answers import rules
from support.bank import Bank, new_bank
from support.exporting import Exporter, the_file
from support.machine import Machine, SetClock, on_machine
from support.stores import NOON_US, keys_of


@pytest.fixture
def machine():
    return Machine()


@pytest.fixture
def bank(tmp_path, machine):
    template = new_bank(tmp_path / "house")
    template.close()
    bank = Bank(tmp_path / "house", SetClock(machine))
    bank.connect()
    yield bank
    bank.close()


def signals(bank):
    return [
        (leaf["subject"], leaf["count"])
        for leaf in bank.leaves("signal.raised")
        if leaf["signal"] == "clock.stepped"
    ]


# ── the clock itself ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_wall_that_is_set_back_takes_no_time_back_and_stops_none(machine):
    clock = machine.clock()
    before = clock.now_us()
    machine.set_wall(-HOUR_US)
    assert clock.now_us() >= before
    machine.pass_time(10 * MINUTE_US)
    assert clock.now_us() >= before + 9 * MINUTE_US, "what expires goes on expiring"


def test_a_clock_that_is_ahead_is_caught_up_with(machine):
    clock = machine.clock()
    clock.now_us()
    machine.set_wall(-MINUTE_US)
    for _ in range(11):
        machine.pass_time(MINUTE_US)
        clock.now_us()
    assert clock.now_us() == machine.wall_us


@pytest.mark.parametrize(("by_us", "seen"), [(-3, True), (-1, False), (59, False), (61, True)])
def test_steps_are_seen_from_two_seconds_back_and_a_minute_ahead(machine, by_us, seen):
    clock = machine.clock()
    machine.set_wall(by_us * SECOND_US)
    assert clock.take_step() == (by_us * SECOND_US if seen else 0)
    assert clock.take_step() == 0, "once"


def test_many_small_steps_are_one(machine):
    clock = machine.clock()
    steps = 0
    for _ in range(3):
        machine.set_wall(30 * SECOND_US)
        machine.pass_time(SECOND_US)
        steps += clock.take_step()
    assert steps == 90 * SECOND_US


def test_a_clock_that_is_slewed_is_not_accused(machine):
    clock = machine.clock()
    for _ in range(600):
        machine.pass_time(MINUTE_US)
        machine.set_wall(30_000)  # 500 parts in a million
        assert clock.take_step() == 0


# ── what was over stays over ────────────────────────────────────────────────────────────────────────────────────


def test_a_token_that_expired_is_not_accepted_again(bank, machine):
    bank.agent = bank.new_token(bank.agent)
    machine.pass_time(13 * HOUR_US)
    with pytest.raises(NotAuthenticated):
        bank.reveal("C00001", ["name"])
    machine.set_wall(-12 * HOUR_US)
    with pytest.raises(NotAuthenticated):
        bank.reveal("C00001", ["name"])


def test_nor_by_a_process_that_is_started_anew(bank, machine):
    """Its own memory of the time is gone; the tick and the newest leaf are not."""
    bank.agent = bank.new_token(bank.agent)
    machine.pass_time(13 * HOUR_US)
    TimeWatch(bank.house).look()
    machine.set_wall(-12 * HOUR_US)
    house = open_house(load_settings(bank.home, {}), machine.clock())
    bank.house.close()
    bank.house = house
    with pytest.raises(NotAuthenticated):
        bank.reveal("C00001", ["name"])


def test_a_contact_that_closed_does_not_open_again(bank, machine):
    machine.pass_time(2 * HOUR_US)
    assert rules(bank.reveal("C00001", ["name"])) == {"contact.live"}
    machine.set_wall(-2 * HOUR_US)
    assert rules(bank.reveal("C00001", ["name"])) == {"contact.live"}


def test_a_step_up_that_ran_out_is_not_fresh_again(bank, machine):
    asked = bank.reveal("C00001", ["balance"])
    bank.take_step_up(asked.challenge)
    machine.pass_time(30 * MINUTE_US)
    before = bank.reveal("C00001", ["balance"])
    machine.set_wall(-30 * MINUTE_US)
    after = bank.reveal("C00001", ["balance"])
    assert rules(before) == rules(after) == {"level.sensitive"}


# ── what it must not do silently ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("by_us", "told"), [(-HOUR_US, ("back", 3600)), (2 * HOUR_US, ("ahead", 7200))]
)
def test_it_is_told_to_the_house_and_to_the_client_once(bank, machine, by_us, told):
    watch = TimeWatch(bank.house)
    watch.look()
    machine.set_wall(by_us)
    for _ in range(3):
        machine.pass_time(6 * SECOND_US)
        watch.look()
    assert signals(bank) == [told, told], "the house's log and the client's"
    assert not bank.house.time_is_sure


def test_a_clock_set_back_while_nothing_ran_is_told_at_the_start(bank, machine):
    TimeWatch(bank.house).look()
    machine.set_wall(-HOUR_US)
    later = open_house(load_settings(bank.home, {}), machine.clock())
    TimeWatch(later).look()
    later.close()
    ((way, seconds), _) = signals(bank)
    assert way == "back"
    assert 3590 < seconds <= 3600


@pytest.mark.parametrize("kind", [FactKind.ENTITLEMENT, FactKind.IDENTITY_PLACE, FactKind.PURPOSE])
def test_what_wears_off_is_unknown_while_the_clock_is_in_doubt(kind):
    declared = FactDeclaration(
        FactId.EMPLOYER_APPROVED, kind, Audience.SELF, "x", max_age_us=DAY_US
    )
    fresh = StandingFact("per_1", FactId.EMPLOYER_APPROVED, True, "", NOON_US - 5, None, "house")
    assert assess(declared, fresh, NOON_US).state is FactState.KNOWN
    doubted = assess(declared, fresh, NOON_US, time_is_sure=False)
    assert (doubted.state, doubted.met) == (FactState.UNKNOWN, False)


def test_a_restriction_does_not_wear_off_by_a_clock_that_is_in_doubt():
    declared = FactDeclaration(
        FactId.NOT_SUSPENDED, FactKind.RESTRICTION, Audience.SELF, "x", max_age_us=DAY_US
    )
    stands = StandingFact("per_1", FactId.NOT_SUSPENDED, False, "", NOON_US - 5, None, "house")
    assert assess(declared, stands, NOON_US, time_is_sure=False).met is False


def test_a_jump_ahead_destroys_nothing(bank, machine):
    """Counts and remembered requests are dropped after two days; a clock that jumps does not make them old."""
    bank.reveal("C00001", ["name"], key=("again", b"d"))
    kept = bank.sql("SELECT COUNT(*) FROM decision_idempotency")
    watch = TimeWatch(bank.house)
    watch.look()
    machine.set_wall(400 * DAY_US)
    watch.look()
    for schedule in SCHEDULES:
        HANDLERS[schedule.name](bank.house)(None)
    assert bank.sql("SELECT COUNT(*) FROM decision_idempotency") == kept == [(1,)]


def test_what_destroys_waits_a_day_of_leaves_whatever_the_clock_says(bank, machine):
    house = bank.house
    assert not house.transact(may_destroy(house, "lease 1", NOON_US))
    machine.set_wall(3 * DAY_US)
    assert not house.transact(may_destroy(house, "lease 1", NOON_US)), "no leaf was written since"
    machine.set_wall(-3 * DAY_US)
    for _ in range(2):
        machine.pass_time(DAY_US // 2 + MINUTE_US)
        house.transact(bank_leaf(house))
    assert house.transact(may_destroy(house, "lease 1", NOON_US))
    assert not house.transact(may_destroy(house, "lease 2", NOON_US))
    house.transact(destroyed("lease 1"))
    assert not house.transact(may_destroy(house, "lease 1", NOON_US)), "the next one waits again"


def test_a_leaf_from_after_a_jump_is_not_the_second_check(bank, machine):
    """It was asked before; but that it is due, no leaf had said then."""
    house = bank.house
    due_us = bank.clock.now_us() + 30 * DAY_US
    assert not house.transact(may_destroy(house, "lease 1", due_us))
    restarted(bank, machine, jump_us=400 * DAY_US)
    for _ in range(2):
        house = bank.house
        house.transact(bank_leaf(house))
        assert not house.transact(may_destroy(house, "lease 1", due_us))
        machine.pass_time(HOUR_US)


def restarted(bank, machine, *, jump_us, boot=""):
    """All processes are stopped, the wall clock is set, the machine perhaps started anew; then one starts."""
    bank.house.close()
    machine.pass_time(MINUTE_US)
    machine.set_wall(jump_us)
    machine.boot = boot or machine.boot
    bank.clock = SetClock(machine)
    bank.house = open_house(load_settings(bank.home, {}), bank.clock, bank.disk)


def test_a_jump_while_nothing_ran_is_noticed_at_the_start(bank, machine):
    TimeWatch(bank.house).look()
    restarted(bank, machine, jump_us=5 * HOUR_US)
    begin(bank.house)
    assert not bank.house.time_is_sure
    TimeWatch(bank.house).look()
    assert signals(bank)[0][0] == "ahead"
    assert {count for _, count in signals(bank)} == {5 * 3600}


def test_a_long_stop_is_none(bank, machine):
    TimeWatch(bank.house).look()
    machine.pass_time(9 * DAY_US)
    restarted(bank, machine, jump_us=0)
    begin(bank.house)
    TimeWatch(bank.house).look()
    assert bank.house.time_is_sure
    assert signals(bank) == []


def test_after_a_restart_of_the_machine_a_jump_looks_like_a_stop(bank, machine):
    """It is not noticed; the next test shows that it destroys nothing all the same."""
    TimeWatch(bank.house).look()
    restarted(bank, machine, jump_us=400 * DAY_US, boot="boot-2")
    begin(bank.house)
    assert bank.house.time_is_sure


@pytest.mark.parametrize("boot", ["boot-1", "boot-2"])
def test_a_jump_of_a_year_at_the_start_destroys_nothing(tmp_path, boot):
    exporter = Exporter(tmp_path / "export")
    bank, ordered = exporter.bank, exporter.ordered()
    exporter.run(ordered)
    machine = on_machine(bank)
    bank.connect()
    bank.reveal("C00001", ["name"], key=("again", b"d"))
    bank.verify("C00001", {"dob": "1901-01-01"})
    bank.search("+12025550199")
    held(bank)
    every_job(bank)
    before = rows_of(bank)
    restarted(bank, machine, jump_us=400 * DAY_US, boot=boot)
    TimeWatch(bank.house).look()
    for _ in range(4):
        every_job(bank)
        machine.pass_time(2 * HOUR_US)
        bank.house.transact(bank_leaf(bank.house))
    after = rows_of(bank)
    lost = {table: rows - after[table] for table, rows in before.items() if rows - after[table]}
    assert lost == {}
    assert the_file(bank.home, ordered.export)
    bank.close()


def held(bank):
    """A hold that has another day."""
    until_us = bank.clock.now_us() + DAY_US
    row = (CLIENT, "hld_1", bank.customers["C00002"], "c_1", "INC-1", "open", "p_1", 1, until_us)
    bank.sql(
        "INSERT INTO vault_hold (client, id, customer, reference, incident, state, placed_by, placed_us, until_us,"
        " operation, fields, leaf, body, gone_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, '', '[]', '', ?, 0)",
        *row,
        b"",
    )


def every_job(bank):
    for schedule in SCHEDULES:
        HANDLERS[schedule.name](bank.house)(None)


#: What jobs and the passing of time write to, and what is used up, is not evidence.
MOVING = {"jobs_job", "ledger_clock", "ledger_due", "ledger_lease", "ledger_fold", "ledger_pending"}
MOVING |= {"ledger_written", "ledger_placed"}


def rows_of(bank):
    """The keys of all rows of both stores."""
    found = {}
    with bank.house.stores() as stores:
        for store in stores:
            for table in store.tables() - MOVING:
                if not table.startswith(("sqlite_", "django_")):
                    found[table] = keys_of(store, table)
    return found


def bank_leaf(house):
    yield Round(data=(append_signal("house", "feed.malformed", house.clock.now_us()),))


def test_only_who_may_confirm_the_clock_does_and_the_client_reads_who(bank, machine):
    watch = TimeWatch(bank.house)
    watch.look()
    machine.set_wall(2 * HOUR_US)
    watch.look()
    token = bank.new_token(bank.agent).token
    acts_as(bank, token)
    with pytest.raises(HoldfastError):
        bank.house.transact(confirm(bank.house))
    assert not bank.leaves("clock.confirmed")
    assert not bank.house.time_is_sure


def acts_as(bank, token):
    machine = bank.clock.machine
    bank.house.close()
    settings = load_settings(bank.home, {"HOLDFAST_TOKEN": token})
    bank.house = open_house(settings, SetClock(machine), bank.disk)


def test_once_confirmed_ages_count_again(bank, machine):
    watch = TimeWatch(bank.house)
    watch.look()
    machine.set_wall(2 * HOUR_US)
    watch.look()
    admin = type(bank.agent)(bank.admin, "", "", "")
    acts_as(bank, bank.new_token(admin).token)
    bank.house.transact(confirm(bank.house))
    bank.house.transact(may_destroy(bank.house, "x", NOON_US))
    assert bank.house.time_is_sure
    assert len(bank.leaves("clock.confirmed")) == 2


def test_a_token_that_is_over_reads_nothing_in_a_command_that_only_reads(bank, machine):
    now_us = bank.clock.now_us()
    token = bank.house.transact(issue(person=bank.admin, life_us=HOUR_US, now_us=now_us))
    machine.pass_time(2 * HOUR_US)
    bank.house.transact(bank_leaf(bank.house))
    machine.set_wall(-2 * HOUR_US)
    acts_as(bank, token.secret.reveal())
    with pytest.raises(NotAuthenticated):
        bank.house.read(administer(bank.house, Act.PERSON_LIST))
