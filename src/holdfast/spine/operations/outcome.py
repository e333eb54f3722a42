"""What a target system says became of a permit, and what is done when it says nothing (SPINE 16).

A target claims the permit before it acts (``claimed``) and says afterwards how it went (``done``, ``failed``,
``not_done``), or says both at once. Claiming takes a permit that is not expired; every step is a conditional write, so
that a permit counts once, whoever brings it again. Ten minutes without a word is a signal in the client's log.
"""

from __future__ import annotations

from hmac import compare_digest
from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.kit.db import Round
from holdfast.kit.ids import new_id
from holdfast.spine.actions.permits import TOLD_WITHIN_US, digest_of, no_such_permit
from holdfast.spine.actions.store import CLAIM, MISS, PERMIT, SETTLE, UNREPORTED
from holdfast.spine.identity.references import credential_reference
from holdfast.spine.ledger.checkpoint import base64_text
from holdfast.spine.ledger.recorder import append, hash_of
from holdfast.spine.operations.decisions import reader_of
from holdfast.spine.turn.answers import LeafPointer, OutcomeRefused, OutcomeTaken
from holdfast.vocabulary import ids
from holdfast.vocabulary.leaves import Leaf, LeafType
from holdfast.vocabulary.signals import Signal

if TYPE_CHECKING:
    from holdfast.kit.db import Query, Work
    from holdfast.spine.actions.permits import Claims
    from holdfast.spine.house import House
    from holdfast.spine.identity.presented import Caller

CLAIMED: Final = "claimed"
OUTCOMES: Final = (CLAIMED, "done", "failed", "not_done")
SCOPE: Final = "act:"
MOST_AT_ONCE: Final = 100


class Report(NamedTuple):
    """What came from the target: the act, its permit as it was given, and the outcome."""

    act: str
    permit: str
    outcome: str


def report_outcome(
    house: House, caller: Caller, report: Report
) -> Work[OutcomeTaken | OutcomeRefused]:
    """Take what the target system said. It comes with a token of its own name and of the scope ``act:<client>``.

    Raises :class:`NotAuthenticated` without an accepted token, and :class:`NotFound`, always in the same words, for
    what is not our permit of this act, or not this service's.
    """
    act, permit, outcome = report
    now_us = house.clock.now_us()
    who = yield from reader_of(caller, now_us)
    claims = house.permit_keys().read(permit, now_us)
    theirs = not who.is_person and who.service == claims.aud
    if claims.jti != act or not theirs or f"{SCOPE}{claims.client}" not in who.scopes:
        raise no_such_permit()
    (rows,) = yield Round(data=(PERMIT(client=claims.client, id=act),))
    if not rows or not compare_digest(rows[0][1], digest_of(permit)):
        raise no_such_permit()
    where = {"client": claims.client, "id": act, "now_us": now_us}
    change = (
        CLAIM(**where)
        if outcome == CLAIMED
        else SETTLE(**where, outcome=outcome, since_us=now_us - TOLD_WITHIN_US)
    )
    (taken,) = yield Round(data=(change,))
    if not taken:
        return (yield from _refused(claims, outcome, used=bool(rows[0][4]), now_us=now_us))
    log = ids.client_log(claims.client)
    token = credential_reference(who.credential, log)
    leaf = Leaf(
        LeafType.ACTION_REPORTED,
        new_id(ids.LEAF, now_us),
        now_us,
        {"act": act, "outcome": outcome, "token": token},
    )
    written = append(log, leaf)
    yield Round(data=(written,))
    return OutcomeTaken(act, outcome, LeafPointer(log, leaf.id, base64_text(hash_of(written))))


def _refused(claims: Claims, outcome: str, *, used: bool, now_us: int) -> Work[OutcomeRefused]:
    """Refuse a permit that does not count (any more); one brought for a second use is a signal."""
    if outcome == CLAIMED:
        yield Round(data=(_signal(claims.client, Signal.ACT_PERMIT_REUSED, claims.jti, now_us),))
    if used:
        return OutcomeRefused(
            "permit_used",
            "This permit was used before, or its outcome was told.",
            "Do not act on it. Ask for a new permit.",
        )
    return OutcomeRefused(
        "permit_expired",
        "This permit came too late.",
        "Do not act on it. Ask for a new permit.",
    )


def tell_missing(now_us: int) -> Work[int]:
    """Raise a signal for each permit of which nothing was heard for ten minutes; return how many were found.

    Each is told once, however often this runs; a hundred at a time, so that no transaction is long.
    """
    since_us = now_us - TOLD_WITHIN_US
    (rows,) = yield Round(data=(UNREPORTED(since_us=since_us, limit=MOST_AT_ONCE),))
    for client, act in rows:
        (missed,) = yield Round(data=(MISS(client=client, id=act, now_us=now_us),))
        if missed:
            yield Round(data=(_signal(client, Signal.ACT_NO_OUTCOME, act, now_us),))
    return len(rows)


def _signal(client: str, name: Signal, act: str, now_us: int) -> Query:
    leaf = Leaf(
        LeafType.SIGNAL_RAISED,
        new_id(ids.LEAF, now_us),
        now_us,
        {"signal": name.value, "subject": act, "count": 1},
    )
    return append(ids.client_log(client), leaf)
