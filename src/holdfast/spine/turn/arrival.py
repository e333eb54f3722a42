"""Arriving: who asks, for which contact of which client, and what is known before any customer is touched.

Two rounds of loads. Nothing here names a customer: what :class:`Arrival` holds are facts of the requester, so an answer
made from it alone cannot tell whether a customer exists (SPINE 2).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import msgspec.structs

from holdfast.kit.clock import DAY_US
from holdfast.kit.db import Round
from holdfast.kit.errors import Conflict, NotAuthenticated
from holdfast.kit.ids import new_id, new_reference
from holdfast.spine.approvals import store as approvals
from holdfast.spine.approvals.glass import contact_of_glass, glass_of
from holdfast.spine.approvals.requests import request_of
from holdfast.spine.decision import budgets
from holdfast.spine.decision import store as decisions
from holdfast.spine.decision.freezing import NO_CLIENT, Standing, client_fact, standing_of
from holdfast.spine.decision.policies import no_client
from holdfast.spine.identity import store as identity
from holdfast.spine.identity.accept import accept, loads
from holdfast.spine.identity.facts import Assigned, assigned_at, person_facts, place_facts
from holdfast.spine.identity.requester import Requester, level_of, lift_of, step_up_of
from holdfast.spine.purpose import store as purpose
from holdfast.spine.purpose.contact import (
    Basis,
    contact_facts,
    contact_of,
    may_search,
    reason_of,
)
from holdfast.spine.purpose.provisional import contact_on_word, provisional_of
from holdfast.spine.vault import store as vault
from holdfast.spine.vault.hierarchy import client_keys
from holdfast.vocabulary import ids
from holdfast.vocabulary.facts import FactId, FactState, FactValue
from holdfast.vocabulary.levels import Role

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.kit.db import Query, Rows, Work
    from holdfast.spine.approvals.glass import Glass
    from holdfast.spine.approvals.requests import Request
    from holdfast.spine.decision.policies import ClientPolicies
    from holdfast.spine.house import House
    from holdfast.spine.purpose.contact import Contact
    from holdfast.spine.purpose.provisional import Provisional
    from holdfast.spine.turn.answers import Asked
    from holdfast.spine.vault.hierarchy import ClientKeys
    from holdfast.vocabulary.contract import Budgets, Contract, Queue, Reason
    from holdfast.vocabulary.levels import AuthLevel
    from holdfast.vocabulary.schema import CollectionSchema


class Arrival(NamedTuple):
    """What is known of a request before any customer is touched.

    ``known_client`` is False for a client that does not exist; then ``log`` is the house's, and keys and schema are
    decoys that belong to nobody. ``collection_known`` is False when the client has no such collection. ``decision`` is
    the id under which the answer is known, ``leaf`` that of its line (another one when the request is a repeat).
    ``paid`` says that an earlier request with the same key was given all that it asked, and charged for it.
    """

    house: House
    asked: Asked
    now_us: int
    sure_us: int  # the time by which something may have worn off: now, unless the clock is in doubt (SPINE 24)
    decision: str
    leaf: str
    repeated: bool
    paid: bool
    requester: Requester
    service: str  # credential of the service that asks on the person's behalf, or ""
    level: AuthLevel
    approval: Request | None  # the one that came with the request, whoever's it is
    step_up: str  # id of the challenge that the second token answers, or ""
    log: str
    person_ref: str
    fresh_ref: bool
    known_client: bool
    collection_known: bool
    policies: ClientPolicies
    keys: ClientKeys
    schema: CollectionSchema
    contact: Contact | None
    contact_ref: str
    provisional: Provisional | None  # what the contact is, while it rests on the person's word
    glass: Glass | None  # what stands in for a contact
    queue: Queue | None
    reason: Reason | None
    assigned: Assigned
    spent: budgets.Spent
    candidates: frozenset[str]
    facts: dict[FactId, FactValue]
    sought: str = ""  # the customer asked for, or a keyed hash of the value searched for; "" when it is neither

    @property
    def contract(self) -> Contract:
        """The client's contract."""
        return self.policies.contract

    @property
    def budgets(self) -> Budgets:
        """What the person may use for this contact: half, in an outage (SPINE 3)."""
        whole = self.contract.budgets
        return budgets.halved(whole) if self.basis == Basis.OUTAGE else whole

    @property
    def basis(self) -> str:
        """What the contact rests on; empty when there is none of this person."""
        return self.contact.basis if self.contact is not None and self.yours else ""

    @property
    def yours(self) -> bool:
        """Whether the contact is with this person; else nothing of it is told."""
        return self.facts[FactId.CONTACT_YOURS].met


