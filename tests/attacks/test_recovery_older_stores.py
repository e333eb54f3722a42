"""Somebody puts older stores back: to read who was erased, to have again what was taken from them, or to unsay."""

from __future__ import annotations

from functools import partial

import pytest

from holdfast.drills.bank.build import CONTRACT, FEED
from holdfast.kit.clock import HOUR_US, rfc3339
from holdfast.kit.errors import Conflict
from holdfast.kit.ids import new_id
from holdfast.kit.process import LockFile
from holdfast.spine.decision.budgets import inherits
from holdfast.spine.decision.contract import compile_contract
from holdfast.spine.decision.publish import By, draft, publish_contract
from holdfast.spine.identity.credentials import revoke
from holdfast.spine.identity.people import change_state
from holdfast.spine.identity.references import credential_reference, reference_of
from holdfast.spine.ledger.memory import Memory
from holdfast.spine.ledger.recorder import append
from holdfast.spine.ledger.registrar import Registrar
from holdfast.spine.purpose.settle import settle_overdue
from holdfast.spine.recovery.alone import SERVE_LOCK
from holdfast.spine.signals import store as signals
from holdfast.spine.turn.answers import ProvisionalOpened, Refused, Revealed
from holdfast.spine.vault.load import load_collection
from holdfast.spine.vault.writer import BatchWriter
from holdfast.vocabulary.leaves import Leaf, LeafType
from holdfast.vocabulary.levels import PersonState
from support.answers import rules
from support.bank import customer
from support.recovery import CLIENT, HOUSE_LOG, LOG, new_restorable
from support.stores import raw


@pytest.fixture
def bank(tmp_path):
    bank = new_restorable(tmp_path / "house")
    yield bank
    bank.close()


def leaf(bank, log, kind, **body):
    """A leaf as an act writes it."""
    now = bank.clock.now_us()
    body = {"by": "p_admin", **body}
    bank.do(append(log, Leaf(kind, new_id("lf", now), now, body)))


def reference(bank, person, log=HOUSE_LOG):
    return bank.house.transact(reference_of(person, log))


def refused(bank, name="C00001"):
    return isinstance(bank.reveal(name, ["name"]), Refused)


# ── the house does not serve ────────────────────────────────────────────────────────────────────────────────────


def test_older_stores_put_back_by_hand_do_not_serve(bank):
    copy = bank.backup()
    bank.shred("C00002")
    bank.publish()
    bank.put_back_by_hand(copy)
    assert "logs.E002" in bank.refusals()


def test_an_older_keys_store_alone_does_not_serve_and_is_made_to_forget(bank):
    copy = bank.backup()
    bank.shred("C00002")
    bank.publish()
    bank.put_back_by_hand(copy, data=False)
    assert list(bank.refusals()) == ["keys.E003"]
    customer = bank.customers["C00002"]
    assert bank.sql("SELECT 1 FROM keyring_dek WHERE customer = ?", customer, keys=True)
    done = bank.repair()
    assert [gap.erased for gap in done.gaps] == [1]
    assert bank.refusals() == {}
    assert not bank.sql("SELECT 1 FROM keyring_dek WHERE customer = ?", customer, keys=True)
    assert not bank.keys_hold(customer)


def test_an_older_data_store_alone_does_not_serve_and_learns_who_is_erased(bank):
    copy = bank.backup()
    bank.shred("C00002")
    bank.publish()
    bank.put_back_by_hand(copy, keys=False)
    assert {"logs.E002", "keys.E003"} == set(bank.refusals())
    bank.repair()
    assert bank.refusals() == {}
    customer = bank.customers["C00002"]
    assert bank.sql("SELECT state FROM vault_customer WHERE id = ?", customer) == [("shredded",)]
    assert not bank.sql("SELECT 1 FROM vault_record WHERE customer = ?", customer)
    assert bank.sql("SELECT COUNT(*) FROM vault_suppression") == [(1,)]


def test_a_log_that_was_set_back_does_not_grow_a_second_history(bank):
    copy = bank.backup()
    bank.connect()
    bank.reveal("C00001", ["name"])
    bank.publish()
    bank.put_back_by_hand(copy)
    bank.connect("CT-9")
    bank.reveal("C00001", ["name"], contact="CT-9")
    registrar = Registrar(bank.house, bank.house.signing_keys)
    assert LOG in registrar.tick().refused
    registrar.close()
    bank.repair()
    assert bank.refusals() == {}
    bank.publish()


