"""How much a person may look at in an hour, a day, a contact (SPINE 6, 11). Pure but for the queries that it names.

Counts slide by the minute. Distinct customers are an insert-once table: a customer looked at again on the same day
(UTC) costs nothing more; its key is an HMAC that changes daily, so the table says how many, never who, and not whether
yesterday's were the same. Around midnight a customer can therefore count twice, never less than once.

A refused try is charged like a permitted one, but for a try that only a used-up budget refused.
"""

from __future__ import annotations

import hmac
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.kit.canonical import length_prefixed
from holdfast.kit.clock import DAY_US, MINUTE_US
from holdfast.kit.ids import new_id
from holdfast.spine.decision.store import (
    ATTEMPTS,
    BUDGETS,
    CHARGE,
    CHARGE_CUSTOMER,
    CUSTOMERS,
    TAKE_ATTEMPT,
)
from holdfast.vocabulary.facts import FactId, FactState, FactValue
from holdfast.vocabulary.levels import DataClass

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from holdfast.kit.db import Query, Rows
    from holdfast.kit.secret import Secret
    from holdfast.spine.decision.judge import Judgement
    from holdfast.spine.decision.question import Group
    from holdfast.vocabulary.contract import Budgets, Verification

HOUR_MIN: Final = 60
DAY_MIN: Final = 24 * HOUR_MIN
SENSITIVE: Final = "sensitive_fields"
SEARCHES: Final = "searches"
_RULES: Final = "budget."
_ATTEMPT: Final = "att"


class Used(NamedTuple):
    """What a person used at one client. ``oldest_…`` are minutes since the epoch, 0 when nothing was used."""

    kinds: Mapping[str, tuple[int, int]]  # kind → used in the last day, oldest minute
    customers_hour: int = 0
    customers_day: int = 0
    counted_today: bool = False  # this customer, already
    oldest_hour: int = 0
    oldest_day: int = 0


