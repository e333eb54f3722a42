"""Granting and refusing: by an independent person, within limits, in one conditional write, with a leaf.

Whether the approver may know the request at all, and is at work, is judged before (``spine/operations/approve.py`` for
looks and acts, the command line for administration); here stands what holds for every kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdfast.kit.clock import rfc3339
from holdfast.kit.db import Round
from holdfast.kit.errors import Conflict, Denied
from holdfast.kit.ids import new_id
from holdfast.spine.approvals import store
from holdfast.spine.approvals.requests import LAPSED, Request, load
from holdfast.spine.approvals.rules import (
    SHIFT_US,
    UNLIMITED,
    Limits,
    Share,
    dependence,
    use_by_us,
)
from holdfast.spine.identity.people import leads_of
from holdfast.spine.identity.references import reference_of
from holdfast.spine.identity.requester import words
from holdfast.spine.ledger.recorder import append
from holdfast.vocabulary import ids
from holdfast.vocabulary.leaves import Leaf, LeafType
from holdfast.vocabulary.levels import ApprovalState
from holdfast.vocabulary.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.kit.db import Query, Work
    from holdfast.spine.approvals.rules import Party

_WHY: Final = {
    "same_person": "nobody approves for themselves",
    "same_credential": "this is the credential by which it was asked for",
    "same_device": "it was asked for at the device that you are at",
    "same_line": "the contract wants an approver of another reporting line",
    "one_hand": "one person issued the credentials of both, or one of you the other's, and could act as both",
}
_REMEDY: Final = "Let somebody else decide."
_OWN_KEY: Final = (
    "Decide with a token that is bound to a key of yours (`holdfast token key`, `token create --jkt`), or from an "
    "account of your own; or let somebody else decide."
)


def check_independent(
    request: Request, by: Party, limits: Limits, *, grant: bool = True
) -> Work[None]:
    """Raise :class:`Denied` (code ``not_independent``) unless ``by`` is independent of who asked.

    Refusing opens nothing: there it does not matter who may have both credentials.
    """
    asker = request.requester
    seen: dict[str, tuple[str, ...]] = (yield from _seen_by(asker, by)) if grant else {}
    lines: tuple[frozenset[str], frozenset[str]] = frozenset(), frozenset()
    if limits.other_line:
        lines = (yield from leads_of(asker.person)), (yield from leads_of(by.person))
    why = dependence(
        asker,
        by,
        other_line=limits.other_line,
        requester_line=lines[0],
        approver_line=lines[1],
        requester_seen_by=seen.get(asker.credential, ()),
        approver_seen_by=seen.get(by.credential, ()),
    )
    if why:
        remedy = _OWN_KEY if why == "one_hand" else _REMEDY
        raise Denied(_WHY[why], remedy=remedy, code="not_independent")


def decide(
    request: Request,
    by: Party,
    *,
    grant: bool,
    now_us: int,
    sure_us: int | None = None,
    limits: Limits = UNLIMITED,
) -> Work[Request]:
    """Grant or refuse a request in the name of ``by``; return it as it stands then.

    ``sure_us`` is the time by which a shift may have passed: now, unless the clock is in doubt.

    Raises :class:`Denied` when they are not independent (``not_independent``) or have given as many approvals as the
    contract allows in a shift (``approval_limit``), and :class:`Conflict` (``approval_closed``) when the request was
    decided before or has lapsed.
    """
    yield from check_independent(request, by, limits, grant=grant)
    since_us = (now_us if sure_us is None else sure_us) - SHIFT_US
    write = _refuse(request, by, now_us)
    if grant:
        write = _grant(request, by, limits, now_us=now_us, since_us=since_us)
    (done,) = yield Round(data=(write,))
    if not done:
        raise (yield from _why_not(request, by, limits, now_us=now_us, since_us=since_us))
    share = yield from _share(request, by, since_us)
    yield from _tell(request, by, share, now_us=now_us, outcome="granted" if grant else "refused")
    decided = yield from load(request.id)
    assert decided is not None
    return decided


def _grant(request: Request, by: Party, limits: Limits, *, now_us: int, since_us: int) -> Query:
    return store.GRANT(
        id=request.id,
        client=request.client,
        requester=request.requester.person,
        by=by.person,
        device=by.device,
        now_us=now_us,
        use_by_us=use_by_us(request.kind, request.created_us, now_us),
        since_us=since_us,
        per_approver=limits.per_approver,
        per_pair=limits.per_pair,
    )


def _refuse(request: Request, by: Party, now_us: int) -> Query:
    return store.REFUSE(
        id=request.id, client=request.client, by=by.person, device=by.device, now_us=now_us
    )


def _why_not(
    request: Request, by: Party, limits: Limits, *, now_us: int, since_us: int
) -> Work[Exception]:
    found = yield from load(request.id)
    standing = found.standing(now_us) if found else LAPSED
    if standing != ApprovalState.ASKED.value:
        return Conflict(
            "this request has lapsed" if standing == LAPSED else f"this request is {standing}",
            remedy="It is to be asked for anew.",
            code="approval_closed",
        )
    given = store.GIVEN(
        client=request.client,
        by=by.person,
        requester=request.requester.person,
        since_us=since_us,
    )
    (rows,) = yield Round(data=(given,))
    whom = "for this person" if rows[0][0] >= limits.per_pair else "for this client"
    return Denied(
        f"you gave as many approvals {whom} as the contract allows in a shift",
        remedy="Let somebody else decide.",
        code="approval_limit",
    )


def _share(request: Request, by: Party, since_us: int) -> Work[Share]:
    (rows,) = yield Round(
        data=(
            store.SHARE(
                client=request.client,
                requester=request.requester.person,
                by=by.person,
                since_us=since_us,
            ),
        )
    )
    return Share(*rows[0])


def _tell(request: Request, by: Party, share: Share, *, now_us: int, outcome: str) -> Work[None]:
    granted = outcome == ApprovalState.GRANTED.value
    until_us = use_by_us(request.kind, request.created_us, now_us) if granted else now_us
    writes: list[Query] = []
    for log in request.logs:
        approver = yield from reference_of(by.person, log)
        body = {
            "approval": request.id,
            "kind": request.kind.value,
            "outcome": outcome,
            "person": approver,
            "requester": (yield from reference_of(request.requester.person, log)),
            "share": share.percent,
            "of": share.total,
            "expires": rfc3339(until_us),
        }
        writes.append(_leaf(log, LeafType.APPROVAL_DECIDED, now_us, body))
        if granted and share.odd:
            signal = {"signal": Signal.APPROVAL_PAIR.value, "subject": approver}
            body = {**signal, "count": share.pair}
            writes.append(_leaf(log, LeafType.SIGNAL_RAISED, now_us, body))
    yield Round(data=tuple(writes))


def _seen_by(asker: Party, by: Party) -> Work[dict[str, tuple[str, ...]]]:
    """Return who, beside its holder, may know each of the two credentials."""
    (rows,) = yield Round(data=(store.SEEN_BY(ids=[asker.credential, by.credential]),))
    return {credential: words(persons) for credential, persons in rows}


def _leaf(log: str, kind: LeafType, now_us: int, body: Mapping[str, object]) -> Query:
    return append(log, Leaf(kind, new_id(ids.LEAF, now_us), now_us, body))
