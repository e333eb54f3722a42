"""How much a person may look at in an hour and a day (SPINE 6, 11). Pure but for the queries that it names.

Counts slide by the minute. Distinct customers are an insert-once table: a customer looked at again on the same day
(UTC) costs nothing more; its key is an HMAC that changes daily, so the table says how many, never who, and not whether
yesterday's were the same. Around midnight a customer can therefore count twice, never less than once.

A refused try is charged like a permitted one, but for a try that only the person's own used-up budget refused
(:func:`is_charged`). Attempts to verify are the customer's, over all persons: who runs into their end is charged.

Windows end at ``sure_us``, the time by which something may have worn off: while the clock is in doubt nothing that was
used comes back (SPINE 24). It is now, unless somebody set the clock.
"""

from __future__ import annotations

import hmac
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from holdfast.kit.canonical import length_prefixed
from holdfast.kit.clock import DAY_US, MINUTE_US
from holdfast.spine.decision.store import (
    BUDGETS,
    CHARGE,
    CHARGE_CUSTOMER,
    CUSTOMERS,
    INHERIT,
    INHERIT_CUSTOMERS,
)
from holdfast.vocabulary.contract import Budgets
from holdfast.vocabulary.facts import FactId, FactState, FactValue
from holdfast.vocabulary.ids import client_log
from holdfast.vocabulary.levels import Outcome

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from holdfast.kit.db import Query, Rows
    from holdfast.spine.decision.judge import Judgement

__all__ = [
    "DAY_US",
    "Spent",
    "charges_for_customer",
    "charges_for_search",
    "inherits",
    "loads",
    "read",
    "unknown",
]

HOUR_MIN: Final = 60
DAY_MIN: Final = 24 * HOUR_MIN
SENSITIVE: Final = "sensitive_fields"
SEARCHES: Final = "searches"
MAC_BYTES: Final = 16
_RULES: Final = ("budget.customers_", "budget.sensitive_", "budget.searches_")
_NO_LIMIT: Final = 2**31
_SOME_LEFT: Final = FactValue(FactState.KNOWN, met=True, value="some left")
_PERMITTED: Final = frozenset({Outcome.PERMIT, Outcome.PARTIAL})


class Keys(Protocol):
    """What is needed of a client's keys: one that names customers in the table of a day."""

    client: str

    def index_key(self, collection: str, purpose: str) -> bytes:
        """Return the key of one purpose."""
        ...


def halved(whole: Budgets) -> Budgets:
    """Return half of each budget, at least one: what a person has for contacts opened in an outage."""
    return Budgets(
        customers_hour=_half(whole.customers_hour),
        customers_day=_half(whole.customers_day),
        sensitive_fields_day=_half(whole.sensitive_fields_day),
        searches_day=_half(whole.searches_day),
    )


