"""Attempts to verify: counted per customer and field over all persons and contacts (SPINE 11).

An attempt is taken by a conditional write before anything is compared, so that no number of requests at once compares
more often than the contract allows. Once they are used up, a second person's approval gives one more: it is taken in
the same round, and that attempt is counted like the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.kit.clock import DAY_US
from holdfast.kit.ids import new_id
from holdfast.spine.decision.store import ATTEMPTS, TAKE_ATTEMPT
from holdfast.vocabulary.facts import FactId, FactState, FactValue
from holdfast.vocabulary.ids import ATTEMPT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.kit.db import Query, Rows
    from holdfast.vocabulary.contract import Verification

_NO_LIMIT: Final = 2**31


class Attempts(NamedTuple):
    """The fewest attempts that are left on any of the fields."""

    left_contact: int
    left_day: int

    @property
    def left(self) -> int:
        """Attempts left in this contact."""
        return max(0, min(self.left_contact, self.left_day))


def attempts_query(
    client: str, customer: str, fields: Iterable[str], *, contact: str, sure_us: int
) -> Query:
    """What was tried on these fields of this customer, by anybody; :func:`attempts_of` reads the rows.

    ``sure_us`` is the time by which an attempt may have worn off.
    """
    return ATTEMPTS(
        client=client,
        customer=customer,
        fields=sorted(fields),
        contact=contact,
        day_ago_us=sure_us - DAY_US,
    )


def attempts_of(rows: Rows, limits: Verification) -> Attempts:
    """Read the rows of :func:`attempts_query`."""
    in_contact = max((row[1] for row in rows), default=0)
    in_day = max((row[2] for row in rows), default=0)
    return Attempts(limits.attempts_per_contact - in_contact, limits.attempts_per_day - in_day)


def attempt_facts(attempts: Attempts) -> dict[FactId, FactValue]:
    """Facts about attempts."""
    return {
        FactId.VERIFY_CONTACT: _left(attempts.left_contact > 0, "this contact"),
        FactId.VERIFY_DAY: _left(attempts.left_day > 0, "today"),
    }


def _left(met: bool, window: str) -> FactValue:  # noqa: FBT001  the one thing that it says
    return FactValue(FactState.KNOWN, met, "some left" if met else f"used up for {window}")


def take_attempts(
    client: str,
    customer: str,
    fields: Iterable[str],
    *,
    contact: str,
    limits: Verification | None,
    now_us: int,
    sure_us: int,
) -> tuple[Query, ...]:
    """Take one attempt per field. Each answers a row if there was one left; without ``limits`` there always is."""
    most_contact, most_day = _NO_LIMIT, _NO_LIMIT
    if limits is not None:
        most_contact, most_day = limits.attempts_per_contact, limits.attempts_per_day
    return tuple(
        TAKE_ATTEMPT(
            id=new_id(ATTEMPT, now_us),
            client=client,
            customer=customer,
            field=name,
            contact=contact,
            at_us=now_us,
            day_ago_us=sure_us - DAY_US,
            most_contact=most_contact,
            most_day=most_day,
        )
        for name in fields
    )
