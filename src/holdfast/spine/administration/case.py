"""One act as it is judged at one client: who they are there, and what the client's contract wants."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from holdfast.kit.db import Round
from holdfast.spine.administration.facts import NO_FEED, actor_facts, feed_apart, object_facts
from holdfast.spine.administration.judge import Context, Ruling, judge
from holdfast.spine.administration.policies import Standing
from holdfast.spine.decision.contract import compile_contract
from holdfast.spine.decision.store import CONTRACT
from holdfast.spine.identity.acting import Acting
from holdfast.spine.identity.facts import assigned_at
from holdfast.spine.identity.people import find_person
from holdfast.spine.identity.store import ASSIGNMENTS
from holdfast.vocabulary.acts import SECOND_PERSON
from holdfast.vocabulary.facts import FactId

if TYPE_CHECKING:
    from holdfast.kit.db import Work
    from holdfast.spine.administration.facts import Facts
    from holdfast.spine.identity.people import Member
    from holdfast.vocabulary.acts import Act

DIRECTORY: Final = "directory"


@dataclass(frozen=True, slots=True)
class Case:
    """Who does what to whom, for which clients; the house's own affair if there is none."""

    act: Act
    acting: Acting
    member: Member | None = None
    clients: tuple[str, ...] = ()
    widens: bool = False
    keyed: bool = False
    approved: bool = False

    @property
    def oneself(self) -> bool:
        """Whether the person concerned is who acts."""
        return self.member is not None and self.member.id == self.acting.person


def in_house(acting: Acting) -> Standing:
    """What the person is in the house; an employer's directory has the one role that no person can be given."""
    return Standing((DIRECTORY,) if acting.employer else tuple(sorted(acting.roles)))


def still_may(case: Case, person: str, *, now_us: int) -> Work[bool]:
    """Tell whether ``person``, who approved the case, might still do it: a role may have been taken away since."""
    member = yield from find_person(person)
    by = Acting(member.id, member.roles, state=member.state)
    facts = actor_facts(by) | (yield from object_facts(by, case.member, now_us))
    own = replace(case, acting=by, approved=True)
    for client in case.clients or ("",):
        ruling = yield from ruled(own, facts, client=client, now_us=now_us)
        if not ruling.allowed:
            return False
    return True


def context_of(case: Case, facts: Facts, *, second: bool = False) -> Context:
    """What Cedar is told of a case."""
    return Context(
        act=case.act.value,
        met=tuple(sorted(fact.value for fact, value in facts.items() if value.met)),
        level=int(case.acting.level),
        oneself=case.oneself,
        widens=case.widens,
        second=second,
        approved=case.approved,
    )


def ruled(case: Case, facts: Facts, *, client: str, now_us: int) -> Work[Ruling]:
    """Judge a case for one of its clients, or for the house when ``client`` is empty."""
    if not client:
        known = {**facts, FactId.FEED_APART: NO_FEED}
        return judge(in_house(case.acting), context_of(case, known), known)
    apart = yield from feed_apart(
        case.act, case.acting, case.member, client=client, keyed=case.keyed, now_us=now_us
    )
    known = {**facts, FactId.FEED_APART: apart}
    assignments, contract = yield Round(
        data=(ASSIGNMENTS(person=case.acting.person, client=client), CONTRACT(client=client))
    )
    there = bool(assigned_at(assignments, now_us).programmes)
    standing = in_house(case.acting)._replace(client=client, works_there=there)
    kinds = compile_contract(contract[0][0]).second_person if contract else frozenset[str]()
    second = any(case.act in SECOND_PERSON[kind] for kind in kinds)
    return judge(standing, context_of(case, known, second=second), known)
