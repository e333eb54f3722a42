"""Accepting a credential: looked up, proved, and its proof used, all in the transaction of the operation.

:func:`loads` are queries for an operation's first round, :func:`accept` reads their answers; :func:`accepted` is both
for an operation that asks nothing else in that round.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.kit.db import Round
from holdfast.kit.errors import NotAuthenticated
from holdfast.spine.identity.requester import requester_of
from holdfast.spine.identity.store import CREDENTIAL, USE_PROOF

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.kit.db import Query, Rows, Work
    from holdfast.spine.identity.presented import Caller
    from holdfast.spine.identity.requester import Requester


def loads(caller: Caller) -> dict[str, Query]:
    """Return what the first round asks about who calls, by name.

    The use of a proof is written here. An operation that ends in an error takes it back with all else that it wrote, so
    that no proof is kept of who holds no token; a proof is good for one operation that shows or writes anything.
    """
    asks = {"credential": CREDENTIAL(secret_hash=caller.secret_hash)}
    if caller.proved.use:
        asks["proof"] = USE_PROOF(use=caller.proved.use, until_us=caller.proved.until_us)
    return asks


def accept(caller: Caller, rows: Mapping[str, Rows], now_us: int) -> Requester:
    """Read the answers to :func:`loads`.

    Raises :class:`NotAuthenticated` in the same words for a token that is unknown, expired, revoked or bound to a key
    whose possession was not shown; and when the proof was used before.
    """
    found = rows["credential"]
    requester = requester_of(found[0] if found else None, now_us, caller.proved)
    if "proof" in rows and not rows["proof"]:
        raise NotAuthenticated(
            "the DPoP proof was used before",
            remedy="Make a new proof, with a new jti, for each request.",
            code="invalid_dpop_proof",
        )
    return requester


def accepted(caller: Caller, now_us: int) -> Work[Requester]:
    """Return who calls; see :func:`accept`."""
    asks = loads(caller)
    answers = yield Round(data=tuple(asks.values()))
    return accept(caller, dict(zip(asks, answers, strict=True)), now_us)
