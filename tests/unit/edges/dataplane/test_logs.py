"""`GET /v1/logs/{log}/timeline` and `/tally`: who reads them, and what wrong parameters are told."""

from __future__ import annotations

import pytest

from holdfast.spine.ledger.registrar import Registrar
from holdfast.vocabulary.levels import Role
from support.api_examples import Desk
from support.bank import new_bank
from support.following import follow
from support.freezing import person

LOG = "/v1/logs/client-bank-01"


@pytest.fixture
def desk(tmp_path):
    bank = new_bank(tmp_path / "house")
    bank.connect()
    bank.prove()
    for _ in range(3):
        bank.reveal("C00001", ["name"])
    bank.auditor = person(bank, "U0001", house=(Role.AUDITOR,), roles=())
    bank.theirs = person(bank, "B0001")
    registrar = Registrar(bank.house, bank.house.signing_keys)
    registrar.tick()
    registrar.close()
    follow(bank.house)
    yield Desk(bank)
    bank.close()


def get(desk, path, who=None):
    token = (who or desk.bank.auditor).token
    return desk.send("GET", path, Authorization=f"Bearer {token}")


def reference(desk):
    query = "SELECT ref FROM identity_reference WHERE person = ? AND log = 'client-bank-01'"
    return desk.bank.sql(query, desk.bank.agent.id)[0][0]


def test_a_timeline_is_read_page_by_page_until_there_is_no_more(desk):
    path = f"{LOG}/timeline?reference={reference(desk)}"
    whole = get(desk, path)["answer"]
    assert len(whole["leaves"]) > 3
    assert whole["before"] is None
    assert whole["unread"] == 0
    first = get(desk, f"{path}&limit=2")["answer"]
    rest = get(desk, f"{path}&before={first['before']}")["answer"]
    assert first["leaves"] + rest["leaves"] == whole["leaves"]


def test_a_client_reads_its_own_log_and_nobody_elses(desk):
    for path in (f"timeline?reference={reference(desk)}", "tally"):
        assert get(desk, f"{LOG}/{path}", desk.bank.theirs)["status"] == 200
        for other in ("client-shop-02", "house"):
            assert get(desk, f"/v1/logs/{other}/{path}", desk.bank.theirs)["status"] == 404
        for log in ("client-bank-01", "client-shop-02", "house"):
            refused = get(desk, f"/v1/logs/{log}/{path}", desk.bank.agent)
            assert (refused["status"], refused["answer"]["detail"]) == (404, "there is no such log")


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("timeline", "reference"),
        ("timeline?reference=", "reference"),
        (f"timeline?reference={'x' * 65}", "reference"),
        ("timeline?reference=p_1&before=-1", "before"),
        ("timeline?reference=p_1&before=9999999999999999999", "before"),
        ("timeline?reference=p_1&limit=51", "limit"),
        ("timeline?reference=p_1&limit=x", "limit"),
        ("timeline?reference=p_1&log=house", "log"),
        ("tally?days=0", "days"),
        ("tally?days=401", "days"),
    ],
)
def test_what_is_wrong_with_a_parameter_is_told_by_its_name(desk, path, field):
    answer = get(desk, f"{LOG}/{path}")
    assert (answer["status"], answer["answer"]["field"]) == (400, field)


def test_a_name_that_no_log_has_is_refused_before_it_is_looked_up(desk):
    assert get(desk, "/v1/logs/..%2Fhouse/tally")["status"] in {400, 404}
