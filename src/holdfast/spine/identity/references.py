"""The pseudonyms by which a person and a credential stand in one log (SPINE 28).

Each log has its own: who reads two clients' logs cannot tell that one person, or one token, worked for both.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from holdfast.kit.canonical import length_prefixed
from holdfast.kit.db import Round
from holdfast.kit.ids import new_reference
from holdfast.spine.identity.store import ADD_REFERENCE, REFERENCE
from holdfast.vocabulary.ids import CREDENTIAL_REF, HOUSE_LOG, PERSON_REF

if TYPE_CHECKING:
    from holdfast.kit.db import Work

_LABEL: Final = b"holdfast/credential-reference/v1"
_HEX_DIGITS: Final = 32


@lru_cache(maxsize=4096)
def credential_reference(credential: str, log: str) -> str:
    """Return what a client's log calls a credential; the house's own log has its id, and nobody ("") stays nobody.

    It follows from the id, one way: an id holds 80 random bits and is told to no client, so nobody goes back from one
    log's reference to the id, or on to another's.
    """
    if log == HOUSE_LOG or not credential:
        return credential
    digest = sha256(length_prefixed(_LABEL, credential.encode(), log.encode())).hexdigest()
    return f"{CREDENTIAL_REF}_{digest[:_HEX_DIGITS]}"


def reference_of(person: str, log: str) -> Work[str]:
    """Return the person's reference in ``log``; the first call makes it."""
    (rows,) = yield Round(data=(REFERENCE(person=person, log=log),))
    if not rows:
        fresh = new_reference(PERSON_REF)
        _, rows = yield Round(
            data=(
                ADD_REFERENCE(person=person, log=log, ref=fresh),
                REFERENCE(person=person, log=log),
            )
        )
    ref: str = rows[0][0]
    return ref