def customer_mac(key: Secret[bytes], *, client: str, customer: str, now_us: int) -> bytes:
    """The customer's name in the table of today; ``key`` is a key of the client that never leaves the keys store."""
    day = str(now_us // DAY_US).encode()
    message = length_prefixed(b"holdfast/budget/v1", client.encode(), day, customer.encode())
    return hmac.digest(key.reveal(), message, "sha256")[:16]


def load(client: str, person: str, *, mac: bytes, now_us: int) -> tuple[Query, Query]:
    """The two queries of the load round, read by :func:`used_of`. ``mac`` is empty when there is no customer."""
    minute = now_us // MINUTE_US
    return (
        BUDGETS(client=client, person=person, day_ago=minute - DAY_MIN),
        CUSTOMERS(
            client=client,
            person=person,
            mac=mac,
            day=now_us // DAY_US,
            hour_ago=minute - HOUR_MIN,
            day_ago=minute - DAY_MIN,
        ),
    )


def used_of(budgets: Rows, customers: Rows) -> Used:
    """Read the rows of :func:`load`."""
    kinds = {kind: (int(used), int(oldest)) for kind, used, oldest in budgets}
    hour, day, seen, oldest_hour, oldest_day = customers[0]
    return Used(kinds, hour, day, bool(seen), oldest_hour, oldest_day)


def sensitive_count(groups: Iterable[Group]) -> int:
    """How many fields of class C3 and above are asked for."""
    return sum(len(group.fields) for group in groups if group.data_class >= DataClass.C3)


def budget_facts(budgets: Budgets, used: Used, *, sensitive: int = 0) -> dict[FactId, FactValue]:
    """Facts about what is left. ``sensitive`` is the number of C3 and C4 fields that this request asks for."""
    fields, oldest_field = used.kinds.get(SENSITIVE, (0, 0))
    searches, oldest_search = used.kinds.get(SEARCHES, (0, 0))
    return {
        FactId.CUSTOMERS_HOUR: _left(
            used.counted_today or used.customers_hour < budgets.customers_hour,
            used.oldest_hour + HOUR_MIN,
        ),
        FactId.CUSTOMERS_DAY: _left(
            used.counted_today or used.customers_day < budgets.customers_day,
            used.oldest_day + DAY_MIN,
        ),
        FactId.SENSITIVE_FIELDS_DAY: _left(
            fields + sensitive <= budgets.sensitive_fields_day, oldest_field + DAY_MIN
        ),
        FactId.SEARCHES_DAY: _left(searches < budgets.searches_day, oldest_search + DAY_MIN),
    }


def searches_contact_fact(
    searched: Collection[bytes], value_mac: bytes, *, most: int
) -> dict[FactId, FactValue]:
    """Whether one more distinct value may be searched in this contact; a repeated one always may."""
    met = value_mac in searched or len(searched) < most
    word = "some left" if met else "used up for this contact"
    return {FactId.SEARCHES_CONTACT: FactValue(FactState.KNOWN, met, word)}


def charge_customer(
    budgets: Budgets, client: str, person: str, *, mac: bytes, now_us: int
) -> Query:
    """Count this customer. Takes nothing, and answers no row, when counted today already or nothing is left."""
    minute = now_us // MINUTE_US
    return CHARGE_CUSTOMER(
        client=client,
        person=person,
        mac=mac,
        day=now_us // DAY_US,
        minute=minute,
        hour_ago=minute - HOUR_MIN,
        day_ago=minute - DAY_MIN,
        most_hour=budgets.customers_hour,
        most_day=budgets.customers_day,
    )


def charge(client: str, person: str, kind: str, *, units: int, now_us: int) -> Query:
    """Count ``units`` of :data:`SENSITIVE` or :data:`SEARCHES`."""
    return CHARGE(client=client, person=person, kind=kind, minute=now_us // MINUTE_US, units=units)


def is_charged(judgement: Judgement) -> bool:
    """Whether a try costs budget: a permitted one, and a refused one unless budgets alone refused it."""
    rules = judgement.rules
    return (
        judgement.permit is not None
        or not rules
        or any(not rule.startswith(_RULES) for rule in rules)
    )


# ── attempts to verify ──────────────────────────────────────────────────────────────────────────────────────────
def attempts_query(
    client: str, customer: str, fields: Sequence[str], *, contact: str, now_us: int
) -> Query:
    """What was tried on these fields of this customer, by anybody; :func:`attempts_of` reads the rows."""
    return ATTEMPTS(
        client=client,
        customer=customer,
        fields=list(fields),
        contact=contact,
        day_ago_us=now_us - DAY_US,
    )


class Attempts(NamedTuple):
    """The fewest attempts that are left on any of the fields."""

    left_contact: int
    left_day: int

    @property
    def left(self) -> int:
        """Attempts left in this contact."""
        return max(0, min(self.left_contact, self.left_day))


def attempts_of(rows: Rows, limits: Verification) -> Attempts:
    """Read the rows of :func:`attempts_query`."""
    in_contact = max((row[1] for row in rows), default=0)
    in_day = max((row[2] for row in rows), default=0)
    return Attempts(limits.attempts_per_contact - in_contact, limits.attempts_per_day - in_day)


def attempt_facts(attempts: Attempts) -> dict[FactId, FactValue]:
    """Facts about attempts."""
    return {
        FactId.VERIFY_CONTACT: FactValue(
            FactState.KNOWN,
            attempts.left_contact > 0,
            "some left" if attempts.left_contact > 0 else "used up for this contact",
        ),
        FactId.VERIFY_DAY: FactValue(
            FactState.KNOWN,
            attempts.left_day > 0,
            "some left" if attempts.left_day > 0 else "used up for today",
        ),
    }


def take_attempts(
    client: str,
    customer: str,
    fields: Iterable[str],
    *,
    contact: str,
    limits: Verification,
    now_us: int,
) -> tuple[Query, ...]:
    """Take one attempt per field, before anything is compared. Each answers a row if there was one left."""
    return tuple(
        TAKE_ATTEMPT(
            id=new_id(_ATTEMPT, now_us),
            client=client,
            customer=customer,
            field=name,
            contact=contact,
            at_us=now_us,
            day_ago_us=now_us - DAY_US,
            most_contact=limits.attempts_per_contact,
            most_day=limits.attempts_per_day,
        )
        for name in fields
    )


def _left(met: bool, free_minute: int) -> FactValue:  # noqa: FBT001  the one thing that it says
    if met:
        return FactValue(FactState.KNOWN, met=True, value="some left")
    free = datetime.fromtimestamp(free_minute * 60, UTC)
    return FactValue(FactState.KNOWN, met=False, value=f"used up until {free:%H:%M} UTC")
