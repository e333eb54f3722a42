"""Attacks by whoever sets the clock: a freeze does not end by it, no feed is late by it, nothing lasts longer by it."""

from __future__ import annotations

import msgspec
import pytest

from holdfast.drills.bank.build import CLIENT
from holdfast.edges.dataplane.keeping import Keeping
from holdfast.edges.dataplane.metrics import Metrics
from holdfast.edges.worker.jobs import HANDLERS, SCHEDULES
from holdfast.edges.worker.time import TimeWatch
from holdfast.kit.clock import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from holdfast.kit.db import Round
from holdfast.kit.errors import Conflict, Denied
from holdfast.spine.decision.freezing import require_open
from holdfast.spine.identity.references import reference_of
from holdfast.spine.ledger.recorder import append_signal
from holdfast.spine.ledger.store import CONFIRMED
from holdfast.spine.operations.breaking import Emergency, break_glass
from holdfast.spine.operations.export_job import expire_exports
from holdfast.spine.operations.freeze import Step
from holdfast.spine.operations.search import search
from holdfast.spine.purpose.settle import declare_outage
from holdfast.spine.signals.registry import list_paces
from holdfast.spine.turn.answers import FreezeStands, ProvisionalOpened, Refused, Revealed
from holdfast.vocabulary.levels import GlassReason
from support.answers import rules
from support.approving import approving_bank
from support.bank import customer, new_bank, new_punctual_bank
from support.exporting import Exporter
from support.freezing import ask, person
from support.machine import SetClock, on_machine

MINE = "C00001"
JUMP_US = 5 * HOUR_US


@pytest.fixture
def bank(tmp_path):
    bank = new_bank(tmp_path / "house")
    on_machine(bank)
    yield bank
    bank.close()


@pytest.fixture
def frozen(bank):
    """Frozen for four hours by one user of the client; then somebody sets the clock five hours ahead."""
    users = person(bank, "U0001"), person(bank, "U0002")
    assert isinstance(ask(bank, users[0]), FreezeStands)
    bank.users = users
    bank.clock.machine.set_wall(JUMP_US)
    return bank


def look(bank):
    """Ask in a call that has just begun, so that nothing but the freeze is in the way."""
    bank.agent = bank.new_token(bank.agent)
    bank.connect("CT-5")
    return bank.reveal(MINE, ["name"], contact="CT-5")


def confirm(bank):
    """Confirm the time; who may is another test's."""
    with bank.house.stores() as stores:
        stores.data.execute(CONFIRMED())


# ── a freeze ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_freeze_does_not_end_by_a_jump_that_nobody_has_told_yet(frozen):
    assert rules(look(frozen)) == {"client.open"}


def test_nor_by_one_that_was_told(frozen):
    watch = TimeWatch(frozen.house)
    watch.look()
    assert not frozen.house.clock.step_us(), "it stands in the store"
    assert rules(look(frozen)) == {"client.open"}
    frozen.clock.machine.pass_time(HOUR_US)
    assert rules(look(frozen)) == {"client.open"}


def test_nor_in_a_process_that_is_started_afterwards(frozen):
    TimeWatch(frozen.house).look()
    frozen.clock = frozen.house.clock = SetClock(frozen.clock.machine)
    assert rules(look(frozen)) == {"client.open"}


def test_nor_for_what_is_no_look(frozen):
    TimeWatch(frozen.house).look()
    with pytest.raises(Denied, match="frozen"):
        frozen.house.transact(require_open(CLIENT, frozen.clock.now_us()))
    other = frozen.new_token(frozen.users[1], client=CLIENT)
    frozen.sql("UPDATE identity_credential SET level = 2")
    with pytest.raises(Conflict, match="frozen already"):
        ask(frozen, other)


def test_a_user_of_the_client_confirms_and_lifts_it_meanwhile(frozen):
    TimeWatch(frozen.house).look()
    other = frozen.new_token(frozen.users[1], client=CLIENT)
    frozen.sql("UPDATE identity_credential SET level = 2")
    assert ask(frozen, other, Step.CONFIRM).confirmed
    assert ask(frozen, other, Step.UNFREEZE).state == "open"
    assert isinstance(look(frozen), Revealed)


def test_once_the_time_is_confirmed_it_has_ended(frozen):
    TimeWatch(frozen.house).look()
    assert rules(look(frozen)) == {"client.open"}
    confirm(frozen)
    assert isinstance(look(frozen), Revealed)


def test_what_had_ended_before_the_step_stays_over(bank):
    assert isinstance(ask(bank, person(bank, "U0001")), FreezeStands)
    bank.clock.machine.pass_time(JUMP_US)
    watch = TimeWatch(bank.house)
    watch.look()
    bank.clock.machine.set_wall(JUMP_US)
    watch.look()
    assert not bank.house.time_is_sure
    assert isinstance(look(bank), Revealed)


class Queue:
    """Takes what a data plane would do in its next turn."""

    def __init__(self):
        self.works = []

    def submit(self, work):
        self.works.append(work)


def test_between_noticing_a_step_and_telling_it_the_time_is_doubted_too(frozen):
    queue = Queue()
    Keeping(frozen.house, queue, Metrics()).beat()
    assert rules(look(frozen)) == {"client.open"}, "the data plane's turn has not come"
    (tells,) = queue.works
    frozen.house.transact(tells())
    assert not frozen.house.clock.step_us()
    assert not frozen.house.time_is_sure, "in the same transaction already"


