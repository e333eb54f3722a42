"""Somebody at the console reads a client's log that is not theirs, or writes where they may only read."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from holdfast.kit.secret import Secret
from holdfast.procedures.access.services import assignments, people
from holdfast.procedures.access.services.assignments import Line
from holdfast.vocabulary.levels import Role
from support.bank import CLIENT
from support.live import LiveBank
from support.signed import SignedIn

pytestmark = pytest.mark.server
_NONCE = re.compile(r'nonce="[^"]*"')


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    with LiveBank(tmp_path_factory.mktemp("portal") / "house") as served:
        yield served


@pytest.fixture(scope="module")
def ids(bank):
    """A user and an auditor of the bank, one of each of no client, an agent and an overseer of the house."""
    house = bank.house()
    house.settings = replace(house.settings, token=Secret(bank.admin_token))

    def hire(staff_id, role, *, line=True):
        member, _ = house.transact(
            people.add_person(house, staff_id, employer="house", roles=(role,))
        )
        if line:
            house.transact(
                assignments.assign(house, staff_id, Line(CLIENT, "cards-in", ()), roles=(role,))
            )
        return member.id

    found = {
        "user": hire("C0001", Role.CLIENT_USER),
        "auditor": hire("C0002", Role.AUDITOR),
        "stranger": hire("C0003", Role.CLIENT_USER, line=False),
        "strange auditor": hire("C0004", Role.AUDITOR, line=False),
        "agent": hire("C0005", Role.AGENT),
        "security": hire("C0006", Role.SECURITY, line=False),
        "leaving auditor": hire("C0007", Role.AUDITOR),
    }
    house.close()
    return found


def test_another_clients_log_and_none_are_one_page(bank, ids):
    for who in ("stranger", "strange auditor"):
        browser = SignedIn(bank, ids[who])
        for asked in ("", "?reference=p_1", "?before=3", f"?reference={'x' * 65}"):
            theirs = browser.get(f"/portal/{CLIENT}{asked}")
            none = browser.get(f"/portal/client-none{asked}")
            assert (theirs.status, none.status) == (404, 404)
            assert _NONCE.sub("", theirs.text) == _NONCE.sub("", none.text)
        assert CLIENT not in browser.get("/portal").text


def test_agents_and_the_house_get_no_portal(bank, ids):
    for who in ("agent", "security"):
        browser = SignedIn(bank, ids[who])
        for path in ("/portal", f"/portal/{CLIENT}", "/portal/verifier.html"):
            assert browser.get(path).status == 403


def test_a_clients_own_people_read_their_log_and_change_nothing(bank, ids):
    for who in ("user", "auditor"):
        browser = SignedIn(bank, ids[who])
        assert browser.get("/portal").to == f"/portal/{CLIENT}"
        page = browser.get(f"/portal/{CLIENT}")
        assert page.status == 200
        assert "contract.published" in page.text
        shown = page.text.partition("<main")[2]
        assert not [one for one in ids.values() if one in shown]
        assert not re.search(r"\bC000\d", shown)  # staff are references of this log, not names
        assert browser.get("/portal/verifier.html").status == 200
        assert browser.post(f"/portal/{CLIENT}").status == 405
        assert browser.get(f"/portal/{CLIENT}?reference={'x' * 65}").status == 400


def test_an_assignment_that_ended_opens_nothing(bank, ids):
    browser = SignedIn(bank, ids["leaving auditor"])
    assert browser.get(f"/portal/{CLIENT}").status == 200
    house = bank.house()
    house.settings = replace(house.settings, token=Secret(bank.admin_token))
    house.transact(assignments.unassign(house, "C0007", Line(CLIENT, "cards-in", ())))
    house.close()
    assert browser.get(f"/portal/{CLIENT}").status == 404