def test_a_restore_while_the_house_serves_is_refused(bank):
    copy = bank.backup()
    lock = LockFile(bank.home / SERVE_LOCK)
    lock.acquire()
    with pytest.raises(Conflict, match="is serving"):
        bank.restore(copy)
    lock.release()


def test_a_restore_while_a_command_has_the_store_open_is_refused(bank):
    copy = bank.backup()
    bank.publish()
    with bank.house.stores() as other:
        raw(other.data, "SELECT COUNT(*) FROM ledger_tree")
        with pytest.raises(Conflict, match="another process has"):
            bank.restore(copy)


# ── what was erased stays erased ────────────────────────────────────────────────────────────────────────────────


def test_a_customer_erased_since_the_copy_is_not_readable_after_a_restore(bank):
    bank.connect(number=2)
    assert isinstance(bank.reveal("C00002", ["name"]), Revealed)
    copy = bank.backup()
    bank.shred("C00002")
    bank.publish()
    bank.restore(copy)
    bank.connect("CT-2", number=2)
    assert refused(bank, "C00002")
    assert (
        isinstance(bank.search("+12025550102", contact="CT-2"), Refused)
        or not bank.search("+12025550102", contact="CT-2").hits
    )


def test_a_customer_who_was_never_looked_at_before_the_erasure_is_found_again_in_the_copy(bank):
    """Nobody had asked for them: still the copy knows by which reference the log will call them."""
    copy = bank.backup()
    bank.shred("C00004")
    bank.publish()
    bank.restore(copy)
    customer = bank.customers["C00004"]
    assert not bank.sql("SELECT 1 FROM keyring_dek WHERE customer = ?", customer, keys=True)


def test_an_erasure_that_was_only_ordered_is_carried_out(bank):
    copy = bank.backup()
    bank.shred("C00002", finish=False)
    bank.publish()
    bank.restore(copy)
    assert bank.sql("SELECT state FROM vault_shred") == [("certified",)]
    bank.publish()
    assert len(bank.published_leaves(LOG, "shred.done")) == 1


@pytest.mark.parametrize("only", ["both", "data", "keys"])
def test_an_import_does_not_bring_an_erased_customer_back_whichever_store_is_older(bank, only):
    copy = bank.backup()
    bank.shred("C00002")
    bank.publish()
    bank.put_back_by_hand(copy, data=only != "keys", keys=only != "data")
    bank.repair()
    schema = bank.house.read(load_collection(CLIENT, "customers"))
    with BatchWriter(bank.house, CLIENT, schema, operation="op_x", by="p_x") as writer:
        result = writer.write([customer(2), customer(3)])
    assert (result.new, result.unchanged, result.suppressed) == (0, 1, 1)
    assert bank.sql("SELECT COUNT(*) FROM vault_customer") == [(5,)]


# ── what was taken from somebody stays taken ────────────────────────────────────────────────────────────────────


def test_a_person_suspended_since_the_copy_is_not_active_after_a_restore(bank):
    ref = reference(bank, bank.agent.id)
    bank.publish()
    copy = bank.backup()
    suspended = PersonState.SUSPENDED
    bank.house.transact(change_state(bank.agent.id, PersonState.ACTIVE, suspended))
    leaf(bank, HOUSE_LOG, LeafType.PERSON_SUSPENDED, person=ref)
    leaf(bank, HOUSE_LOG, LeafType.PERSON_RESTORED, person=ref)  # and restored: widens, not redone
    bank.publish()
    done = bank.restore(copy)
    assert bank.sql("SELECT state FROM identity_person WHERE id = ?", bank.agent.id) == [
        ("suspended",)
    ]
    assert [one.type for one in done.listed] == ["person.restored"]
    bank.connect()
    assert refused(bank)


@pytest.mark.parametrize("log", [HOUSE_LOG, LOG])
def test_a_token_revoked_since_the_copy_is_not_accepted_after_a_restore(bank, log):
    copy = bank.backup()
    bank.house.transact(revoke(bank.agent.credential, bank.clock.now_us()))
    token = credential_reference(bank.agent.credential, log)
    leaf(bank, log, LeafType.TOKEN_REVOKED, token=token)
    bank.publish()
    bank.restore(copy)
    assert bank.sql(
        "SELECT revoked_us IS NOT NULL FROM identity_credential WHERE id = ?", bank.agent.credential
    ) == [(1,)]


