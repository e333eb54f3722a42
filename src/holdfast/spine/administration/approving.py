"""The second person decides: shown what would be done, judged as if they did it themselves (SPINE 12, 15)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from holdfast.kit.db import Round
from holdfast.kit.errors import Conflict, Denied, NotFound
from holdfast.spine.administration.policies import policies
from holdfast.spine.administration.refusals import Attempt, Refused
from holdfast.spine.administration.scene import enter
from holdfast.spine.administration.store import WAITING
from holdfast.spine.approvals.deciding import decide
from holdfast.spine.approvals.requests import load
from holdfast.spine.approvals.rules import UNLIMITED, Party
from holdfast.spine.decision.contract import compile_contract
from holdfast.spine.decision.reasons import reason_of
from holdfast.spine.decision.store import CONTRACT
from holdfast.vocabulary.acts import Act
from holdfast.vocabulary.levels import ApprovalKind

if TYPE_CHECKING:
    from holdfast.kit.db import Work
    from holdfast.spine.approvals.requests import Request
    from holdfast.spine.identity.acting import HasSettings

MOST_LISTED: Final = 200
_SECOND_PERSON: Final = "admin.second_person"


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A request that waits for a second person. ``by`` is what people call who asked."""

    id: str
    act: str
    by: str
    clients: tuple[str, ...]
    summary: dict[str, Any]
    expires_us: int


def waiting(house: HasSettings) -> Work[list[Waiting]]:
    """List administrative requests that wait, of those that who looks might decide, and their own; newest last."""
    (rows,) = yield Round(
        data=(
            WAITING(
                kind=ApprovalKind.ADMINISTER.value, now=house.clock.now_us(), limit=MOST_LISTED
            ),
        )
    )
    found = []
    for ident, act, clients, summary, expires_us, employer, staff_id in rows:
        listed = Waiting(
            id=ident,
            act=act,
            by=f"{employer}/{staff_id}",
            clients=tuple(filter(None, clients.split(","))),
            summary=msgspec.json.decode(summary),
            expires_us=expires_us,
        )
        if (yield from _might_do(house, listed)):
            found.append(listed)
    return found


def _might_do(house: HasSettings, asked: Waiting) -> Work[bool]:
    """Tell whether who looks is judged as good for what is asked; a question, which leaves no line."""
    try:
        entered = yield from enter(house, Act(asked.act))
        yield from entered.judge(
            clients=asked.clients, on=asked.summary.get("person", ""), approves=True
        )
    except (Denied, NotFound, Conflict):
        return False
    return True


def decide_request(house: HasSettings, ident: str, *, grant: bool) -> Work[Request]:
    """Grant or refuse a request in the name of who acts, who is judged by the guards of the act itself.

    Raises :class:`NotFound` for a request that does not exist or is no administrative one, :class:`Refused` when who
    decides might not do the act, or asked for it, :class:`Denied` when they are of the requester's reporting line and a
    client concerned wants another, and :class:`Conflict` when it was decided before or has lapsed.
    """
    request = yield from load(ident)
    if request is None or request.kind is not ApprovalKind.ADMINISTER:
        raise NotFound(
            f"no administrative request {ident} waits",
            remedy="`holdfast approval list` shows those that you may decide.",
            code="no_approval",
        )
    act = Act(request.operation)
    entered = yield from enter(house, act)
    person = entered.acting.person
    if request.requester.person == person:
        attempt = Attempt(act, entered.acting, request.clients)
        raise Refused(attempt, (reason_of(_second_person_rule(), {}),), house.clock)
    scene = yield from entered.judge(
        clients=request.clients, on=request.summary.get("person", ""), approves=True
    )
    party = Party(person, entered.acting.key, entered.acting.credential)
    limits = UNLIMITED._replace(other_line=(yield from _other_line(request.clients)))
    return (yield from decide(request, party, grant=grant, now_us=scene.now_us, limits=limits))


def _other_line(clients: tuple[str, ...]) -> Work[bool]:
    """Whether the contract of any client concerned wants an approver of another reporting line."""
    found = yield Round(data=tuple(CONTRACT(client=client) for client in clients))
    return any(compile_contract(rows[0][0]).approval.other_line for rows in found if rows)


def _second_person_rule() -> Any:
    return next(rule for rule in policies().rules if rule and rule.id == _SECOND_PERSON)
