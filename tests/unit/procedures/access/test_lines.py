"""A programme is found in the contracts by the name that people use, and a wrong name gets the nearest."""

from __future__ import annotations

import pytest

from holdfast.kit.errors import Conflict, InvalidInput, NotFound
from holdfast.procedures.access.services.assignments import Line
from holdfast.procedures.access.services.lines import check_queues, find_line
from holdfast.spine.decision import store as decisions
from support.admin import AdminHouse, ask

CONTRACT = """
[client]
id = "{client}"

[[programme]]
id = "cards"

[[programme]]
id = "{other}"

[[queue]]
id = "cards-in"
programme = "cards"
reasons = ["balance"]

[[queue]]
id = "other-in"
programme = "{other}"
reasons = ["balance"]

[[reason]]
id = "balance"
label = "Balance"
fields.customers = ["name"]
"""


@pytest.fixture
def house(tmp_path):
    house = AdminHouse(tmp_path / "house")
    publish(house, "bank-01", "loans")
    yield house
    house.close()


def publish(house, client, other):
    text = CONTRACT.format(client=client, other=other)
    house.transact(
        ask(
            decisions.ADD_CONTRACT(
                client=client,
                version=1,
                text=text,
                digest="",
                salt=b"",
                signature="",
                policies_digest="",
                published_us=0,
                by="",
            ),
            decisions.USE_CONTRACT(client=client, version=1, name=client, before=0),
        )
    )


def find(house, text, client=""):
    return house.read(find_line(text, client))


def test_a_programme_is_found_by_its_name(house):
    assert find(house, "cards") == Line("bank-01", "cards", ("cards-in",))
    assert find(house, "bank-01/loans") == Line("bank-01", "loans", ("other-in",))


def test_two_clients_programmes_of_one_name_are_told_apart(house):
    publish(house, "bank-02", "travel")
    with pytest.raises(Conflict) as caught:
        find(house, "cards")
    assert "bank-01/cards, bank-02/cards" in caught.value.remedy
    assert find(house, "bank-02/cards").client == "bank-02"
    assert find(house, "cards", "bank-02").client == "bank-02"
    assert find(house, "travel").client == "bank-02"


@pytest.mark.parametrize(
    ("text", "client", "remedy"),
    [
        ("card", "", "cards"),
        ("zzz", "", "There is: cards, loans"),
        ("cards", "bank-02", "Add a client"),
        ("cards", "bank-09", "client list"),
        ("bank-09/cards", "", "client list"),
    ],
)
def test_a_wrong_name_gets_help(house, text, client, remedy):
    with pytest.raises(NotFound) as caught:
        find(house, text, client)
    assert remedy in caught.value.remedy


def test_a_queue_must_be_one_of_the_programmes(house):
    line = find(house, "cards")
    check_queues(line, ["cards-in"])
    with pytest.raises(InvalidInput) as caught:
        check_queues(line, ["cards-im"])
    assert "cards-in" in caught.value.remedy
    with pytest.raises(InvalidInput):
        check_queues(line, ["other-in"])
