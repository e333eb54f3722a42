"""Explaining a decision: what was asked, how each condition stood, and the least that would have to be otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from holdfast.kit.db import Round
from holdfast.kit.errors import NotFound
from holdfast.kit.ids import new_id
from holdfast.spine.decision import records, store
from holdfast.spine.decision.contract import compile_contract
from holdfast.spine.decision.explain import Explanation, explain, told
from holdfast.spine.decision.facts import DECLARATIONS
from holdfast.spine.decision.judge import judge
from holdfast.spine.decision.policies import compile_policies
from holdfast.spine.decision.readers import audience_for, is_kept_from
from holdfast.spine.decision.reasons import may_know
from holdfast.spine.identity.acting import acting_person
from holdfast.spine.identity.facts import assigned_at
from holdfast.spine.identity.store import ASSIGNMENTS
from holdfast.spine.ledger.recorder import append
from holdfast.spine.vault.hierarchy import client_keys, record_key
from holdfast.vocabulary.facts import FactState
from holdfast.vocabulary.ids import LEAF, client_log
from holdfast.vocabulary.leaves import Leaf, LeafType
from holdfast.vocabulary.levels import Audience, Role

if TYPE_CHECKING:
    from holdfast.kit.db import Work
    from holdfast.spine.decision.judge import Judgement
    from holdfast.spine.decision.verdict import RuleReason
    from holdfast.spine.house import House

_WORDS: Final = {True: "met", False: "unmet"}


@dataclass(frozen=True, slots=True)
class Found:
    """A decision record, opened for one reader."""

    content: records.Content
    contract_text: str
    leaf: str
    audience: Audience
    own: bool


@dataclass(frozen=True, slots=True)
class Condition:
    """A fact as the decision saw it."""

    fact: str
    label: str
    state: str  # met | unmet | unknown
    value: str


@dataclass(frozen=True, slots=True)
class Why:
    """Why some fields were not shown as asked, as the reader may know it, and what the engine said of it."""

    fields: tuple[str, ...]
    reasons: tuple[RuleReason, ...]
    proven: bool
    complete: bool  # the reader is told all of it


@dataclass(frozen=True, slots=True)
class Explained:
    """A decision explained. ``same`` says that judging it again, by the same policies, came out the same."""

    found: Found
    whys: tuple[Why, ...]
    conditions: tuple[Condition, ...]
    same_policies: bool
    same: bool


def find(house: House, decision: str) -> Work[Found]:
    """Open a decision for the acting person.

    Raises :class:`NotFound` in the same words for one that does not exist and one that is none of their business.
    """
    acting = yield from acting_person(house)
    (rows,) = yield Round(data=(store.RECORD_ANYWHERE(id=decision),))
    if not rows:
        raise _no_such_decision()
    client, _, month, person, leaf, salt, sealed, _ = rows[0]
    assignments, standing = yield Round(
        data=(ASSIGNMENTS(person=acting.person, client=client), store.CLIENT(client=client))
    )
    assigned, own = assigned_at(assignments, house.clock.now_us()), person == acting.person
    audience = audience_for(
        own=own,
        house_roles=acting.roles,
        client_roles=frozenset[Role]().union(*assigned.roles.values()),
    )
    if audience is None:
        raise _no_such_decision()
    keys = yield from client_keys(house.keks, client, standing[0][3])
    key = yield from record_key(keys, month)
    content = records.open_record(bytes(sealed), key, client=client, record=leaf, salt=bytes(salt))
    if is_kept_from(own=own, visible=content.visible, assigned=bool(assigned.programmes)):
        raise _no_such_decision()
    (text,) = yield Round(
        data=(store.CONTRACT_VERSION(client=client, version=content.contract_version),)
    )
    return Found(content, text[0][0], leaf, audience, own=own)


def _no_such_decision() -> NotFound:
    return NotFound("there is no such decision", remedy="Ask the person concerned, or their lead.")


def tell_reading(house: House, found: Found) -> Work[None]:
    """Leave a line in the client's log that somebody reads another person's decision."""
    acting = yield from acting_person(house)
    log = client_log(found.content.client)
    now_us = house.clock.now_us()
    body = {
        "decision": found.content.decision,
        "person": (yield from acting.reference(log)),
    }
    leaf = Leaf(LeafType.DECISION_READ, new_id(LEAF, now_us), now_us, body)
    yield Round(data=(append(log, leaf),))


def explained(found: Found) -> Explained:
    """Judge the decision again by the contract of its time, and explain it. Pure."""
    content = found.content
    contract = compile_contract(found.contract_text, version=content.contract_version)
    policies = compile_policies(contract)
    judgement = judge(policies, records.question_of(content))
    return Explained(
        found=found,
        whys=tuple(_why(one, judgement, found.audience) for one in explain(judgement)),
        conditions=_conditions(found, judgement),
        same_policies=policies.digest == content.policies,
        same=records.verdicts_of(judgement) == tuple(said.verdict for said in content.said)
        and judgement.visible == content.visible,
    )


def _why(one: Explanation, judgement: Judgement, audience: Audience) -> Why:
    reasons = told(one, judgement.policies, audience)
    return Why(
        fields=one.fields if judgement.visible else (),
        reasons=reasons,
        proven=one.sufficient and one.necessary,
        complete=reasons == one.parts,
    )


def _conditions(found: Found, judgement: Judgement) -> tuple[Condition, ...]:
    """All facts that the reader may know. Of what was not visible, the person concerned is told no more than why."""
    if not judgement.visible and found.audience is Audience.SELF:
        return ()
    return tuple(
        Condition(
            fact.value,
            DECLARATIONS[fact].label,
            _WORDS[value.met] if value.state is FactState.KNOWN or value.met else "unknown",
            value.value,
        )
        for fact, value in judgement.question.facts.items()
        if may_know(DECLARATIONS[fact].audience, found.audience)
    )
