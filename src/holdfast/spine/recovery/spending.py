"""Budgets and attempts that the looks of a gap used: they count as used, as far as the leaves tell.

A leaf names person and customer by reference and the fields by name. What it does not tell is taken at its dearest: a
search without a hit costs what the contract says of a miss. Looks of somebody whom the restored store does not know are
charged to the reference: whoever begins here without one may be them, and inherits what they used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from holdfast.kit.clock import DAY_US, parse_rfc3339
from holdfast.kit.db import Round
from holdfast.kit.ids import new_id
from holdfast.spine.decision.budgets import (
    charges_for_customer,
    charges_for_search,
    inherits,
    refused_by_budget,
    unknown,
)
from holdfast.spine.decision.contract import compile_contract
from holdfast.spine.decision.store import CLIENT, CONTRACT
from holdfast.spine.identity.store import PERSON_OF_REFERENCE
from holdfast.spine.recovery.store import ADD_ATTEMPT, NAMELESS
from holdfast.spine.vault.hierarchy import client_keys
from holdfast.spine.vault.keyring.store import CUSTOMERS_OF_REFERENCES
from holdfast.spine.vault.load import load_collections
from holdfast.vocabulary.ids import ATTEMPT, client_log
from holdfast.vocabulary.leaves import LeafType
from holdfast.vocabulary.levels import DataClass, Operation, Presentation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.kit.db import Query, Work
    from holdfast.spine.house import House
    from holdfast.spine.vault.hierarchy import ClientKeys
    from holdfast.vocabulary.schema import CollectionSchema

_AT_ONCE: Final = 500


class Spending:
    """What one client's gap used of the budgets of the last day."""

    def __init__(self, house: House, client: str) -> None:
        self._house = house
        self._client = client
        self._people: dict[str, str] = {}
        self._customers: dict[str, str] = {}
        self._schemas: dict[str, CollectionSchema] = {}
        self._miss_costs = 1

    def again(self, leaves: Sequence[dict[str, Any]]) -> Work[int]:
        """Charge the looks of the last day; return how many were charged."""
        since_us = self._house.clock.now_us() - DAY_US
        looks = [
            (parse_rfc3339(leaf["time"]), leaf)
            for leaf in leaves
            if leaf["type"] == LeafType.DECISION_MADE and _is_charged(leaf)
        ]
        looks = [(at_us, leaf) for at_us, leaf in looks if at_us > since_us]
        if not looks:
            return 0
        keys = yield from self._load(leaf for _, leaf in looks)
        charged, unknown_too = 0, False
        for at_us, leaf in looks:
            queries = self._charges(keys, leaf, at_us)
            if queries:
                yield Round(data=queries)
                charged += 1
                unknown_too |= leaf["person"] not in self._people
        if unknown_too:
            yield from self._inherited()
        return charged

    def _inherited(self) -> Work[None]:
        """Who is assigned here, and has no name in the log yet, may be one of those who are unknown."""
        now_us = self._house.clock.now_us()
        asked = NAMELESS(log=client_log(self._client), client=self._client, now_us=now_us)
        (rows,) = yield Round(data=(asked,))
        for (person,) in rows:
            yield Round(data=inherits(self._client, person))

    def _load(self, looks: Any) -> Work[ClientKeys]:
        people, customers = set(), set()
        for leaf in looks:
            people.add(leaf["person"])
            customers.update(leaf["customers"])
        wanted = sorted(people)
        answers = yield Round(
            data=tuple(PERSON_OF_REFERENCE(log=client_log(self._client), ref=p) for p in wanted)
        )
        self._people = {p: rows[0][0] for p, rows in zip(wanted, answers, strict=True) if rows}
        names = sorted(customers)
        for at in range(0, len(names), _AT_ONCE):
            some = names[at : at + _AT_ONCE]
            (rows,) = yield Round(keys=(CUSTOMERS_OF_REFERENCES(client=self._client, refs=some),))
            self._customers |= dict(rows)
        self._schemas = {s.name: s for s in (yield from load_collections(self._client))}
        client, contract = yield Round(
            data=(CLIENT(client=self._client), CONTRACT(client=self._client))
        )
        if contract:
            self._miss_costs = compile_contract(contract[0][0]).search.miss_costs
        return (yield from client_keys(self._house.keks, self._client, client[0][3]))

    def _charges(self, keys: ClientKeys, leaf: dict[str, Any], at_us: int) -> tuple[Query, ...]:
        person = self._people.get(leaf["person"]) or unknown(leaf["person"])
        if leaf["op"] == Operation.SEARCH:
            units = 1 if leaf["customers"] else self._miss_costs
            return charges_for_search(self._client, person, units=units, now_us=at_us)
        sensitive = 0 if leaf["op"] == Operation.VERIFY else self._sensitive(leaf)
        taken: tuple[Query, ...] = ()
        for reference in leaf["customers"]:
            customer = self._customers.get(reference)
            if customer is None:
                continue
            taken += charges_for_customer(keys, person, customer, now_us=at_us, sensitive=sensitive)
            if leaf["op"] == Operation.VERIFY:
                taken += self._attempts(leaf, customer, at_us)
        return taken

    def _sensitive(self, leaf: dict[str, Any]) -> int:
        schema = self._schemas.get(leaf["collection"])
        return sum(
            how != Presentation.WITHHELD
            and (
                schema is None
                or name not in schema.by_name
                or schema.by_name[name].data_class >= DataClass.C3
            )
            for name, how in leaf["fields"].items()
        )

    def _attempts(self, leaf: dict[str, Any], customer: str, at_us: int) -> tuple[Query, ...]:
        return tuple(
            ADD_ATTEMPT(
                id=new_id(ATTEMPT, at_us),
                client=self._client,
                customer=customer,
                field=name,
                contact=leaf["contact"],
                at_us=at_us,
            )
            for name in leaf["fields"]
        )


def _is_charged(leaf: dict[str, Any]) -> bool:
    """A look that a used-up budget alone refused cost nothing (SPINE 6)."""
    return not refused_by_budget(leaf["rules"])
