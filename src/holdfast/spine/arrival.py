"""Arriving: who asks, for which contact of which client, and what is known before any customer is touched.

Two rounds of loads. Nothing here names a customer: what :class:`Arrival` holds are facts of the requester, so an answer
made from it alone cannot tell whether a customer exists (SPINE 2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from holdfast.kit.clock import DAY_US
from holdfast.kit.crypto.mac import equal, hmac_sha256
from holdfast.kit.db import Round
from holdfast.kit.errors import Conflict, NotAuthenticated
from holdfast.kit.ids import new_id, new_reference
from holdfast.spine.decision import budgets
from holdfast.spine.decision import store as decisions
from holdfast.spine.decision.policies import no_client
from holdfast.spine.identity import store as identity
from holdfast.spine.identity.facts import Assigned, assigned_at, person_facts, place_facts
from holdfast.spine.identity.requester import Requester, level_of, requester_of, step_up_of
from holdfast.spine.purpose import store as purpose
from holdfast.spine.purpose.contact import contact_facts, contact_of, may_search, reason_of
from holdfast.spine.vault import store as vault
from holdfast.spine.vault.hierarchy import client_keys
from holdfast.vocabulary import ids
from holdfast.vocabulary.facts import FactId, FactState, FactValue

if TYPE_CHECKING:
    from holdfast.kit.db import Query, Rows, Work
    from holdfast.spine.answers import Asked
    from holdfast.spine.decision.policies import ClientPolicies
    from holdfast.spine.house import House
    from holdfast.spine.purpose.contact import Contact
    from holdfast.spine.vault.hierarchy import ClientKeys
    from holdfast.vocabulary.contract import Contract, Queue, Reason
    from holdfast.vocabulary.levels import AuthLevel
    from holdfast.vocabulary.schema import CollectionSchema


class Arrival(NamedTuple):
    """What is known of a request before any customer is touched.

    ``known_client`` is False for a client that does not exist; then ``log`` is the house's, and keys and schema are
    decoys that belong to nobody. ``collection_known`` is False when the client has no such collection. ``decision`` is
    the id under which the answer is known, ``leaf`` that of its line (another one when the request is a repeat).
    """

    house: House
    asked: Asked
    now_us: int
    decision: str
    leaf: str
    repeated: bool
    requester: Requester
    level: AuthLevel
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
    queue: Queue | None
    reason: Reason | None
    assigned: Assigned
    spent: budgets.Spent
    candidates: frozenset[str]
    facts: dict[FactId, FactValue]

    @property
    def contract(self) -> Contract:
        """The client's contract."""
        return self.policies.contract

    @property
    def yours(self) -> bool:
        """Whether the contact is with this person; else nothing of it is told."""
        return self.facts[FactId.CONTACT_YOURS].met


def known(met: bool, value: str = "") -> FactValue:  # noqa: FBT001  the one thing that it says
    """Return a fact that is known now."""
    return FactValue(FactState.KNOWN, met, value)


