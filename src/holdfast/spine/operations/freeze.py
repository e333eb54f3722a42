"""Freezing a client: one of its own users stops every look at once, and the house cannot start them again (SPINE 17).

Who may do what::

    freeze    a user of the client, or the house's security: it only narrows
    confirm   another user of the client; without it the freeze ends after four hours
    unfreeze  a user of the client, or two administrators of the house, and then the line says so

A *user of the client* has the role ``client_user`` in an assignment to this very client and no working role, in the
house or there: nobody who looks at customers lifts what stops them. Whoever confirms or lifts a freeze was the
client's user before it began, so that no user can be made for the purpose.

Over HTTP the user stands behind the request by possession of a key or a step-up; on the house's own machine they are
the acting person. What is refused because of who asks is told to the client as a signal; therefore a refusal is
returned, not raised: what it wrote must be committed.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.kit.clock import MINUTE_US, rfc3339
from holdfast.kit.db import Round
from holdfast.kit.errors import Conflict, NotAuthenticated, NotFound
from holdfast.kit.ids import new_id
from holdfast.spine.administration.scene import administer, digest_of
from holdfast.spine.decision import store as decisions
from holdfast.spine.decision.freezing import UNCONFIRMED_US, UNTIL_LIFTED_US, Standing, until
from holdfast.spine.identity import store as identity
from holdfast.spine.identity.acting import acting_person
from holdfast.spine.identity.references import reference_of
from holdfast.spine.identity.requester import level_of, roles_of, step_up_of
from holdfast.spine.ledger.checkpoint import base64_text
from holdfast.spine.ledger.recorder import append, hash_of
from holdfast.spine.ledger.sequencer import newest_leaf_us, sure_us
from holdfast.spine.operations.decisions import reader_of
from holdfast.spine.turn.answers import FreezeRefused, FreezeStands, LeafPointer
from holdfast.vocabulary import ids
from holdfast.vocabulary.acts import Act
from holdfast.vocabulary.leaves import Leaf, LeafType
from holdfast.vocabulary.levels import AuthLevel, FreezeReason, Role
from holdfast.vocabulary.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.kit.db import Query, Row, Rows, Work
    from holdfast.spine.house import House
    from holdfast.spine.turn.answers import Asked

CONTACT: Final = "freeze"  # what a challenge for a freeze names in the place of a contact
_CHALLENGE_US: Final = 5 * MINUTE_US
_CLIENTS_OWN: Final = frozenset({Role.CLIENT_USER, Role.AUDITOR})


class Step(StrEnum):
    """What is to be done with a freeze."""

    FREEZE = "freeze"
    CONFIRM = "confirm"
    UNFREEZE = "unfreeze"


class _Caller(NamedTuple):
    person: str
    roles: frozenset[Role]  # in the house
    strong: bool


class _Now(NamedTuple):
    """The client's row, and the caller's standing with the client. ``user_since_us`` is None for whoever is no user."""

    client: str
    standing: Standing
    frozen_us: int
    frozen_by: str
    confirmed_by: str
    now_us: int
    sure_us: int  # by which a freeze may have ended
    assigned: bool
    user_since_us: int | None


def ask_to_freeze(
    house: House, asked: Asked, step: Step, reason: FreezeReason = FreezeReason.UNSPECIFIED
) -> Work[FreezeStands | FreezeRefused]:
    """Freeze, confirm or unfreeze ``asked.client`` for who sends the request.

    Raises :class:`NotAuthenticated` without an accepted token of a person, :class:`NotFound` to whom the client is none
    of their business, :class:`Conflict` when the freeze does not stand as the step needs it.
    """
    now_us = yield from _now_us(house)
    reader = yield from reader_of(asked, now_us)
    if not reader.is_person:
        raise NotAuthenticated(
            "a service does not freeze; a user of the client does", remedy="Use a person's token."
        )
    if reader.client not in {"", asked.client}:
        raise _no_client()
    second = yield from _second(asked)
    level = level_of(reader, step_up_of(second, now_us), client=asked.client, contact=CONTACT)
    caller = _Caller(reader.person, reader.roles, level >= AuthLevel.STEP_UP)
    return (yield from _take(asked.client, caller, step, reason=reason, now_us=now_us))


def freeze_here(
    house: House, client: str, step: Step, reason: FreezeReason = FreezeReason.UNSPECIFIED
) -> Work[FreezeStands | FreezeRefused]:
    """Freeze, confirm or unfreeze as the acting person of the command line.

    Raises what :func:`~holdfast.spine.identity.acting.acting_person` raises, and as :func:`ask_to_freeze` does;
    ``NeedsSecondPerson`` to an administrator who would lift it, until another one has approved this.
    """
    now_us = yield from _now_us(house)
    acting = yield from acting_person(house, bound_to=client)
    if step is Step.UNFREEZE and Role.ADMIN in acting.roles:
        return (yield from _unfreeze_by_house(house, client, now_us))
    caller = _Caller(acting.person, acting.roles, strong=True)
    return (yield from _take(client, caller, step, reason=reason, now_us=now_us))


def _now_us(house: House) -> Work[int]:
    """The time, never before what the logs say: a machine whose clock was set back does not shorten a freeze."""
    return max(house.clock.now_us(), (yield from newest_leaf_us()))


def _second(asked: Asked) -> Work[Row | None]:
    if asked.step_up_hash is None:
        return None
    (rows,) = yield Round(data=(identity.CREDENTIAL(secret_hash=asked.step_up_hash),))
    return rows[0] if rows else None


def _take(
    client: str, caller: _Caller, step: Step, *, reason: FreezeReason, now_us: int
) -> Work[FreezeStands | FreezeRefused]:
    now = yield from _look(client, caller, now_us)
    refused = _refusal(now, caller, step)
    if refused is not None:
        yield Round(data=((yield from _signal(now, caller)),))
        return refused
    if not caller.strong:
        return (yield from _challenge(now, caller))
    match step:
        case Step.FREEZE:
            return (yield from _freeze(now, caller, reason))
        case Step.CONFIRM:
            return (yield from _confirm(now, caller))
        case Step.UNFREEZE:
            return (yield from _unfreeze(now, caller))


def _look(client: str, caller: _Caller, now_us: int) -> Work[_Now]:
    frozen, assignments = yield Round(
        data=(
            decisions.FROZEN(client=client),
            identity.ASSIGNMENTS(person=caller.person, client=client),
        )
    )
    live = [row for row in assignments if row[5] <= now_us and (row[6] is None or row[6] > now_us)]
    if not frozen or not (live or Role.SECURITY in caller.roles):
        raise _no_client()
    state, frozen_us, until_us, by, _, confirmed_by = frozen[0]
    return _Now(
        client=client,
        standing=Standing(state, until_us),
        frozen_us=frozen_us,
        frozen_by=by,
        confirmed_by=confirmed_by,
        now_us=now_us,
        sure_us=(yield from sure_us(now_us)),
        assigned=bool(live),
        user_since_us=_user_since(live, caller),
    )


def _user_since(live: Rows, caller: _Caller) -> int | None:
    """Since when the caller is a user of the client and nothing else, or None."""
    roles = [roles_of(row[4]) for row in live]
    working = caller.roles.union(*roles) - _CLIENTS_OWN
    since = [row[5] for row, held in zip(live, roles, strict=True) if Role.CLIENT_USER in held]
    return min(since) if since and not working else None


def _no_client() -> NotFound:
    return NotFound(
        "there is no such client", remedy="Ask whoever gave you the token.", code="no_client"
    )


def _refusal(now: _Now, caller: _Caller, step: Step) -> FreezeRefused | None:
    """Why this caller may not; None when they may."""
    user = now.user_since_us is not None
    if step is Step.FREEZE and (user or Role.SECURITY in caller.roles):
        return None
    if not user:
        return FreezeRefused(
            code="role_missing",
            message="a freeze is the client's: a user of the client does this, who has no other role here",
            remedy="Ask the client. Nobody of the house lifts a freeze alone.",
        )
    assert now.user_since_us is not None
    if now.standing.is_frozen(now.sure_us) and now.user_since_us >= now.frozen_us:
        return FreezeRefused(
            code="new_user",
            message="whoever confirms or lifts a freeze was a user of the client before it began",
            remedy="Another user of the client does it, or it ends by itself if nobody confirms it.",
        )
    if step is Step.CONFIRM and now.frozen_by == caller.person:
        return FreezeRefused(
            code="second_person",
            message="a freeze is confirmed by another user of the client than the one who froze",
            remedy="Ask a second user of the client; unconfirmed, it ends after four hours.",
        )
    return None


def _freeze(now: _Now, caller: _Caller, reason: FreezeReason) -> Work[FreezeStands]:
    until_us = now.now_us + UNCONFIRMED_US
    change = decisions.FREEZE(
        client=now.client,
        now_us=now.now_us,
        sure_us=now.sure_us,
        until_us=until_us,
        by=caller.person,
        reason=reason.value,
    )
    (taken,) = yield Round(data=(change,))
    if not taken:
        raise Conflict(
            "the client is frozen already",
            remedy="Another user of the client confirms it: `holdfast client freeze CLIENT --confirm`.",
            code="frozen",
        )
    standing = now.standing._replace(frozen_until_us=until_us)
    body = {"reason": reason.value, "until": until(standing)}
    return (
        yield from _told(
            now.client, caller.person, LeafType.CLIENT_FROZEN, body, stands=(standing, now.now_us)
        )
    )


def _confirm(now: _Now, caller: _Caller) -> Work[FreezeStands]:
    change = decisions.CONFIRM_FREEZE(
        client=now.client, sure_us=now.sure_us, until_us=UNTIL_LIFTED_US, by=caller.person
    )
    (taken,) = yield Round(data=(change,))
    if not taken:
        raise Conflict(
            "there is no freeze to confirm: the client is open, or it was confirmed before",
            remedy="`holdfast client list` shows how the client stands.",
            code="not_frozen",
        )
    standing = now.standing._replace(frozen_until_us=UNTIL_LIFTED_US)
    return (
        yield from _told(
            now.client,
            caller.person,
            LeafType.CLIENT_FREEZE_CONFIRMED,
            {},
            stands=(standing, now.now_us),
        )
    )


def _unfreeze(now: _Now, caller: _Caller) -> Work[FreezeStands]:
    change = decisions.UNFREEZE(client=now.client, sure_us=now.sure_us, frozen_us=now.frozen_us)
    (taken,) = yield Round(data=(change,))
    if not taken:
        raise _not_frozen()
    standing = now.standing._replace(frozen_until_us=0)
    body = {"second": "", "by_house": False}
    return (
        yield from _told(
            now.client, caller.person, LeafType.CLIENT_UNFROZEN, body, stands=(standing, now.now_us)
        )
    )


def _unfreeze_by_house(house: House, client: str, now_us: int) -> Work[FreezeStands]:
    """Lift a freeze as an administrator, with the approval of another; both stand in the client's log."""
    (rows,) = yield Round(data=(decisions.FROZEN(client=client),))
    if not rows:
        raise _no_client()
    state, frozen_us, until_us, *_ = rows[0]
    standing, at_us = Standing(state, until_us), (yield from sure_us(now_us))
    if not standing.is_frozen(at_us):
        raise _not_frozen()
    scene = yield from administer(
        house,
        Act.CLIENT_UNFREEZE,
        clients=(client,),
        digest=digest_of(client, str(frozen_us)),
        summary={"client": client, "frozen_since": rfc3339(frozen_us)},
    )
    change = decisions.UNFREEZE(client=client, sure_us=at_us, frozen_us=frozen_us)
    (taken,) = yield Round(data=(change,))
    if not taken:
        raise _not_frozen()
    second = yield from reference_of(scene.second, ids.client_log(client))
    return (
        yield from _told(
            client,
            scene.acting.person,
            LeafType.CLIENT_UNFROZEN,
            {"second": second, "by_house": True},
            stands=(standing._replace(frozen_until_us=0), now_us),
        )
    )


