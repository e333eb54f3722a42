"""Attacks around the rotation of the key that signs permits: the old key, a second rotation, somebody else's hand."""

from __future__ import annotations

import dataclasses
import threading

import msgspec
import pytest

from holdfast.kit.clock import MINUTE_US, SECOND_US
from holdfast.kit.errors import Conflict, NotFound
from holdfast.kit.secret import Secret
from holdfast.spine.actions.permits import PermitKey
from holdfast.spine.administration.refusals import Refused
from holdfast.spine.house import open_house
from holdfast.spine.operations.permit_key import rotate_permit_key, tell_rotation
from holdfast.spine.turn.answers import OutcomeTaken
from support.acting import Target, permitted
from support.bank import Agent, new_bank
from support.freezing import acting


@pytest.fixture
def bank(tmp_path):
    bank = new_bank(tmp_path / "house")
    yield bank
    bank.close()


@pytest.fixture
def crm(bank):
    return Target(bank)


def published(bank):
    """The ids of the keys that a target finds now."""
    found = bank.house.permit_keys().jwk_set(bank.clock.now_us())["keys"]
    return [one["kid"] for one in found]


def signing(bank):
    return bank.house.permit_keys().signing(bank.clock.now_us()).id


def administrator(bank):
    return bank.new_token(Agent(bank.admin, "", "", ""))


def rotate(bank, who=None):
    """Rotate as the command does, in the name of the administrator or somebody else."""
    with acting(bank, who or administrator(bank)):
        return rotate_permit_key(bank.house)


def test_a_target_that_fetched_a_moment_ago_meets_no_key_that_it_does_not_know(bank):
    old = signing(bank)
    rotate(bank)
    (_, new) = published(bank)
    for _ in range(60):
        assert signing(bank) == old
        bank.clock.advance(SECOND_US)
    assert signing(bank) == new


def test_a_permit_by_the_old_key_is_good_for_its_minute_and_its_outcome_for_ten(bank, crm):
    rotate(bank)
    bank.clock.advance(MINUTE_US - 1)
    acted = permitted(bank)
    old, _ = published(bank)
    bank.clock.advance(MINUTE_US - 1)
    assert old in published(bank)
    assert isinstance(crm.report(acted.act, acted.permit), OutcomeTaken)
    bank.clock.advance(10 * MINUTE_US - 1)
    assert isinstance(crm.report(acted.act, acted.permit, "done"), OutcomeTaken)


def test_a_stolen_old_key_signs_nothing_that_is_believed(bank, crm):
    """Neither the house nor a target that reads what is published takes it for one of ours."""
    stolen = PermitKey(bank.house.permit_keys().held[0].seed)
    acted = permitted(bank)
    claims = bank.house.permit_keys().read(acted.permit, bank.clock.now_us())
    rotate(bank)
    bank.clock.advance(2 * MINUTE_US)
    assert stolen.id not in published(bank)
    fresh = stolen.sign(claims)
    with pytest.raises(NotFound):
        crm.report(acted.act, stolen.sign(msgspec.structs.replace(claims, action="change_payout")))
    bank.clock.advance(10 * MINUTE_US)
    with pytest.raises(NotFound):
        crm.report(acted.act, fresh)


def test_a_second_rotation_takes_the_old_key_from_permits_that_are_under_way(bank, crm):
    rotate(bank)
    bank.clock.advance(MINUTE_US - 1)
    acted = permitted(bank)
    for _ in range(12):
        with pytest.raises(Conflict) as error:
            rotate(bank)
        assert error.value.code == "rotation_pending"
        bank.clock.advance(MINUTE_US - 1)
    assert len(bank.leaves("permit_key.rotated")) == 2
    with pytest.raises(NotFound):
        crm.report(acted.act, acted.permit)
    bank.clock.advance(MINUTE_US)
    rotate(bank)


def test_two_rotations_at_once(bank):
    """One is done; neither overwrites a key that the other's leaf has named."""
    other = open_house(bank.house.settings, bank.clock)
    ended, said = [], []

    def run(house):
        try:
            ended.append(rotate_permit_key(house))
        except Conflict as error:
            said.append(error.code)

    token = administrator(bank).token
    for house in (bank.house, other):
        house.settings = dataclasses.replace(house.settings, token=Secret(token))
    threads = [threading.Thread(target=run, args=(house,)) for house in (bank.house, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.close()
    assert (len(ended), said) == (1, ["rotation_pending"])
    told = {leaf["new"] for leaf in bank.leaves("permit_key.rotated")}
    assert told == {ended[0].held[-1].key.id} == {published(bank)[-1]}


def test_a_process_that_was_warm_goes_on_with_the_old_key(bank):
    warm = open_house(bank.house.settings, bank.clock)
    before = warm.permit_keys().signing(bank.clock.now_us()).id
    rotate(bank)
    bank.clock.advance(MINUTE_US)
    after = warm.permit_keys().signing(bank.clock.now_us()).id
    warm.close()
    assert before != after == signing(bank)


def test_an_agent_rotates(bank):
    with pytest.raises(Refused):
        rotate(bank, bank.agent)
    assert len(published(bank)) == 1
    assert not bank.leaves("permit_key.rotated")


def test_every_client_reads_that_it_was_rotated_and_by_whom(bank):
    keys = rotate(bank)
    old, new = keys.held
    leaves = bank.leaves("permit_key.rotated")
    assert len(leaves) == 2  # the house's and the client's
    for leaf in leaves:
        assert (leaf["old"], leaf["new"]) == (old.key.id, new.key.id)
        assert leaf["by"].startswith("p_")


def test_a_rotation_that_a_power_cut_stopped_before_the_file_was_written(bank):
    """The leaf names a key that never comes; permits go on, and rotating again is all there is to do."""
    present = signing(bank)
    with acting(bank, administrator(bank)):
        bank.house.transact(tell_rotation(bank.house))
    assert published(bank) == [present]
    assert rotate(bank).held[0].key.id == present
