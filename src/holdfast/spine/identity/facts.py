"""What credential, employment, assignment and place mean to a decision. Pure: rows in, facts out.

Credential and employment are our own database, read in the request's transaction: they are known, never stale. Network
and device are known when the peer's address is; a proxy that hides it makes the network unknown.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from holdfast.kit.db import Round
from holdfast.spine.identity.place import within
from holdfast.spine.identity.requester import roles_of, words
from holdfast.spine.identity.store import PUT_FACT
from holdfast.vocabulary.facts import FactId, FactState, FactValue, StandingFact
from holdfast.vocabulary.levels import AuthLevel, PersonState, Role

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from holdfast.kit.db import Row, Work
    from holdfast.spine.identity.requester import Requester


class Assigned(msgspec.Struct, frozen=True, kw_only=True):
    """What a person works on for one client at one moment.

    ``queues`` says, per programme, the queues; an empty set is every queue of the programme. ``roles`` says, per
    programme, what the person is there: a lead of one line is not a lead of the next.
    """

    queues: Mapping[str, frozenset[str]]
    roles: Mapping[str, frozenset[Role]]

    @property
    def programmes(self) -> frozenset[str]:
        """The programmes that the person works on now."""
        return frozenset(self.queues)

    def roles_in(self, programme: str) -> frozenset[Role]:
        """Return the person's roles in a programme; none where they are not assigned."""
        return self.roles.get(programme, frozenset())

    def covers(self, programme: str, queue: str) -> bool:
        """Tell whether the person works on this queue of this programme."""
        mine = self.queues.get(programme)
        return mine is not None and (not mine or queue in mine)


def assigned_at(rows: Iterable[Row], now_us: int) -> Assigned:
    """Read ``ASSIGNMENTS`` rows of one client; those that have not begun or have ended count for nothing."""
    queues: dict[str, frozenset[str]] = {}
    roles: dict[str, frozenset[Role]] = {}
    for _, _, programme, listed, role_text, starts_us, ends_us in rows:
        if starts_us > now_us or (ends_us is not None and ends_us <= now_us):
            continue
        mine = frozenset(words(listed))
        # Every queue, by any of two assignments, stays every queue.
        all_queues = not mine or queues.get(programme) == frozenset()
        queues[programme] = frozenset() if all_queues else mine | queues.get(programme, frozenset())
        roles[programme] = roles.get(programme, frozenset()) | roles_of(role_text)
    return Assigned(queues=queues, roles=roles)


def person_facts(
    requester: Requester, assigned: Assigned, *, client: str, employers: tuple[str, ...]
) -> dict[FactId, FactValue]:
    """Employment and assignment. ``employers`` are those that the contract accepts; empty: any.

    A service is no person: it is not employed, so nothing that needs a person is ever met for it. A token that is
    bound to another client is as if the person were not assigned.
    """
    return _facts_of_person(
        _Employed(
            requester.is_person,
            requester.person_state,
            requester.employer,
            not employers or requester.employer in employers,
            requester.client in {"", client},
            tuple(sorted(assigned.queues)),
        )
    ).copy()


class _Employed(NamedTuple):
    """All that the facts of employment and assignment follow from; colleagues at the same work share it."""

    is_person: bool
    state: PersonState
    employer: str
    approved: bool
    good_here: bool
    programmes: tuple[str, ...]


@lru_cache(maxsize=1024)
def _facts_of_person(who: _Employed) -> dict[FactId, FactValue]:
    state, programmes = who.state, who.programmes
    return {
        FactId.EMPLOYED: _known(
            who.is_person and state is not PersonState.LEFT,
            state.value if who.is_person else "service",
        ),
        FactId.NOT_SUSPENDED: _known(state is not PersonState.SUSPENDED, state.value),
        FactId.EMPLOYER_APPROVED: _known(who.approved, who.employer),
        FactId.ASSIGNED: _known(
            who.is_person and who.good_here and bool(programmes),
            (",".join(programmes) or "none") if who.good_here else "token is for another client",
        ),
    }


def place_facts(
    requester: Requester, *, level: AuthLevel, peer: str, device: str, networks: tuple[str, ...]
) -> dict[FactId, FactValue]:
    """How strongly and from where. ``networks`` are the contract's ranges; empty: any.

    The request must lie in the token's ranges *and* in the contract's. A device counts only for a token that is bound
    to one, and must be that one.
    """
    bound = [ranges for ranges in (requester.networks, networks) if ranges]
    if bound and not peer:
        network = FactValue(FactState.UNKNOWN, met=False)
    else:
        network = _known(all(within(peer, ranges) for ranges in bound), peer if bound else "any")
    on_device = not requester.device or requester.device == device
    return {
        FactId.AUTH_LEVEL: _known(level >= AuthLevel.STEP_UP, _strength(level, requester.method)),
        FactId.NETWORK: network,
        FactId.DEVICE: _known(on_device, "bound" if requester.device else "any"),
    }


@lru_cache(maxsize=64)
def _strength(level: AuthLevel, method: str) -> str:
    """In words: ``bearer``, or with how the person signed in, ``bearer (passkey-synced)``."""
    return f"{level.name.lower()} ({method})" if method else level.name.lower()


def put_fact(fact: StandingFact) -> Work[None]:
    """Put a standing fact; one that was observed earlier than the stored one changes nothing."""
    yield Round(
        data=(
            PUT_FACT(
                person=fact.person,
                fact=fact.fact.value,
                met=int(fact.met),
                value=fact.value,
                as_of_us=fact.as_of_us,
                valid_until_us=fact.valid_until_us,
                source=fact.source,
            ),
        )
    )


def standing_facts(person: str, rows: Iterable[Row]) -> dict[FactId, StandingFact]:
    """Read ``FACTS`` rows; a fact whose name this version does not know is left out."""
    names = {fact.value: fact for fact in FactId}
    return {
        names[row[0]]: StandingFact(person, names[row[0]], bool(row[1]), *row[2:])
        for row in rows
        if row[0] in names
    }


@lru_cache(maxsize=1024)
def _known(met: bool, value: str) -> FactValue:  # noqa: FBT001  the one thing that it says
    return FactValue(FactState.KNOWN, met=met, value=value)