def test_who_left_or_was_taken_off_since_the_copy_works_for_nobody_after_a_restore(bank):
    refs = [reference(bank, person.id) for person in (bank.agent, bank.other)]
    bank.publish()
    copy = bank.backup()
    leaf(bank, HOUSE_LOG, LeafType.PERSON_LEFT, person=refs[0])
    body = {"person": refs[1], "client": CLIENT, "programme": "cards-in"}
    leaf(bank, HOUSE_LOG, LeafType.PERSON_UNASSIGNED, **body)
    bank.publish()
    bank.restore(copy)
    assert bank.sql("SELECT COUNT(*) FROM identity_assignment WHERE ends_us IS NULL") == [(0,)]
    assert bank.sql("SELECT state FROM identity_person WHERE id = ?", bank.agent.id) == [("left",)]
    live = "SELECT COUNT(*) FROM identity_credential WHERE person = ? AND revoked_us IS NULL"
    assert bank.sql(live, bank.agent.id) == [(0,)]


def test_a_feed_key_retired_since_the_copy_signs_nothing_after_a_restore(bank):
    copy = bank.backup()
    kid = bank.feed_key[0]
    leaf(bank, LOG, LeafType.FEED_KEY_RETIRED, feed=FEED, kid=kid)
    bank.publish()
    bank.restore(copy)
    assert bank.house.read(_active_keys()) == []


def _active_keys():
    from holdfast.kit.db import Round

    (rows,) = yield Round(data=(signals.ACTIVE_KEYS(feed=FEED),))
    return rows


def test_a_client_frozen_since_the_copy_is_frozen_after_a_restore(bank):
    copy = bank.backup()
    until = rfc3339(bank.clock.now_us() + HOUR_US)
    leaf(bank, LOG, LeafType.CLIENT_FROZEN, reason="incident", until=until)
    bank.publish()
    bank.restore(copy)
    bank.connect()
    assert refused(bank)


@pytest.mark.parametrize("copied", ["before", "while it waits"])
def test_whose_word_no_feed_confirmed_opens_no_other_contact_after_a_restore(bank, copied):
    bank.connect()
    bank.reveal("C00001", ["name"])  # the log has a name for the person
    bank.be_punctual()
    copy = bank.backup() if copied == "before" else None
    bank.advance(90)
    assert isinstance(bank.open_on_word(), ProvisionalOpened)
    copy = copy or bank.backup()
    bank.advance(16 * 60)
    bank.house.transact(settle_overdue(bank.clock.now_us()))
    bank.publish()
    bank.restore(copy)
    assert bank.sql("SELECT state FROM purpose_provisional") == [("unreconciled",)]
    bank.be_punctual()
    bank.advance(90)
    assert "provisional.trusted" in rules(bank.open_on_word("CT-10"))


def test_a_contract_narrowed_since_the_copy_lets_nobody_look_under_the_older_one(bank):
    copy = bank.backup()
    body = {"contract": "c", "contract_version": 3, "policies": "p", "signed": False}
    body |= {"changes": [], "second": ""}
    leaf(bank, LOG, LeafType.CONTRACT_PUBLISHED, **body)
    bank.publish()
    done = bank.restore(copy)
    assert "contract.published" in [one.type for one in done.listed]
    bank.connect()
    assert refused(bank)
    assert bank.sql("SELECT state, contract_version FROM decision_client") == [("outdated", 2)]
    by = By(bank.admin, partial(reference_of, bank.admin))
    made = draft(
        CONTRACT, in_force=compile_contract(CONTRACT)
    )  # its very text, confirmed, is the next version
    assert bank.house.transact(publish_contract(made, by, now_us=bank.clock.now_us())).version == 3
    bank.connect("CT-2")
    assert isinstance(bank.reveal("C00001", ["name"], contact="CT-2"), Revealed)


def test_a_contact_that_was_live_when_the_copy_was_made_is_closed_after_a_restore(bank):
    bank.connect()
    copy = bank.backup()
    bank.end()
    bank.publish()
    bank.connect("CT-2")
    bank.reveal("C00001", ["name"], contact="CT-2")
    bank.publish()
    bank.restore(copy)
    assert refused(bank)


