"""Whatever can widen access to a client's data is a line in that client's log (SPINE 12)."""

from __future__ import annotations

import pytest

from holdfast.procedures.access.services import assignments, people, tokens
from holdfast.procedures.access.services.assignments import Line
from holdfast.spine.identity.credentials import Bounds
from holdfast.vocabulary.levels import Role
from support.administering import CLIENT, WIDER, Office

CARDS = Line(CLIENT, "cards", ())


def widen(office):
    office.decide(office.asked(WIDER))
    office.publish(WIDER)


ACTS = {
    "person.assigned": lambda office: office.transact(assignments.assign(office, "second", CARDS)),
    "person.roles_changed": lambda office: office.transact(
        people.set_roles(office, "A1", (Role.LEAD,))
    ),
    "token.created": lambda office: office.transact(
        tokens.create_for_person(office, "A1", life_us=None, bounds=Bounds())
    ),
    "feed.key_added": lambda office: office.make_key(),
    "contract.published": widen,
}


@pytest.mark.parametrize("leaf", ACTS)
def test_it_stands_in_the_clients_log_with_who_did_it(tmp_path, leaf):
    office = Office(tmp_path / "house")
    before = len(office.told(leaf))
    ACTS[leaf](office)
    told = office.told(leaf)
    assert len(told) == before + 1
    assert told[-1]["by"].startswith("p_")
    office.close()


def test_a_service_that_reads_a_clients_log_is_told_to_that_client_alone(tmp_path):
    office = Office(tmp_path / "house")
    bounds = Bounds(scopes=(f"log:{CLIENT}",))
    office.transact(tokens.create_for_service(office, "mirror", life_us=None, bounds=bounds))
    assert len(office.told("token.created")) == 1
    assert office.told("token.created", "client-bank-01") == []
    office.close()