# ── feeds ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def punctual(tmp_path):
    bank = new_punctual_bank(tmp_path / "house")
    on_machine(bank)
    yield bank
    bank.close()


def test_no_feed_is_silent_because_the_clock_jumped(punctual):
    punctual.clock.machine.set_wall(90 * SECOND_US)
    for _ in range(2):
        assert rules(punctual.open_on_word()) == {"provisional.feed_behind"}
        TimeWatch(punctual.house).look()
    states = {one.state.value for one in punctual.house.read(list_paces(punctual.clock.now_us()))}
    assert states == {"unknown"}


def test_ninety_seconds_that_passed_make_it_silent(punctual):
    punctual.clock.machine.pass_time(90 * SECOND_US)
    assert isinstance(punctual.open_on_word(), ProvisionalOpened)


# ── what ends by time does not last longer by a clock that was set back ─────────────────────────────────────────


@pytest.fixture
def approving(tmp_path):
    bank = approving_bank(tmp_path / "house")
    on_machine(bank)
    bank.connect()
    yield bank
    bank.close()


def a_tenth_more(minutes):
    """What passes on the monotonic clock in the worst case, while so much passes on the house's."""
    return minutes * MINUTE_US * 10 // 9 + MINUTE_US


def test_an_approval(approving):
    ident = approving.granted(approving.asked_for())
    approving.clock.machine.set_wall(-10 * HOUR_US)
    approving.clock.machine.pass_time(a_tenth_more(15))
    answer = approving.reveal_with(ident)
    assert isinstance(answer, Refused)
    assert "field.approval" in rules(answer)


def test_an_approval_that_ran_out(approving):
    ident = approving.granted(approving.asked_for())
    approving.clock.machine.pass_time(16 * MINUTE_US)
    before = approving.reveal_with(ident)
    approving.clock.machine.set_wall(-16 * MINUTE_US)
    assert rules(before) == rules(approving.reveal_with(ident))


def test_a_break_glass(approving):
    wanted = Emergency(CLIENT, GlassReason.LIFE_SAFETY, "card-lost", 5, 30)
    who = approving.who(device="desk-1")
    ident = approving.house.transact(break_glass(approving.house, who, wanted)).approval
    approving.decide(ident)
    glass = approving.show(ident, approving.agent).glass

    def find():
        given = msgspec.structs.replace(approving.asked(""), glass=glass, contact_ref=glass)
        work = search(approving.house, given, "phone", customer(1)["phone"])
        return approving.house.transact(work)

    assert not isinstance(find(), Refused)
    approving.clock.machine.set_wall(-10 * HOUR_US)
    approving.clock.machine.pass_time(a_tenth_more(30))
    assert isinstance(find(), Refused)


def test_a_provisional_contact(punctual):
    punctual.clock.machine.pass_time(90 * SECOND_US)
    assert isinstance(punctual.open_on_word(), ProvisionalOpened)
    punctual.clock.machine.set_wall(-10 * HOUR_US)
    punctual.clock.machine.pass_time(a_tenth_more(15))
    answer = punctual.search(customer(1)["phone"], contact="CT-9")
    assert "contact.live" in rules(answer)


def test_an_outage(bank):
    def by(log):
        return reference_of(bank.admin, log)

    declared = declare_outage(
        CLIENT, "feed_down", 1, by=(by, bank.other.id), now_us=bank.clock.now_us()
    )
    bank.house.transact(declared)
    assert isinstance(bank.open_on_word("CT-8", outage=True), ProvisionalOpened)
    bank.clock.machine.set_wall(-10 * HOUR_US)
    bank.clock.machine.pass_time(a_tenth_more(60))
    assert "outage.declared" in rules(bank.open_on_word("CT-9", outage=True))


# ── what destroys ───────────────────────────────────────────────────────────────────────────────────────────────


def a_leaf(bank):
    yield Round(data=(append_signal("house", "feed.malformed", bank.clock.now_us()),))


@pytest.mark.parametrize("told", [False, True])
def test_a_jump_deletes_no_export_and_no_key_that_is_being_prepared(tmp_path, told):
    exporter = Exporter(tmp_path / "house")
    bank = exporter.bank
    ordered = exporter.ordered()
    exporter.run(ordered)
    machine = on_machine(bank)
    file = exporter.file(ordered)

    def prepared():
        add = "INSERT INTO keyring_operation (client, id, customer, record, at_us) VALUES (?, 'op_x', '', '', ?)"
        bank.sql(add, CLIENT, bank.clock.now_us(), keys=True)

    machine.pass_time(49 * HOUR_US)
    expire_exports(bank.house)  # due, and asked for the first time
    prepared()
    machine.set_wall(400 * DAY_US)
    if told:
        TimeWatch(bank.house).look()
    for _ in range(2):
        for schedule in SCHEDULES:
            HANDLERS[schedule.name](bank.house)(None)
        machine.pass_time(10 * MINUTE_US)
        bank.house.transact(a_leaf(bank))
    assert file.exists()
    assert bank.sql("SELECT COUNT(*) FROM keyring_operation WHERE id = 'op_x'", keys=True) == [(1,)]
    bank.close()