def test_the_looks_of_the_gap_count_against_the_budget(bank):
    reference(bank, bank.agent.id, LOG)
    bank.publish()
    copy = bank.backup()
    for number in (1, 2, 3):
        bank.connect(f"CT-{number}", number=number)
        assert isinstance(bank.reveal(f"C0000{number}", ["name"], contact=f"CT-{number}"), Revealed)
    bank.publish()
    used = bank.sql("SELECT customer_mac FROM decision_budget_customer ORDER BY 1")
    bank.restore(copy)
    assert bank.sql("SELECT customer_mac FROM decision_budget_customer ORDER BY 1") == used


def test_who_is_assigned_anew_after_a_restore_does_not_begin_with_a_fresh_budget(bank):
    """The log named the lookers in the gap only, by references: whoever it has no name for may be any of them."""
    copy = bank.backup()
    for number in (1, 2, 3):
        bank.connect(f"CT-{number}", number=number)
        assert isinstance(bank.reveal(f"C0000{number}", ["name"], contact=f"CT-{number}"), Revealed)
        bank.search("+12025550199", contact=f"CT-{number}")
    bank.publish()
    spent = budgets(bank, bank.agent.id)
    assert len(spent) == 4
    bank.restore(copy)
    assert (
        budgets(bank, bank.agent.id) == spent
    )  # assigned in the copy, and without a name in its log
    newcomer = "per_newcomer"
    bank.do(*inherits(CLIENT, newcomer))
    assert budgets(bank, newcomer) == spent
    known = reference(bank, bank.admin, LOG)
    assert known
    bank.do(*inherits(CLIENT, bank.admin))
    assert budgets(bank, bank.admin) == []


def budgets(bank, person):
    return [
        *bank.sql(
            "SELECT customer_mac FROM decision_budget_customer WHERE person = ? ORDER BY 1",
            person,
        ),
        *bank.sql(
            "SELECT kind, SUM(used) FROM decision_budget WHERE person = ? GROUP BY kind", person
        ),
    ]


def test_guesses_of_somebody_unknown_count_against_the_customer(bank):
    copy = bank.backup()
    bank.connect()
    bank.verify("C00001", {"dob": "1901-01-01"})
    bank.publish()
    bank.restore(copy)
    assert bank.sql("SELECT field FROM decision_verify_attempt") == [("dob",)]


@pytest.mark.parametrize("kind", [LeafType.PERSON_SUSPENDED, LeafType.PERSON_LEFT])
def test_a_suspension_of_somebody_whom_the_log_had_not_named_yet_stops_all_it_may_mean(bank, kind):
    """The reference was made in the gap: it may be anybody's who has none here, and nobody's who came since."""
    known = reference(bank, bank.other.id)
    assert known
    bank.publish()
    copy = bank.backup()
    leaf(bank, HOUSE_LOG, kind, person=reference(bank, bank.agent.id))
    bank.publish()
    bank.restore(copy)
    states = dict(bank.sql("SELECT id, state FROM identity_person"))
    assert (states[bank.agent.id], states[bank.other.id]) == ("suspended", "active")


def test_a_suspension_of_somebody_who_came_since_the_copy_stops_nobody_else(bank):
    copy = bank.backup()
    body = {"person": "p_newcomer", "employer": "house", "roles": ["agent"]}
    leaf(bank, HOUSE_LOG, LeafType.PERSON_ADDED, **body)
    leaf(bank, HOUSE_LOG, LeafType.PERSON_SUSPENDED, person="p_newcomer")
    bank.publish()
    bank.restore(copy)
    assert bank.sql("SELECT DISTINCT state FROM identity_person") == [("active",)]


# ── the signer's memory ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_memory_that_was_set_back_with_the_stores_still_knows_what_it_published(bank):
    copy = bank.backup()
    memory = (bank.home / "signing" / "memory.json").read_bytes()
    bank.shred("C00002")
    bank.publish()
    bank.put_back_by_hand(copy)
    (bank.home / "signing" / "memory.json").write_bytes(memory)
    assert "logs.E002" in bank.refusals()
    bank.repair()
    assert bank.sql("SELECT state FROM vault_customer WHERE id = ?", bank.customers["C00002"]) == [
        ("shredded",)
    ]
    bank.publish()
    size = Memory.open(bank.home / "signing").last(bank.house.signing_keys.origin(LOG)).size
    assert size == len(bank.published_leaves(LOG))
