"""Holdfast through the same port, over the same kind of connection: with a decision, a contact and a durable leaf."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.peer.port import Http
from bench.shred import completed
from holdfast.drills.bank.build import CLIENT, COLLECTION
from holdfast.spine.vault.hierarchy import client_keys
from holdfast.spine.vault.shred import request_shred

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.house import BenchHouse
    from bench.serving import DataPlane


class Holdfast:
    """The driver: each subject ``C00001``… is on a call with an agent of their own.

    There is no HTTP for storing and for erasing one customer: those two are done as the commands do them.
    """

    name = "Holdfast"
    finds = True
    masks = frozenset({"phone", "card"})

    def __init__(self, house: BenchHouse, plane: DataPlane) -> None:
        self._house = house
        self._of_agent = {
            agent: Http(
                f"http://127.0.0.1:{plane.port}",
                {"Host": "localhost", "Authorization": f"Bearer {house.token(agent)}"},
            )
            for agent in house.agents
        }

    def store(self, subject: str, record: Mapping[str, str]) -> None:
        """Import one row; the agents' customers are there already, so it is one that has changed."""
        self._house.add_customers([_number(subject)], **record)

    def read(self, subject: str, fields: Sequence[str]) -> dict[str, str]:
        """Reveal fields."""
        customer_id = self._house.customers[subject]
        answer = self._ask("reveal", subject, customer=customer_id, fields=list(fields))
        return {name: shown["value"] for name, shown in answer["fields"].items()}

    def find(self, phone: str) -> str:
        """Search by phone, as the agent who is on the phone with that customer."""
        subject = self._house.subject_of(phone)
        hits = self._ask("search", subject, by={"phone": phone})["hits"]
        known = {customer_id: name for name, customer_id in self._house.customers.items()}
        return known[hits[0]["customer"]] if hits else ""

    def delete(self, subject: str) -> None:
        """Erase the customer, up to the certificate."""
        house = self._house.house
        keys = house.read(client_keys(house.keks, CLIENT, 1))
        customer_id, now_us = self._house.customers[subject], house.clock.now_us()
        operation = house.transact(request_shred(keys, customer_id, by="p_bench", now_us=now_us))
        completed(house, operation)

    def close(self) -> None:
        """End the connections."""
        for one in self._of_agent.values():
            one.close()

    def _ask(self, operation: str, subject: str, **members: Any) -> Any:
        n = _number(subject)
        about = {
            "client": CLIENT,
            "collection": COLLECTION,
            "purpose": {"contact": f"CT-{n}"},
            **members,
        }
        return self._of_agent[self._house.agents[n - 1]].ask("POST", f"/v1/{operation}", about)[1]


def _number(subject: str) -> int:
    return int(subject.removeprefix("C"))