@lru_cache(maxsize=1024)
def known(met: bool, value: str = "") -> FactValue:  # noqa: FBT001  the one thing that it says
    """Return a fact that is known now."""
    return FactValue(FactState.KNOWN, met, value)


def arrive(house: House, asked: Asked, *, customer: str = "") -> Work[Arrival]:
    """Load what is known of the requester and the contact.

    ``customer`` is compared with the contact's own and with what this contact's searches found; it is not looked up.
    Raises :class:`NotAuthenticated` without an accepted token of a person, :class:`Conflict` when the caller's
    idempotency key came with another request before.
    """
    now_us, sure_us = house.clock.now_us(), house.sure_us()
    who = yield from _who(house, asked, now_us)
    person, log = who.requester.person, _log_of(asked, who)
    spent = _spent(asked, who, customer, now_us=now_us, sure_us=sure_us)
    asks = _asks(house, asked, who, spent) | _also_asks(asked, who, customer, now_us)
    asks |= {"reference": identity.REFERENCE(person=person, log=log)}
    rows = dict(zip(asks, (yield Round(data=tuple(asks.values()))), strict=True))
    glass = glass_of(rows.get("glass", []))
    contact, word = yield from _contact(asked, who, rows, glass=glass, customer=customer)
    queue = who.policies.contract.queues.get(contact.queue) if contact else None
    assigned = assigned_at(rows["assignments"], now_us)
    facts = _facts(asked, who, _Called(contact, queue, assigned, customer, now_us, sure_us))
    found = frozenset(one for one in (word.customer,) if one) if word else frozenset[str]()
    if word is None and glass is None:
        found = _candidates(rows.get("candidates", []), facts)
    facts[FactId.CUSTOMER_FOUND] = _found(customer in found)
    yours = facts[FactId.CONTACT_YOURS].met
    schema = house.schemas.get(asked.client, asked.collection, who.fence, rows.get("collection"))
    decision, paid = _decision_of(who.keys, asked, rows.get("repeat", []), now_us)
    return Arrival(
        house=house,
        asked=asked,
        now_us=now_us,
        sure_us=sure_us,
        decision=decision,
        leaf=new_id(ids.DECISION, now_us) if rows.get("repeat") else decision,
        repeated=bool(rows.get("repeat")),
        paid=paid,
        requester=who.requester,
        service=who.service,
        level=who.level,
        approval=(yield from _approval(who, rows.get("approval", []), now_us)),
        step_up=who.challenge,
        log=log,
        person_ref=rows["reference"][0][0] if rows["reference"] else new_reference(ids.PERSON_REF),
        fresh_ref=not rows["reference"],
        known_client=who.known_client,
        collection_known=schema is not None,
        policies=who.policies,
        keys=who.keys,
        schema=schema or house.schemas.decoy,
        contact=contact,
        contact_ref=who.contact_ref if yours else "",
        provisional=word,
        glass=glass,
        queue=queue,
        reason=_reason(who.policies.contract, contact, queue) if yours else None,
        assigned=assigned,
        spent=budgets.read((rows["budgets"], rows["customers"])),
        candidates=found,
        facts=facts,
        sought=customer,
    )


def _log_of(asked: Asked, who: _Who) -> str:
    return ids.client_log(asked.client) if who.known_client else ids.HOUSE_LOG


def _spent(
    asked: Asked, who: _Who, customer: str, *, now_us: int, sure_us: int
) -> tuple[Query, Query]:
    mac = budgets.customer_mac(who.keys, customer, now_us)
    person = who.requester.person
    return budgets.loads(asked.client, person, now_us, sure_us=sure_us, mac=mac)


def _asks(house: House, asked: Asked, who: _Who, spent: tuple[Query, Query]) -> dict[str, Query]:
    """What the second round asks, by name."""
    client, person = asked.client, who.requester.person
    asks = {
        "assignments": identity.OWN_ASSIGNMENTS(person=person, client=client),
        "contact": purpose.CONTACT(client=client, ref=who.contact_ref),
        "budgets": spent[0],
        "customers": spent[1],
    }
    if not house.schemas.holds(client, asked.collection, who.fence):
        asks["collection"] = vault.COLLECTION(client=client, name=asked.collection)
    if asked.approval:
        asks["approval"] = approvals.LOAD(id=asked.approval)
    return asks


