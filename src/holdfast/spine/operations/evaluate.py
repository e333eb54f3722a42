"""Answering as a policy decision point: AuthZEN Authorization API 1.0, for the client's own systems (SPINE 14).

A service's token of the scope ``pdp:CLIENT`` asks, and that client's ``[[pdp]]`` rules answer. Nothing of the vault, of
customers or of persons is looked at. One line says how much was asked and permitted, never about whom or what.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdfast.kit.db import Round
from holdfast.kit.errors import Denied
from holdfast.kit.ids import new_id
from holdfast.spine.decision.freezing import standing_of
from holdfast.spine.decision.pdp import Decided
from holdfast.spine.decision.policies import current_policies
from holdfast.spine.decision.store import CLIENT
from holdfast.spine.identity.references import credential_reference
from holdfast.spine.ledger.recorder import append
from holdfast.spine.operations.decisions import reader_of
from holdfast.vocabulary import ids
from holdfast.vocabulary.leaves import Leaf, LeafType
from holdfast.vocabulary.levels import PdpSemantic

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from holdfast.kit.db import Query, Work
    from holdfast.spine.decision.pdp import Asking, Pdp
    from holdfast.spine.house import House
    from holdfast.spine.identity.presented import Caller
    from holdfast.spine.identity.requester import Requester

PDP: Final = "pdp:"
_STOPS: Final = {
    PdpSemantic.DENY_ON_FIRST_DENY: False,
    PdpSemantic.PERMIT_ON_FIRST_PERMIT: True,
}
MALFORMED: Final = Decided(permitted=False, reason="malformed")
CLOSED: Final = Decided(permitted=False, reason="client_closed")


def evaluate(
    house: House,
    caller: Caller,
    asked: Sequence[Asking | None],
    semantic: PdpSemantic = PdpSemantic.EXECUTE_ALL,
) -> Work[tuple[Decided, ...]]:
    """Answer each question in its order; None stands for one that is malformed, which is denied.

    With another semantic than ``execute_all`` the answers end with the first deny, or permit. A client that is closed
    or frozen permits nothing. Raises :class:`NotAuthenticated` without an accepted token, :class:`Denied` for one that
    may not ask.
    """
    now_us = house.clock.now_us()
    service = yield from reader_of(caller, now_us)
    client = _client_of(service)
    policies = yield from current_policies(house.policies, client)
    (row,) = (yield Round(data=(CLIENT(client=client),)))[0]
    is_open = standing_of(row).is_open(house.sure_us())
    decided = tuple(_decided(policies.pdp, asked, semantic, is_open=is_open))
    log = ids.client_log(client)
    body = {
        "token": credential_reference(service.credential, log),
        "asked": len(decided),
        "permitted": sum(one.permitted for one in decided),
        "policies": policies.digest,
    }
    leaf = Leaf(LeafType.DECISION_EVALUATED, new_id(ids.DECISION, now_us), now_us, body)
    odd = sum(one.reason == "not_evaluated" for one in decided)
    writes = [append(log, leaf), *_signal(log, service, odd, now_us)]
    yield Round(data=tuple(writes))
    return decided


def _client_of(service: Requester) -> str:
    """Return whose rules this token asks; it names exactly one client."""
    clients = [scope.removeprefix(PDP) for scope in service.scopes if scope.startswith(PDP)]
    if service.is_person or len(clients) != 1:
        raise Denied(
            "this credential asks for no decisions about a client's systems",
            remedy="Use a service's token that has exactly one scope pdp:CLIENT.",
            code="scope_missing",
        )
    return clients[0]


def _decided(
    pdp: Pdp, asked: Sequence[Asking | None], semantic: PdpSemantic, *, is_open: bool
) -> Iterator[Decided]:
    for one in asked:
        yield (decided := _one(pdp, one, is_open=is_open))
        if _STOPS.get(semantic) is decided.permitted:
            return


def _one(pdp: Pdp, asked: Asking | None, *, is_open: bool) -> Decided:
    if asked is None:
        return MALFORMED
    return pdp.decide(asked) if is_open else CLOSED


def _signal(log: str, service: Requester, odd: int, now_us: int) -> Iterator[Query]:
    if odd:
        who = credential_reference(service.credential, log)
        body = {"signal": "decision.not_evaluated", "subject": who, "count": odd}
        yield append(log, Leaf(LeafType.SIGNAL_RAISED, new_id(ids.LEAF, now_us), now_us, body))