def _not_frozen() -> Conflict:
    return Conflict(
        "the client is not frozen",
        remedy="`holdfast client list` shows how the client stands.",
        code="not_frozen",
    )


def _told(
    client: str,
    person: str,
    kind: LeafType,
    body: Mapping[str, object],
    *,
    stands: tuple[Standing, int],
) -> Work[FreezeStands]:
    log, (standing, now_us) = ids.client_log(client), stands
    by = yield from reference_of(person, log)
    leaf = Leaf(kind, new_id(ids.LEAF, now_us), now_us, {"by": by, **body})
    written = append(log, leaf)
    yield Round(data=(written,))
    frozen = standing.is_frozen(now_us)
    return FreezeStands(
        client=client,
        state=standing.word(now_us),
        until=until(standing) if frozen else "",
        confirmed=standing.frozen_until_us >= UNTIL_LIFTED_US,
        leaf=LeafPointer(log, leaf.id, base64_text(hash_of(written))),
    )


def _challenge(now: _Now, caller: _Caller) -> Work[FreezeRefused]:
    challenge = new_id(ids.CHALLENGE, now.now_us)
    asks = decisions.ADD_CHALLENGE(
        id=challenge,
        client=now.client,
        person=caller.person,
        contact=CONTACT,
        level=int(AuthLevel.STEP_UP),
        decision="",
        created_us=now.now_us,
        expires_us=now.now_us + _CHALLENGE_US,
    )
    yield Round(data=(asks,))
    return FreezeRefused(
        code="step_up_required",
        message="whoever holds a plain token could do this",
        remedy="Use a token that is bound to a key that you hold, or answer the challenge with a second token.",
        challenge=challenge,
    )


def _signal(now: _Now, caller: _Caller) -> Work[Query]:
    log = ids.client_log(now.client)
    subject = yield from reference_of(caller.person, log)
    body = {"signal": Signal.FREEZE_REFUSED.value, "subject": subject, "count": 1}
    leaf = Leaf(LeafType.SIGNAL_RAISED, new_id(ids.LEAF, now.now_us), now.now_us, body)
    return append(log, leaf)
