"""The pseudonym by which a person stands in one log (SPINE 28).

Each log has its own, random ones: who reads two clients' logs cannot tell that one person worked for both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.kit.db import Round
from holdfast.kit.ids import new_reference
from holdfast.spine.identity.store import ADD_REFERENCE, REFERENCE
from holdfast.vocabulary.ids import PERSON_REF

if TYPE_CHECKING:
    from holdfast.kit.db import Work


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
