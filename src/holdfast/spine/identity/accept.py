"""Accepting a credential: looked up, proved, and its proof used, all in the transaction of the operation.

:func:`loads` are queries for an operation's first round, :func:`accept` reads their answers; :func:`accepted` is both
for an operation that asks nothing else in that round.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from holdfast.kit.db import Round
from holdfast.kit.errors import NotAuthenticated
from holdfast.spine.identity.place import within
from holdfast.spine.identity.requester import not_accepted, requester_of
from holdfast.spine.identity.store import CREDENTIAL, SESSION, USE_PROOF
from holdfast.vocabulary.levels import AuthLevel

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from holdfast.kit.db import Query, Rows, Work
    from holdfast.spine.identity.presented import Caller, Presented
    from holdfast.spine.identity.requester import Requester

ACT_FOR = "act_for:"  # a service's scope, followed by the client


class Accepted(NamedTuple):
    """Who asks, and the service that asks on their behalf, if one does."""

    requester: Requester
    service: Requester | None

    def at_most(self, level: AuthLevel) -> AuthLevel:
        """Return the lower of ``level`` and what the service proves: a chain is as strong as its weaker link."""
        return level if self.service is None else min(level, self.service.level)


def loads(caller: Caller, now_us: int) -> dict[str, Query]:
    """Return what the first round asks about who calls, by name.

    The use of a proof is written here. An operation that ends in an error takes it back with all else that it wrote;
    then the edge writes it by :func:`use_up`.
    """
    asks = _loads(caller, "credential", "proof", now_us)
    if caller.service is not None:
        asks |= _loads(caller.service, "service", "service_proof", now_us)
    return asks


def use_up(shown: Iterable[Presented], now_us: int) -> Work[None]:
    """Use up the proofs of a request that failed: they cover no body, so others could put one of theirs under them."""
    yield Round(data=tuple(_use(one, now_us) for one in shown if one.proved.use))


def _loads(shown: Presented, credential: str, proof: str, now_us: int) -> dict[str, Query]:
    kept = SESSION if shown.session else CREDENTIAL
    asks = {credential: kept(secret_hash=shown.secret_hash)}
    if shown.proved.use:
        asks[proof] = _use(shown, now_us)
    return asks


def _use(shown: Presented, now_us: int) -> Query:
    proved = shown.proved
    return USE_PROOF(
        use=proved.use,
        until_us=proved.until_us,
        secret_hash=shown.secret_hash,
        jkt=proved.jkt,
        now=now_us,
    )


def accept(caller: Caller, rows: Mapping[str, Rows], now_us: int, *, client: str = "") -> Accepted:
    """Read the answers to :func:`loads`. ``client`` is whose persons a service may act for here; "" is nobody's.

    Raises :class:`NotAuthenticated` in the same words for a token that is unknown, expired, revoked or bound to a key
    whose possession was not shown, or to a service that does not send it; when a proof was used before; and when the
    service may not act for a person here.
    """
    service = None
    if caller.service is not None:
        service = _accept(caller.service, rows["service"], rows.get("service_proof"), now_us)
        _check_service(service, client, caller.peer)
    requester = _accept(caller, rows["credential"], rows.get("proof"), now_us)
    if requester.via not in {"", service.service if service else ""}:
        raise not_accepted()
    return Accepted(requester, service)


def _accept(shown: Presented, found: Rows, proof: Rows | None, now_us: int) -> Requester:
    requester = requester_of(found[0] if found else None, now_us, shown.proved)
    if proof is not None and not proof:
        raise NotAuthenticated(
            "the DPoP proof was used before",
            remedy="Make a new proof, with a new jti, for each request.",
            code="invalid_dpop_proof",
        )
    return requester


def _check_service(service: Requester, client: str, peer: str) -> None:
    if service.is_person or f"{ACT_FOR}{client}" not in service.scopes:
        raise NotAuthenticated(
            "this credential may not act for a person here",
            remedy="`Authorization` holds a service's token of the scope act_for:CLIENT.",
            code="not_on_behalf",
        )
    if service.networks and not within(peer, service.networks):
        raise not_accepted()


def accepted(caller: Caller, now_us: int) -> Work[Requester]:
    """Return who calls, for what no service does on anybody's behalf; see :func:`accept`.

    A service holds the sessions of many: it could ask in the name of one, and approve in that of another.
    """
    if caller.service is not None:
        raise NotAuthenticated(
            "this address is for whoever asks for themselves: no service uses it on a person's behalf",
            remedy="Send one credential, in `Authorization`: the person's own, issued without --via.",
            code="not_on_behalf",
        )
    asks = loads(caller, now_us)
    answers = yield Round(data=tuple(asks.values()))
    return accept(caller, dict(zip(asks, answers, strict=True)), now_us).requester
