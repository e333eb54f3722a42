"""What becomes of contacts on a person's word, and of outages, when no event decides it: time, and people.

Each change is one conditional write with its leaf in the client's log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.kit.clock import HOUR_US, rfc3339
from holdfast.kit.db import Round
from holdfast.kit.errors import Conflict, InvalidInput, NotFound
from holdfast.kit.ids import new_id
from holdfast.spine.identity.references import reference_of
from holdfast.spine.ledger.recorder import append
from holdfast.spine.purpose import store
from holdfast.spine.purpose.provisional import (
    ARRIVES_US,
    Provisional,
    State,
    is_unreconciled,
)
from holdfast.vocabulary import ids
from holdfast.vocabulary.leaves import Leaf, LeafType
from holdfast.vocabulary.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from holdfast.kit.db import Query, Work

    Reference = Callable[[str], Work[str]]  # log → what that log calls the acting person

MOST_AT_ONCE: Final = 100
MOST_HOURS: Final = 4
REASONS: Final = ("feed_down", "network", "maintenance")


class Outage(NamedTuple):
    """A declared outage; the order of the fields is the order of the columns."""

    id: str
    client: str
    reason: str
    declared_us: int
    until_us: int
    ended_us: int

    def stands(self, now_us: int) -> bool:
        """Whether contacts may be opened in it now; nothing has to run for it to be over."""
        return not self.ended_us and now_us < self.until_us


# ── contacts ────────────────────────────────────────────────────────────────────────────────────────────────────


def settle_overdue(now_us: int) -> Work[int]:
    """Write down which contacts no feed confirmed in time, some at a time; return how many those were."""
    (rows,) = yield Round(data=(store.OVERDUE(before_us=now_us - ARRIVES_US, limit=MOST_AT_ONCE),))
    overdue = [Provisional(*row) for row in rows]
    if not overdue:
        return 0
    writes = tuple(_settle(one, State.UNRECONCILED, now_us) for one in overdue)
    settled = yield Round(data=writes)
    leaves: list[Query] = []
    for one, done in zip(overdue, settled, strict=True):
        if done:
            leaves += _unreconciled(one, now_us)
    if leaves:
        yield Round(data=tuple(leaves))
    return len(overdue)


def _settle(given: Provisional, state: State, now_us: int) -> Query:
    return store.SETTLE(client=given.client, id=given.id, state=state, now_us=now_us)


def _unreconciled(given: Provisional, now_us: int) -> list[Query]:
    body = {
        "provisional": given.id,
        "contact": given.contact,
        "person": given.person_ref,
        "looked": bool(given.customer),
    }
    odd = {
        "signal": Signal.PROVISIONAL_UNRECONCILED.value,
        "subject": given.person_ref,
        "count": 1,
    }
    return [
        _leaf(given.client, LeafType.PROVISIONAL_UNRECONCILED, body, now_us),
        _leaf(given.client, LeafType.SIGNAL_RAISED, odd, now_us),
    ]


def list_provisionals(client: str = "", *, every: bool = False) -> Work[list[Provisional]]:
    """Return those that wait or were not confirmed, newest first; with ``every`` those that are settled, too."""
    (rows,) = yield Round(data=(store.PROVISIONALS(client=client, all=int(every), limit=200),))
    return [Provisional(*row) for row in rows]


def find(ident: str) -> Work[Provisional]:
    """Return one by its id; :class:`NotFound` without it."""
    (rows,) = yield Round(data=(store.PROVISIONAL_BY_ID(id=ident),))
    if not rows:
        raise NotFound(f"there is no {ident}", remedy="See `holdfast provisional list`.")
    return Provisional(*rows[0])


def clear(given: Provisional, *, by: Reference, now_us: int) -> Work[Provisional]:
    """Clear an unconfirmed contact: its person may open others again. Who may do that is judged before.

    Raises :class:`Conflict` when there is nothing to clear.
    """
    if given.state == State.OPEN and is_unreconciled(given, now_us):  # nobody wrote it down yet
        (done,) = yield Round(data=(_settle(given, State.UNRECONCILED, now_us),))
        if done:
            yield Round(data=tuple(_unreconciled(given, now_us)))
    ref = yield from by(ids.client_log(given.client))
    (cleared,) = yield Round(data=(store.CLEAR(client=given.client, id=given.id, now_us=now_us),))
    if not cleared:
        raise Conflict(
            f"{given.id} is {given.state}; there is nothing to clear",
            remedy="Only a contact that no feed confirmed in time is cleared.",
        )
    body = {"by": ref, "provisional": given.id, "person": given.person_ref}
    yield Round(data=(_leaf(given.client, LeafType.PROVISIONAL_CLEARED, body, now_us),))
    return given._replace(state=State.CLEARED)


# ── outages ─────────────────────────────────────────────────────────────────────────────────────────────────────


def check_outage(hours: int, reason: str) -> None:
    """Raise :class:`InvalidInput` for an outage that is too long, or for a reason that is not one of the codes."""
    if not 1 <= hours <= MOST_HOURS:
        raise InvalidInput(f"1 to {MOST_HOURS} hours", field="hours")
    if reason not in REASONS:
        raise InvalidInput(f"one of {', '.join(REASONS)}", field="reason")


def declare_outage(
    client: str, reason: str, hours: int, *, by: tuple[Reference, str], now_us: int
) -> Work[Outage]:
    """Declare that the client's contact feed is down. ``by`` are who declares it and the second person's id.

    Raises what :func:`check_outage` raises, and :class:`Conflict` while another one stands.
    """
    check_outage(hours, reason)
    declared = Outage(
        new_id(ids.OUTAGE, now_us), client, reason, now_us, now_us + hours * HOUR_US, 0
    )
    row = store.DECLARE_OUTAGE(
        id=declared.id, client=client, reason=reason, now_us=now_us, until_us=declared.until_us
    )
    (done,) = yield Round(data=(row,))
    if not done:
        raise Conflict(
            f"an outage of {client} stands already", remedy="See `holdfast outage list`."
        )
    log, (first, second) = ids.client_log(client), by
    body = {
        "by": (yield from first(log)),
        "second": (yield from reference_of(second, log)),
        "outage": declared.id,
        "reason": reason,
        "until": rfc3339(declared.until_us),
    }
    yield Round(data=(_leaf(client, LeafType.OUTAGE_DECLARED, body, now_us),))
    return declared


def end_outage(client: str, *, by: Reference, now_us: int) -> Work[Outage]:
    """End the client's outage: contacts opened in it close. :class:`NotFound` when none stands."""
    (rows,) = yield Round(data=(store.OUTAGE(client=client, now_us=now_us),))
    if not rows:
        raise NotFound(f"no outage of {client} stands", remedy="See `holdfast outage list`.")
    found = Outage(*rows[0])
    yield from _end(found, by=(yield from by(ids.client_log(client))), now_us=now_us)
    return found._replace(ended_us=now_us)


