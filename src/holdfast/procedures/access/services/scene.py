"""Who acts, when, and how the logs are told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from holdfast.kit.db import Round
from holdfast.kit.errors import Denied
from holdfast.kit.ids import new_id
from holdfast.spine.decision.store import BUMP_FENCE
from holdfast.spine.identity.acting import acting_person, require
from holdfast.spine.identity.references import reference_of
from holdfast.spine.identity.store import ASSIGNMENTS_OF_PERSON
from holdfast.spine.ledger.recorder import append
from holdfast.vocabulary.ids import HOUSE_LOG, LEAF, client_log
from holdfast.vocabulary.leaves import Leaf, LeafType
from holdfast.vocabulary.levels import Role

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.kit.db import Work
    from holdfast.spine.identity.acting import Acting, HasSettings
    from holdfast.spine.identity.people import Member

HOUSE_WIDE: Final = frozenset({Role.ADMIN, Role.SECURITY})
LINE: Final = frozenset({Role.AGENT, Role.LEAD})
READERS: Final = (Role.ADMIN, Role.SECURITY, Role.LEAD, Role.DPO, Role.AUDITOR)


@dataclass(frozen=True, slots=True)
class Scene:
    """One administrative act: in whose name, and the moment inside its transaction."""

    acting: Acting
    now_us: int


def scene_of(house: HasSettings, *roles: Role) -> Work[Scene]:
    """Open an act; raises :class:`Denied` unless the acting person is active and has one of ``roles``."""
    acting = yield from acting_person(house)
    require(acting, *roles)
    return Scene(acting, house.clock.now_us())


def refuse_self(scene: Scene, person: str, what: str) -> None:
    """Raise :class:`Denied` when somebody acts on themselves where it takes another."""
    if scene.acting.person == person:
        raise Denied(
            f"nobody {what} themselves", remedy="Ask another administrator.", code="same_person"
        )


def tell(
    scene: Scene, kind: LeafType, clients: Iterable[str], *, person: str | None = None, **body: Any
) -> Work[None]:
    """Write one leaf to the house's log and one to each client's, and let the clients' fences rise.

    Persons stand in each log under its own references. ``person`` fills the field of that name: "" for nobody, None
    where the type has no such field.
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
        leaf = Leaf(kind, new_id(LEAF, scene.now_us), scene.now_us, filled)
        queries.append(append(log, leaf))
    yield Round(data=tuple(queries))


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


def refuse_other_line(scene: Scene, member: Member) -> Work[None]:
    """Raise :class:`Denied` when a lead acts on somebody who is no agent or lead of a client that both work for.

    Administrators and security act on everybody.
    """
    if not scene.acting.roles.isdisjoint(HOUSE_WIDE):
        return
    mine = yield from works_for(scene.acting.person, scene.now_us)
    theirs = yield from works_for(member.id, scene.now_us)
    if not member.roles <= LINE or mine.isdisjoint(theirs):
        raise Denied(
            "a lead acts on agents and leads of a client that both work for",
            remedy="Ask somebody with the role admin or security.",
            code="other_line",
        )
