"""What an administrative act is judged by: facts about who acts, and about whom and what it touches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdfast.kit.db import Round
from holdfast.spine.administration.store import FEED_KEY_MAKERS, TOKEN_HOLDERS, TOKENS_HELD
from holdfast.spine.identity.people import leads_of
from holdfast.spine.identity.requester import words
from holdfast.spine.identity.store import ASSIGNMENTS_OF_PERSON, OTHER_ADMINS
from holdfast.vocabulary.acts import Act
from holdfast.vocabulary.facts import FactId, FactState, FactValue
from holdfast.vocabulary.levels import PersonState, Role

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.kit.db import Work
    from holdfast.spine.identity.acting import Acting
    from holdfast.spine.identity.people import Member

Facts = dict[FactId, FactValue]

LINE: Final = frozenset({Role.AGENT, Role.LEAD})
#: Where no client is concerned, no feed is.
NO_FEED: Final = FactValue(FactState.KNOWN, met=True, value="no client")


def actor_facts(acting: Acting) -> Facts:
    """What is known of who acts, from their credential and the people store."""
    bound = bool(acting.device or acting.client)
    return {
        FactId.EMPLOYED: _known(acting.state is not PersonState.LEFT, acting.state.value),
        FactId.NOT_SUSPENDED: _known(acting.state is not PersonState.SUSPENDED, acting.state.value),
        FactId.TOKEN_UNBOUND: _known(not bound, "bound" if bound else "not bound"),
        FactId.NETWORK: _known(not acting.elsewhere, "elsewhere" if acting.elsewhere else "here"),
    }


def object_facts(
    acting: Acting, member: Member | None, now_us: int, *, employer: str = ""
) -> Work[Facts]:
    """What is known of the person concerned, or of ``employer``, whichever client it is about."""
    whose = member.employer if member is not None else employer
    own = acting.employer in {"", whose}
    other = member is None or member.id != acting.person
    return {
        FactId.ANOTHER_PERSON: _known(other, "another" if other else "yourself"),
        FactId.SAME_LINE: _known((yield from _same_line(acting, member, now_us)), ""),
        FactId.OTHER_LINE: _known((yield from _other_line(acting, member, now_us)), ""),
        FactId.ADMIN_REMAINS: _known((yield from _admin_remains(member)), ""),
        FactId.OWN_EMPLOYER: _known(own, "own" if own else "another"),
    }


def _same_line(acting: Acting, member: Member | None, now_us: int) -> Work[bool]:
    """Whether the person concerned is an agent or lead, of a client that both work for."""
    if member is None or not member.roles <= LINE:
        return False
    mine = yield from works_for(acting.person, now_us)
    theirs = yield from works_for(member.id, now_us)
    return not mine.isdisjoint(theirs)


def _other_line(acting: Acting, member: Member | None, now_us: int) -> Work[bool]:
    """Whether who acts stands neither above nor below the person concerned.

    Where nobody has said to whom the person reports, everybody who works for a client of theirs may be above them.
    """
    if member is None or member.id == acting.person:
        return False
    above, over = (yield from leads_of(member.id)), (yield from leads_of(acting.person))
    if above:
        return acting.person not in above and member.id not in over
    mine = yield from works_for(acting.person, now_us)
    theirs = yield from works_for(member.id, now_us)
    return member.id not in over and mine.isdisjoint(theirs)


def _admin_remains(member: Member | None) -> Work[bool]:
    """Whether there is an active administrator beside the person concerned, or they are none."""
    if member is None or Role.ADMIN not in member.roles or member.state is not PersonState.ACTIVE:
        return True
    (rows,) = yield Round(data=(OTHER_ADMINS(person=member.id),))
    return bool(rows[0][0])


def feed_apart(
    act: Act,
    acting: Acting,
    member: Member | None,
    *,
    client: str,
    keyed: bool = False,
    now_us: int,
) -> Work[FactValue]:
    """Whether, after the act, nobody has both a key of a feed of the client and a token that the feed empowers.

    Somebody has a feed key that they made or use, and a token that they hold or that they issued: they saw the secret.
    What is done with a token that others saw too, they may have done.
    """
    (makers,) = yield Round(data=(FEED_KEY_MAKERS(client=client),))
    keys, tokens = _names(makers), set[str]()
    if act in {Act.FEED_KEY_ADD, Act.FEED_PUSH}:
        keys = set(acting.hands)
        (rows,) = yield Round(data=(TOKEN_HOLDERS(client=client, now=now_us),))
        tokens = _names(rows)
    elif act is Act.TOKEN_PERSON and member is not None:
        tokens = {member.id} if keyed else {member.id, *acting.hands}
    elif act is Act.PERSON_ASSIGN and member is not None:
        (rows,) = yield Round(data=(TOKENS_HELD(person=member.id, client=client, now=now_us),))
        tokens = _names(rows)
    apart = keys.isdisjoint(tokens)
    return _known(apart, "apart" if apart else "with one person")


def _names(rows: Iterable[tuple[str, ...]]) -> set[str]:
    return {name for row in rows for joined in row for name in words(joined)}


def clients_of(person: str, now_us: int) -> Work[tuple[str, ...]]:
    """Return the clients that the person is, or is yet to be, assigned to: whose logs are told."""
    (rows,) = yield Round(data=(ASSIGNMENTS_OF_PERSON(person=person),))
    return tuple(sorted({row[1] for row in rows if row[6] is None or row[6] > now_us}))


def works_for(person: str, now_us: int) -> Work[frozenset[str]]:
    """Return the clients that the person is assigned to at this moment."""
    (rows,) = yield Round(data=(ASSIGNMENTS_OF_PERSON(person=person),))
    return frozenset(
        row[1] for row in rows if row[5] <= now_us and (row[6] is None or row[6] > now_us)
    )


def _known(met: bool, value: str) -> FactValue:  # noqa: FBT001  the one thing that it says
    return FactValue(FactState.KNOWN, met, value)