def tell_outages_over(now_us: int) -> Work[int]:
    """Tell clients of outages whose time was over, a quarter of an hour after it: late events are in the figures."""
    (rows,) = yield Round(
        data=(store.OUTAGES_OVER(before_us=now_us - ARRIVES_US, limit=MOST_AT_ONCE),)
    )
    for row in rows:
        yield from _end(Outage(*row), by="", now_us=now_us)
    return len(rows)


def _end(given: Outage, *, by: str, now_us: int) -> Work[None]:
    at = {"client": given.client, "outage": given.id}
    ended, _, counts = yield Round(
        data=(
            store.END_OUTAGE(client=given.client, id=given.id, now_us=now_us),
            store.CLOSE_IN_OUTAGE(**at, now_us=now_us),
            store.COUNT_IN_OUTAGE(**at),
        )
    )
    if not ended:
        return
    by_state: dict[str, int] = dict(counts)
    reconciled, contacts = by_state.get(State.RECONCILED, 0), sum(by_state.values())
    body = {
        "by": by,
        "outage": given.id,
        "contacts": contacts,
        "reconciled": reconciled,
        "unreconciled": contacts - reconciled,
    }
    yield Round(data=(_leaf(given.client, LeafType.OUTAGE_ENDED, body, now_us),))


def list_outages(client: str = "") -> Work[list[Outage]]:
    """Return outages, newest first."""
    (rows,) = yield Round(data=(store.OUTAGES(client=client, limit=200),))
    return [Outage(*row) for row in rows]


def _leaf(client: str, kind: LeafType, body: Mapping[str, object], now_us: int) -> Query:
    return append(ids.client_log(client), Leaf(kind, new_id(ids.LEAF, now_us), now_us, body))