def _half(whole: int) -> int:
    return max(1, whole // 2)


class Spent(NamedTuple):
    """What a person used at one client. ``oldest_…`` are minutes since the epoch, 0 when nothing was used.

    ``has_customer`` says that the customer asked for is counted today already.
    """

    kinds: Mapping[str, tuple[int, int]]  # kind → used in the last day, oldest minute
    customers_hour: int = 0
    customers_day: int = 0
    has_customer: bool = False
    oldest_hour: int = 0
    oldest_day: int = 0


def customer_mac(keys: Keys, customer: str, now_us: int) -> bytes:
    """The customer's name in today's table; empty when no customer is asked for."""
    if not customer:
        return b""
    day = str(now_us // DAY_US).encode()
    message = length_prefixed(b"holdfast/budget/v1", day, customer.encode())
    return hmac.digest(keys.index_key("", "budget"), message, "sha256")[:MAC_BYTES]


def loads(
    client: str, person: str, now_us: int, *, sure_us: int | None = None, mac: bytes = b""
) -> tuple[Query, Query]:
    """The two queries of the load round, read by :func:`read`. ``mac`` is that of :func:`customer_mac`."""
    minute = (now_us if sure_us is None else sure_us) // MINUTE_US
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


def read(rows: Sequence[Rows]) -> Spent:
    """Read the rows of :func:`loads`."""
    budgets, customers = rows
    kinds = {kind: (int(used), int(oldest)) for kind, used, oldest in budgets}
    hour, day, seen, oldest_hour, oldest_day = customers[0]
    return Spent(kinds, hour, day, bool(seen), oldest_hour, oldest_day)


def look_facts(budgets: Budgets, spent: Spent, *, sensitive: int = 0) -> dict[FactId, FactValue]:
    """What is left for a look at the customer; ``sensitive`` is the number of C3 and C4 fields asked for."""
    fields, oldest_field = spent.kinds.get(SENSITIVE, (0, 0))
    known = spent.has_customer
    return {
        FactId.CUSTOMERS_HOUR: _left(
            known or spent.customers_hour < budgets.customers_hour, spent.oldest_hour + HOUR_MIN
        ),
        FactId.CUSTOMERS_DAY: _left(
            known or spent.customers_day < budgets.customers_day, spent.oldest_day + DAY_MIN
        ),
        FactId.SENSITIVE_FIELDS_DAY: _left(
            fields + sensitive <= budgets.sensitive_fields_day, oldest_field + DAY_MIN
        ),
    }


def search_facts(budgets: Budgets, spent: Spent) -> dict[FactId, FactValue]:
    """What is left for a search."""
    searches, oldest = spent.kinds.get(SEARCHES, (0, 0))
    return {FactId.SEARCHES_DAY: _left(searches < budgets.searches_day, oldest + DAY_MIN)}


def charges_for_customer(
    keys: Keys,
    person: str,
    customer: str,
    *,
    now_us: int,
    sure_us: int | None = None,
    sensitive: int = 0,
    budgets: Budgets | None = None,
    counted: bool = False,
) -> tuple[Query, ...]:
    """What a look at ``customer`` uses; each query answers a row if it was taken of ``budgets``.

    ``counted`` says that the customer was counted today already: then it costs no customer.
    """
    at = _Moment(now_us, now_us if sure_us is None else sure_us)
    taken = [] if counted else [_charge_customer(keys, person, customer, at, budgets)]
    if sensitive:
        most = budgets.sensitive_fields_day if budgets else _NO_LIMIT
        taken.append(_charge(keys.client, person, SENSITIVE, units=sensitive, at=at, most=most))
    return tuple(taken)


class _Moment(NamedTuple):
    """When something is used, and the time by which what was used before may have worn off."""

    now_us: int
    sure_us: int


def _charge_customer(  # noqa: PLR0917  the parts of one row
    keys: Keys, person: str, customer: str, at: _Moment, budgets: Budgets | None
) -> Query:
    ends = at.sure_us // MINUTE_US
    return CHARGE_CUSTOMER(
        client=keys.client,
        person=person,
        mac=customer_mac(keys, customer, at.now_us),
        day=at.now_us // DAY_US,
        minute=at.now_us // MINUTE_US,
        hour_ago=ends - HOUR_MIN,
        day_ago=ends - DAY_MIN,
        most_hour=budgets.customers_hour if budgets else _NO_LIMIT,
        most_day=budgets.customers_day if budgets else _NO_LIMIT,
    )


def unknown(reference: str) -> str:
    """In whose name is charged what somebody used whom this store does not know, but by this reference."""
    return f"unknown:{reference}"


def inherits(client: str, person: str) -> tuple[Query, ...]:
    """What a person begins with whom the client's log has no name for: see :data:`INHERIT`; mostly nothing."""
    whose = {"client": client, "person": person, "log": client_log(client)}
    return INHERIT(**whose), INHERIT_CUSTOMERS(**whose)


def charges_for_search(client: str, person: str, *, units: int, now_us: int) -> tuple[Query, ...]:
    """What a search uses: one, or more for a miss. It is always taken: a miss may use more than is left."""
    return (_charge(client, person, SEARCHES, units=units, at=_Moment(now_us, now_us)),)


def _charge(
    client: str, person: str, kind: str, *, units: int, at: _Moment, most: int = _NO_LIMIT
) -> Query:
    return CHARGE(
        client=client,
        person=person,
        kind=kind,
        minute=at.now_us // MINUTE_US,
        units=units,
        day_ago=at.sure_us // MINUTE_US - DAY_MIN,
        most=most,
    )


def is_charged(judgement: Judgement) -> bool:
    """Whether a try costs budget: a permitted one, and a refused one unless budgets alone refused it."""
    return judgement.outcome in _PERMITTED or not refused_by_budget(judgement.rules)


def refused_by_budget(rules: Collection[str]) -> bool:
    """Tell whether nothing but the person's own used-up budgets refused."""
    return bool(rules) and all(rule.startswith(_RULES) for rule in rules)


def _left(met: bool, free_minute: int) -> FactValue:  # noqa: FBT001  the one thing that it says
    if met:
        return _SOME_LEFT
    free = datetime.fromtimestamp(free_minute * 60, UTC)
    return FactValue(FactState.KNOWN, met=False, value=f"used up until {free:%H:%M} UTC")
