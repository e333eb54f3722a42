"""Who acts, when, and how the logs are told: every administrative act begins here.

>>> def retire(house, feed, kid):                                          # doctest: +SKIP
...     scene = yield from administer(house, Act.FEED_KEY_RETIRE, clients=(client,))
...     …                                                                  # write
...     yield from tell(scene, LeafType.FEED_KEY_RETIRED, (client,), feed=feed, kid=kid)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from holdfast.kit.canonical import length_prefixed
from holdfast.kit.db import Round
from holdfast.kit.errors import Denied
from holdfast.kit.ids import new_id
from holdfast.spine.administration.case import Case, context_of, in_house, ruled, still_may
from holdfast.spine.administration.facts import actor_facts, clients_of, object_facts
from holdfast.spine.administration.judge import entry, judge
from holdfast.spine.administration.refusals import Attempt, Refused
from holdfast.spine.administration.second import NeedsSecondPerson, taken, wanted
from holdfast.spine.decision.store import BUMP_FENCE, CLIENT_ERASED_STATES, CLIENT_STATE
from holdfast.spine.identity.acting import named_person
from holdfast.spine.identity.people import find_person
from holdfast.spine.identity.references import credential_reference, reference_of
from holdfast.spine.ledger.recorder import append
from holdfast.vocabulary.acts import NOT_WHEN_ERASED
from holdfast.vocabulary.ids import HOUSE_LOG, LEAF, client_log
from holdfast.vocabulary.leaves import Leaf, LeafType

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.kit.db import Work
    from holdfast.spine.administration.facts import Facts
    from holdfast.spine.identity.acting import Acting, HasSettings
    from holdfast.spine.identity.people import Member
    from holdfast.vocabulary.acts import Act

__all__ = [
    "Scene",
    "administer",
    "clients_of",
    "digest_of",
    "enter",
    "enter_as",
    "may",
    "tell",
    "tell_in",
]


@dataclass(frozen=True, slots=True)
class Scene:
    """One administrative act that is allowed: in whose name, and the moment inside its transaction.

    ``on`` is the person whom it concerns, if it concerns one; ``second`` the id of the second person who approved it,
    or "".
    """

    acting: Acting
    now_us: int
    on: Member | None = None
    second: str = ""

    @property
    def member(self) -> Member:
        """The person concerned, of an act that concerns one."""
        assert self.on is not None
        return self.on


def administer(
    house: HasSettings,
    act: Act,
    *,
    clients: Iterable[str] | None = (),
    on: str = "",
    employer: str = "",
    widens: bool = False,
    keyed: bool = False,
    digest: bytes = b"",
    summary: dict[str, Any] | None = None,
) -> Work[Scene]:
    """Judge an act and open its scene, inside the act's own transaction.

    ``clients`` are those whose data it concerns: the act is judged once for each, or for the house if there is none;
    None means all that the person concerned works for. ``on`` names that person as :func:`find_person` does;
    ``employer`` whose people it is about where it concerns no one of them.
    ``widens`` says of a contract that more may be seen by it, ``keyed`` of a token that it is bound to its holder's
    key, so that who issues it can do nothing with it. ``digest`` is over all that the act would write, so that a second
    person's approval holds for exactly this; ``summary`` is what that person is shown of it.

    Raises :class:`Refused`, which leaves a leaf in the logs concerned; :class:`NeedsSecondPerson`, which leaves a
    request for approval, until it is granted and the same is tried again; :class:`NotFound` or :class:`Conflict` for
    ``on``, but only to somebody who might do the act at all; :class:`NotAuthenticated` when nobody is named.
    """
    entered = yield from enter(house, act)
    return (
        yield from entered.judge(
            clients=clients,
            on=on,
            employer=employer,
            widens=widens,
            keyed=keyed,
            digest=digest,
            summary=summary,
        )
    )


@dataclass(frozen=True, slots=True)
class Entered:
    """Somebody who is active and has a role for the act; what it touches is yet to be judged."""

    house: HasSettings
    act: Act
    acting: Acting
    facts: Facts

    def reach(self, clients: Iterable[str]) -> Work[None]:
        """Raise :class:`Refused` for who might not do the act for these clients, even with a second person.

        For acts that look something up of a client before they are judged: whoever has no part in a client is answered
        as if it did not exist.
        """
        case = Case(self.act, self.acting, None, tuple(sorted(set(clients))), approved=True)
        now_us = self.house.clock.now_us()
        facts = self.facts | (yield from object_facts(self.acting, None, now_us))
        yield from self._rule(case, facts, now_us=now_us)

    def judge(
        self,
        *,
        clients: Iterable[str] | None = (),
        on: str = "",
        employer: str = "",
        widens: bool = False,
        keyed: bool = False,
        digest: bytes = b"",
        summary: dict[str, Any] | None = None,
        approves: bool = False,
    ) -> Work[Scene]:
        """Judge what the act touches; see :func:`administer`. ``approves``: who acts is the second person."""
        now_us = self.house.clock.now_us()
        member = (yield from find_person(on)) if on else None
        if clients is None:
            clients = (yield from clients_of(member.id, now_us)) if member else ()
        case = Case(
            *(self.act, self.acting, member, tuple(sorted(set(clients)))),
            widens=widens,
            keyed=keyed,
            approved=approves,
        )
        facts = self.facts | (
            yield from object_facts(self.acting, member, now_us, employer=employer)
        )
        needs = yield from self._rule(case, facts, now_us=now_us)
        yield from _refuse_erased(case)
        if not needs:
            return Scene(self.acting, now_us, member)
        if self.acting.employer:
            raise Denied(
                f"{self.act.value} takes a second person here, and a directory is none",
                remedy="Let an administrator do it, with a second person.",
                code="approval_required",
            )
        what = wanted(
            *(self.act, self.acting, case.clients), member=member, digest=digest, summary=summary
        )
        second = yield from taken(what, partial(still_may, case), now_us=now_us)
        if not second:
            raise NeedsSecondPerson(what, self.house.clock)
        yield from self._rule(replace(case, approved=True), facts, now_us=now_us)
        return Scene(self.acting, now_us, member, second)

    def _rule(self, case: Case, facts: Facts, *, now_us: int) -> Work[bool]:
        """Judge for each client; tell whether a second person is missing. Raises :class:`Refused`."""
        needs = False
        for client in case.clients or ("",):
            ruling = yield from ruled(case, facts, client=client, now_us=now_us)
            if not ruling.allowed and not ruling.needs_second:
                raise Refused(
                    Attempt(self.act, self.acting, case.clients),
                    ruling.reasons,
                    self.house.clock,
                )
            needs = needs or ruling.needs_second
        return needs


def _refuse_erased(case: Case) -> Work[None]:
    """Who may do the act is told plainly that there is nothing to do it to: the client was erased."""
    if case.act not in NOT_WHEN_ERASED:
        return
    for client in case.clients:
        (rows,) = yield Round(data=(CLIENT_STATE(client=client),))
        if rows and rows[0][0] in CLIENT_ERASED_STATES:
            raise Denied(
                f"client {client} was erased, with all its keys",
                remedy="Its log stays: holdfast log export. A new client needs another id.",
                code="client_erased",
            )


def enter(house: HasSettings, act: Act) -> Work[Entered]:
    """Find who acts, and let pass who is active and may do this act somewhere; raises :class:`Refused`.

    For acts of which only a look-up tells what they touch: whoever may not do them learns nothing by asking.
    """
    acting = yield from named_person(house)
    return enter_as(house, act, acting)


def enter_as(house: HasSettings, act: Act, acting: Acting) -> Entered:
    """The same for somebody who is known already: who sent a request."""
    facts = actor_facts(acting)
    ruling = entry(in_house(acting), context_of(Case(act, acting), facts), facts)
    if not ruling.allowed:
        raise Refused(Attempt(act, acting), ruling.reasons, house.clock)
    return Entered(house, act, acting, facts)


def may(house: HasSettings, act: Act) -> Work[bool]:
    """Tell whether who acts may do ``act`` for the house at large; a question, which leaves no line."""
    acting = yield from named_person(house)
    facts = actor_facts(acting)
    return judge(in_house(acting), context_of(Case(act, acting), facts), facts).allowed


def digest_of(*texts: str) -> bytes:
    """What an approval is bound to: SHA-256 over all that the act would write, length-prefixed."""
    return sha256(length_prefixed(*(text.encode() for text in texts))).digest()


def tell(
    scene: Scene, kind: LeafType, clients: Iterable[str], *, person: str | None = None, **body: Any
) -> Work[None]:
    """Write one leaf to the house's log and one to each client's, and let the clients' fences rise.

    Persons and credentials stand in each log under its own references. ``person`` fills the field of that name: ""
    for nobody, None where the type has no such field.
    """
    reached = sorted(set(clients))
    yield from tell_in(scene, kind, (HOUSE_LOG, *map(client_log, reached)), person=person, **body)
    if reached:
        yield Round(data=tuple(BUMP_FENCE(client=client) for client in reached))


def tell_in(
    scene: Scene, kind: LeafType, logs: Iterable[str], *, person: str | None = None, **body: Any
) -> Work[None]:
    """Write one leaf to each of ``logs``; see :func:`tell`."""
    queries = []
    for log in logs:
        filled = {**body, "by": (yield from scene.acting.reference(log))}
        if person is not None:
            filled["person"] = (yield from reference_of(person, log)) if person else ""
        if "token" in body:
            filled["token"] = credential_reference(body["token"], log)
        leaf = Leaf(kind, new_id(LEAF, scene.now_us), scene.now_us, filled)
        queries.append(append(log, leaf))
    yield Round(data=tuple(queries))