def arrive(house: House, asked: Asked, *, customer: str = "") -> Work[Arrival]:
    """Load what is known of the requester and the contact.

    ``customer`` is compared with the contact's own and with what this contact's searches found; it is not looked up.
    Raises :class:`NotAuthenticated` without an accepted token of a person, :class:`Conflict` when the caller's
    idempotency key came with another request before.
    """
    now_us = house.clock.now_us()
    found = yield from _who(house, asked, now_us)
    keys = found.keys
    person, client = found.requester.person, asked.client
    mac = budgets.customer_mac(keys, customer, now_us)
    log = ids.client_log(client) if found.known_client else ids.HOUSE_LOG
    answers = yield Round(
        data=(
            identity.ASSIGNMENTS(person=person, client=client),
            identity.REFERENCE(person=person, log=log),
            purpose.CONTACT(client=client, ref=found.contact_ref),
            purpose.CANDIDATES(client=client, contact=found.contact_ref),
            vault.COLLECTION(client=client, name=asked.collection),
            *budgets.loads(client, person, now_us, mac=mac),
            _repeat(asked, person, now_us),
        )
    )
    assignments, reference, contact_rows, candidates, collection, used, customers, repeat = answers
    contact = contact_of(contact_rows)
    assigned = assigned_at(assignments, now_us)
    contract = found.policies.contract
    queue = contract.queues.get(contact.queue) if contact else None
    candidate_set = frozenset(row[0] for row in candidates)
    facts = {
        **person_facts(found.requester, assigned, client=client, employers=contract.employers),
        **place_facts(
            found.requester,
            level=found.level,
            peer=asked.peer,
            device=asked.device,
            networks=contract.networks,
        ),
        **contact_facts(
            contact,
            queue,
            person=person,
            customer=customer,
            assigned=assigned.queues,
            now_us=now_us,
        ),
        FactId.CLIENT_OPEN: known(found.open, "open" if found.open else "closed"),
    }
    yours = facts[FactId.CONTACT_YOURS].met
    talking = yours and contact is not None and may_search(contact, queue, now_us)
    facts[FactId.CONTACT_TALKING] = known(talking, "talking" if talking else "wrapping up")
    seen = yours and customer in candidate_set
    facts[FactId.CUSTOMER_FOUND] = known(seen, "found here" if seen else "not found here")
    reason = reason_of(contact, queue) if yours and contact is not None and queue else ""
    schema = house.schemas.read(client, asked.collection, collection)
    decision, repeated = _decision_of(keys, asked, repeat, now_us)
    return Arrival(
        house=house,
        asked=asked,
        now_us=now_us,
        decision=decision,
        leaf=new_id(ids.DECISION, now_us) if repeated else decision,
        repeated=repeated,
        requester=found.requester,
        level=found.level,
        step_up=found.challenge,
        log=log,
        person_ref=reference[0][0] if reference else new_reference(ids.PERSON_REF),
        fresh_ref=not reference,
        known_client=found.known_client,
        collection_known=schema is not None,
        policies=found.policies,
        keys=keys,
        schema=schema or house.schemas.decoy,
        contact=contact,
        contact_ref=found.contact_ref if yours else "",
        queue=queue,
        reason=contract.reasons.get(reason),
        assigned=assigned,
        spent=budgets.read((used, customers)),
        candidates=candidate_set,
        facts=facts,
    )


class _Who(NamedTuple):
    requester: Requester
    level: AuthLevel
    challenge: str
    contact_ref: str
    known_client: bool
    open: bool
    policies: ClientPolicies
    keys: ClientKeys


def _who(house: House, asked: Asked, now_us: int) -> Work[_Who]:
    second = asked.step_up_hash
    loads = [
        identity.CREDENTIAL(secret_hash=asked.secret_hash),
        decisions.CLIENT(client=asked.client),
    ]
    if second is not None:
        loads.append(identity.CREDENTIAL(secret_hash=second))
    answers = yield Round(
        data=tuple(loads),
        keys=(purpose.CONTACT_REF(client=asked.client, external=asked.contact),),
    )
    requester = requester_of(answers[0][0] if answers[0] else None, now_us)
    if not requester.is_person:
        raise NotAuthenticated(
            "a service's token does not look at customers",
            remedy="Use the token of the person who is on the contact.",
        )
    step_up = step_up_of(answers[2][0] if answers[2] else None, now_us) if second else None
    contact_ref = answers[-1][0][0] if answers[-1] else ""
    level = level_of(requester, step_up, client=asked.client, contact=contact_ref)
    rows = answers[1]
    if not rows:
        return _Who(requester, level, "", contact_ref, False, False, no_client(), house.decoy_keys)
    fence = rows[0][3]
    policies = house.policies.get(asked.client, fence)
    if policies is None:
        (contract,) = yield Round(data=(decisions.CONTRACT(client=asked.client),))
        policies = house.policies.put(asked.client, fence, contract[0])
    keys = yield from client_keys(house.keks, asked.client, fence)
    challenge = step_up.challenge if step_up and level > requester.level else ""
    is_open = rows[0][1] == decisions.CLIENT_IS_OPEN
    return _Who(requester, level, challenge, contact_ref, True, is_open, policies, keys)


def _repeat(asked: Asked, person: str, now_us: int) -> Query:
    key = asked.idempotency[0] if asked.idempotency else ""
    return decisions.REPEATED(client=asked.client, person=person, key=key, since_us=now_us - DAY_US)


def body_mac(keys: ClientKeys, asked: Asked) -> bytes:
    """Return a keyed hash of the request's body: a plain one of so few possible values could be guessed (SPINE 22)."""
    digest = asked.idempotency[1] if asked.idempotency else b""
    return hmac_sha256(keys.index_key("", "idempotency"), digest)


def _decision_of(keys: ClientKeys, asked: Asked, rows: Rows, now_us: int) -> tuple[str, bool]:
    if asked.idempotency and rows:
        if not equal(bytes(rows[0][0]), body_mac(keys, asked)):
            raise Conflict(
                "this idempotency key came with another request before",
                remedy="Use a new key for a new request.",
                code="idempotency_conflict",
            )
        return rows[0][1], True
    return new_id(ids.DECISION, now_us), False