def _also_asks(asked: Asked, who: _Who, customer: str, now_us: int) -> dict[str, Query]:
    """What is asked because the request brought it along: other requests pay nothing for it."""
    asks, person = {}, who.requester.person
    if customer:
        asks["candidates"] = purpose.CANDIDATES(client=asked.client, contact=who.contact_ref)
    if asked.glass:
        of = {"client": asked.client, "person": person, "customer": customer}
        asks["glass"] = approvals.GLASS(id=asked.glass, now_us=now_us, **of)
    if asked.idempotency:
        asks["repeat"] = _repeat(asked, person, now_us)
    return asks


def _approval(who: _Who, rows: Rows, now_us: int) -> Work[Request | None]:
    """Return the approval that came along; of one whose approver may approve here no longer, it says so."""
    if not rows:
        return None
    request = request_of(rows[0])
    if request.requester.person != who.requester.person or not request.decided_by:
        return request
    held = identity.ASSIGNMENTS(person=request.decided_by, client=request.client)
    (assignments,) = yield Round(data=(held,))
    roles = assigned_at(assignments, now_us).roles_in(request.programme)
    able = roles & frozenset(map(Role, who.policies.contract.approval.roles))
    active = request.approver_active and bool(able)
    return msgspec.structs.replace(request, approver_active=active)


class _Called(NamedTuple):
    """The contact of a request, its queue, what the person works for, and the customer asked for."""

    contact: Contact | None
    queue: Queue | None
    assigned: Assigned
    customer: str
    now_us: int
    sure_us: int


def _facts(asked: Asked, who: _Who, called: _Called) -> dict[FactId, FactValue]:
    contract, contact, queue = who.policies.contract, called.contact, called.queue
    assigned = called.assigned
    facts = person_facts(who.requester, assigned, client=asked.client, employers=contract.employers)
    assigned_here = facts[FactId.ASSIGNED].met
    facts |= place_facts(
        who.requester,
        level=who.level,
        peer=asked.peer,
        device=asked.device,
        # The ranges of a client that is none of the requester's business would tell that it exists.
        networks=contract.networks if assigned_here else (),
    )
    facts |= contact_facts(
        contact,
        queue,
        person=who.requester.person,
        customer=called.customer,
        assigned=assigned.queues,
        now_us=called.now_us,
    )
    yours = facts[FactId.CONTACT_YOURS].met
    talking = yours and contact is not None and may_search(contact, queue, called.now_us)
    exempt = yours and _exempt(contract, contact, queue)
    facts[FactId.CLIENT_OPEN] = client_fact(
        who.standing, called.sure_us, now_us=called.now_us, exempt=exempt
    )
    state = ("talking" if talking else "wrapping up") if yours else "not with you"
    facts[FactId.CONTACT_TALKING] = known(talking, state)
    return facts


def _contact(
    asked: Asked, who: _Who, rows: Mapping[str, Rows], *, glass: Glass | None, customer: str
) -> Work[tuple[Contact | None, Provisional | None]]:
    """Return the contact of the request, or what stands in for one; whether it is the person's is judged."""
    if not asked.glass:
        return (yield from _on_word(asked, who, contact_of(rows["contact"])))
    if glass is None:
        return None, None
    person = who.requester.person
    return contact_of_glass(glass, client=asked.client, person=person, customer=customer), None


def _on_word(
    asked: Asked, who: _Who, told: Contact | None
) -> Work[tuple[Contact | None, Provisional | None]]:
    """Return the contact that the person opened while no feed told it, if there is one; else what a feed told.

    It is asked for only where a feed does not say that the contact is with this person.
    """
    person = who.requester.person
    if told is not None and told.person == person:
        return told, None
    (rows,) = yield Round(
        data=(purpose.PROVISIONAL(client=asked.client, contact=who.contact_ref, person=person),)
    )
    word = provisional_of(rows)
    contact = contact_on_word(word, told) if word is not None else None
    return (told, None) if contact is None else (contact, word)


def _found(met: bool) -> FactValue:  # noqa: FBT001  the one thing that it says
    return known(met, "found here" if met else "not found here")


def _candidates(rows: Rows, facts: Mapping[FactId, FactValue]) -> frozenset[str]:
    """Customers whom this contact's searches found, if it is this person's and not the customer's own already.

    They are loaded whoever is asked for: else the work would tell of a customer who was on the contact and is erased.
    """
    mine = facts[FactId.CONTACT_YOURS].met and not facts[FactId.CUSTOMER_BOUND].met
    return frozenset(row[0] for row in rows) if mine else frozenset()


def _reason(contract: Contract, contact: Contact | None, queue: Queue | None) -> Reason | None:
    if contact is None or queue is None:
        return None
    return contract.reasons.get(reason_of(contact, queue))


def _exempt(contract: Contract, contact: Contact | None, queue: Queue | None) -> bool:
    """Whether a freeze spares the contact: by the reason that the feed gave, never by one that the agent chose."""
    if contact is None or queue is None:
        return False
    return (
        contact.basis == Basis.FEED
        and contact.feed_reason in contract.freeze_exempt
        and reason_of(contact, queue) == contact.feed_reason
    )


class _Who(NamedTuple):
    requester: Requester
    service: str
    level: AuthLevel
    challenge: str
    contact_ref: str
    known_client: bool
    fence: int
    standing: Standing
    policies: ClientPolicies
    keys: ClientKeys


def _who(house: House, asked: Asked, now_us: int) -> Work[_Who]:
    asks = loads(asked, now_us)
    asks["client"] = decisions.CLIENT(client=asked.client)
    if asked.step_up_hash is not None:
        asks["step_up"] = identity.CREDENTIAL(secret_hash=asked.step_up_hash)
    *answers, contact = yield Round(
        data=tuple(asks.values()),
        keys=(purpose.CONTACT_REF(client=asked.client, external=asked.contact),),
    )
    found = dict(zip(asks, answers, strict=True))
    accepted = accept(asked, found, now_us, client=asked.client)
    requester = accepted.requester
    if not requester.is_person:
        raise NotAuthenticated(
            "a service's token does not look at customers",
            remedy="Use the token of the person who is on the contact, or name it in Holdfast-On-Behalf-Of.",
        )
    second = found.get("step_up")
    step_up = step_up_of(second[0], now_us) if second else None
    if asked.session:
        step_up = lift_of(found["credential"][0], now_us)
    contact_ref = asked.contact_ref or (contact[0][0] if contact else "")
    level = accepted.at_most(level_of(requester, step_up, client=asked.client, contact=contact_ref))
    service = accepted.service.credential if accepted.service else ""
    rows = found["client"]
    if not rows:
        return _Who(
            requester=requester,
            service=service,
            level=level,
            challenge="",
            contact_ref=contact_ref,
            known_client=False,
            fence=0,
            standing=NO_CLIENT,
            policies=no_client(),
            keys=house.decoy_keys,
        )
    fence = rows[0][3]
    policies = house.policies.get(asked.client, fence)
    if policies is None:
        (contract,) = yield Round(data=(decisions.CONTRACT(client=asked.client),))
        policies = house.policies.put(asked.client, fence, contract[0])
    keys = yield from client_keys(house.keks, asked.client, fence)
    challenge = step_up.challenge if step_up and level > requester.level else ""
    return _Who(
        requester=requester,
        service=service,
        level=level,
        challenge=challenge,
        contact_ref=contact_ref,
        known_client=True,
        fence=fence,
        standing=standing_of(rows[0]),
        policies=policies,
        keys=keys,
    )


def _repeat(asked: Asked, person: str, now_us: int) -> Query:
    key = asked.idempotency[0] if asked.idempotency else ""
    return decisions.REPEATED(client=asked.client, person=person, key=key, since_us=now_us - DAY_US)


def body_mac(keys: ClientKeys, asked: Asked) -> bytes:
    """Return a keyed hash of the request's body: a plain one of so few possible values could be guessed (SPINE 22)."""
    digest = asked.idempotency[1] if asked.idempotency else b""
    return keys.mac("idempotency", digest)


def _decision_of(keys: ClientKeys, asked: Asked, rows: Rows, now_us: int) -> tuple[str, bool]:
    if asked.idempotency and rows:
        if bytes(rows[0][0]) != body_mac(keys, asked):
            raise Conflict(
                "this idempotency key came with another request before",
                remedy="Use a new key for a new request.",
                code="idempotency_conflict",
            )
        return rows[0][1], bool(rows[0][2])
    return new_id(ids.DECISION, now_us), False
