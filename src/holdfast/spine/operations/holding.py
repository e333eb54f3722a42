"""Holds: an incident asks that an erasure keep what it takes to tell the customer of it (SPINE 19).

``place(house, client, customer, …) -> Work[Hold]``
``lift(house, client, hold) -> Work[Hold]``          and then :func:`~holdfast.spine.vault.holds.destroy_ended`
``open_kept(house, client, hold) -> Work[Opened]``   takes a second person
``holds_of(house, client) -> Work[list[Hold]]``
``expire_holds(house)``                              a job; what was kept goes when it was due for a day

A hold hinders no erasure and lets nobody see the customer: every look is answered as for anybody who is erased.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from holdfast.kit.clock import DAY_US, rfc3339
from holdfast.kit.db import Round
from holdfast.kit.errors import Conflict, Denied, InvalidInput, NotFound
from holdfast.kit.ids import new_id
from holdfast.spine.administration.scene import administer, digest_of, enter
from holdfast.spine.decision.contract import compile_contract
from holdfast.spine.decision.freezing import require_open
from holdfast.spine.decision.store import CLIENT, CONTRACT
from holdfast.spine.identity.references import reference_of
from holdfast.spine.ledger.recorder import append
from holdfast.spine.timekeeping import destroyed, may_destroy
from holdfast.spine.vault import store
from holdfast.spine.vault.blindindex import customer_token
from holdfast.spine.vault.hierarchy import client_keys
from holdfast.spine.vault.holds import Hold, Kept, destroy_ended, hold_of, open_entry
from holdfast.spine.vault.keyring.store import CUSTOMER_BY_TOKEN, CUSTOMER_OF_REFERENCE
from holdfast.spine.vault.load import customer_reference
from holdfast.vocabulary.acts import Act
from holdfast.vocabulary.ids import HOLD, LEAF, client_log
from holdfast.vocabulary.leaves import Leaf, LeafType
from holdfast.vocabulary.levels import CustomerState

if TYPE_CHECKING:
    from holdfast.kit.db import Query, Work
    from holdfast.spine.house import House
    from holdfast.spine.vault.hierarchy import ClientKeys

LONGEST_DAYS: Final = 400
_INCIDENT: Final = re.compile(r"[A-Za-z0-9-]{1,64}")
_MOST: Final = 200


class Opened(NamedTuple):
    """What was kept of an erased customer."""

    hold: Hold
    kept: tuple[Kept, ...]


def place(house: House, client: str, customer: str, *, incident: str, until_us: int) -> Work[Hold]:
    """Hold a customer for an incident until a time, at most 400 days away.

    ``customer`` is the client's number, an id (``cus_…``) or the log's reference. :class:`InvalidInput` for a code or a
    time that is none, :class:`NotFound` for no such customer, :class:`Conflict` for one who is erased (nothing is left
    to keep) or whom the incident holds already, :class:`Denied` where the contract names no field that may be kept.
    """
    now_us = house.clock.now_us()
    _check(incident, until_us, now_us)
    entered = yield from enter(house, Act.HOLD_PLACE)
    keys = yield from _keys(house, client)
    found = yield from _customer(keys, customer)
    scene = yield from entered.judge(clients=(client,))
    yield from _require_notify(client)
    reference = yield from customer_reference(client, found)
    by = yield from scene.acting.reference(client_log(client))
    ident = new_id(HOLD, now_us)
    placed = store.ADD_HOLD(
        client=client,
        id=ident,
        customer=found,
        reference=reference,
        incident=incident,
        placed_by=by,
        placed_us=now_us,
        until_us=until_us,
        nothing=b"",
    )
    (added,) = yield Round(data=(placed,))
    if not added:
        raise Conflict("this incident holds the customer already", code="held_already")
    hold = yield from _hold(client, ident)
    told = _about(hold) | {"by": by, "until": rfc3339(until_us)}
    yield Round(data=(_leaf(hold, LeafType.HOLD_PLACED, told, now_us),))
    return hold


def lift(house: House, client: str, ident: str) -> Work[Hold]:
    """End a hold before its time; what it kept cannot be opened from this commit on.

    :class:`NotFound` for no such hold, :class:`Conflict` for one that is over.
    """
    entered = yield from enter(house, Act.HOLD_LIFT)
    hold = yield from _hold(client, ident)
    scene = yield from entered.judge(clients=(client,))
    end = store.END_HOLD(client=client, id=ident, state="lifted", nothing=b"", now_us=scene.now_us)
    (ended,) = yield Round(data=(end,))
    if not ended:
        raise Conflict(f"the hold is over: {hold.state}", code="hold_over")
    by = yield from scene.acting.reference(client_log(client))
    told = _about(hold) | {"by": by, "kept": hold.state == "kept"}
    yield Round(data=(_leaf(hold, LeafType.HOLD_LIFTED, told, scene.now_us),))
    return hold._replace(state="lifted", customer="", body=b"")


def open_kept(house: House, client: str, ident: str) -> Work[Opened]:
    """Open what a hold kept of an erased customer; a second person approves, and the client's log says so.

    :class:`NotFound` for no such hold, :class:`Conflict` for one that keeps nothing, :class:`Denied` when its time is
    over, when the client is frozen, or while it is in doubt what time it is.
    """
    entered = yield from enter(house, Act.HOLD_OPEN)
    hold = yield from _hold(client, ident)
    _require_kept(hold, house)
    keys = yield from _keys(house, client)
    yield from require_open(client, house.clock.now_us())
    shown = {"client": client, "hold": ident, "incident": hold.incident, "fields": hold.fields}
    scene = yield from entered.judge(
        clients=(client,), digest=digest_of(client, ident, *hold.fields), summary=shown
    )
    kept = yield from open_entry(keys, hold)
    log = client_log(client)
    told = _about(hold) | {
        "by": (yield from scene.acting.reference(log)),
        "second": (yield from reference_of(scene.second, log)),
        "fields": list(hold.fields),
    }
    yield Round(data=(_leaf(hold, LeafType.HOLD_OPENED, told, scene.now_us),))
    return Opened(hold, tuple(kept))


def holds_of(house: House, client: str) -> Work[list[Hold]]:
    """Return all holds of a client, the oldest first, without what they keep."""
    yield from administer(house, Act.HOLD_LIST, clients=(client,))
    (rows,) = yield Round(data=(store.HOLDS(client=client),))
    return [hold_of(row)._replace(body=b"") for row in rows]


def expire_holds(house: House) -> None:
    """End the holds whose time is over, and destroy what they kept; it may be killed at any moment and run again.

    An entry is destroyed only when it was due for a day by the time of leaves, and while the time is sure (SPINE 24);
    it is not opened meanwhile.
    """
    for hold in house.read(_over(house.clock.now_us())):
        house.transact(_expire(house, hold))
    destroy_ended(house)


def _over(now_us: int) -> Work[list[Hold]]:
    (rows,) = yield Round(data=(store.HOLDS_OVER(now_us=now_us, most=_MOST),))
    return [hold_of(row) for row in rows]


def _expire(house: House, hold: Hold) -> Work[None]:
    kept = hold.state == "kept"
    due = f"hold {hold.client} {hold.id} {hold.until_us}"
    if not (yield from may_destroy(house, due, hold.until_us)):
        return  # an open one, too: the erasure that comes then keeps nothing
    now_us = house.clock.now_us()
    end = store.END_HOLD(
        client=hold.client, id=hold.id, state="expired", nothing=b"", now_us=now_us
    )
    (ended,) = yield Round(data=(end,))
    if ended:
        told = _about(hold) | {"kept": kept}
        yield Round(data=(_leaf(hold, LeafType.HOLD_EXPIRED, told, now_us),))
    yield from destroyed(due)


def _check(incident: str, until_us: int, now_us: int) -> None:
    if not _INCIDENT.fullmatch(incident):
        raise InvalidInput(
            "an incident is a code of letters, digits and hyphens, 64 at most", field="--incident"
        )
    if until_us <= now_us:
        raise InvalidInput("the hold would be over already", field="--until")
    if until_us > now_us + LONGEST_DAYS * DAY_US:
        raise InvalidInput(f"a hold lasts {LONGEST_DAYS} days at most", field="--until")


def _keys(house: House, client: str) -> Work[ClientKeys]:
    (rows,) = yield Round(data=(CLIENT(client=client),))
    if not rows:
        raise NotFound(f"there is no client {client}", remedy="See `holdfast client list`.")
    return (yield from client_keys(house.keks, client, rows[0][3]))


def _customer(keys: ClientKeys, text: str) -> Work[str]:
    """Find whom to hold, by id, reference or number; only somebody who is live."""
    client = keys.client
    by_id, by_reference, by_number = yield Round(
        data=(store.CUSTOMER(client=client, id=text),),
        keys=(
            CUSTOMER_OF_REFERENCE(client=client, ref=text),
            CUSTOMER_BY_TOKEN(client=client, token=customer_token(keys, text)),
        ),
    )
    known = [text] if by_id else [row[0] for row in (*by_reference, *by_number)]
    for customer in known:
        (rows,) = yield Round(data=(store.CUSTOMER(client=client, id=customer),))
        if rows and rows[0][0] != CustomerState.LIVE:
            raise Conflict(
                "the customer is erased, or being erased: there is nothing left to keep",
                code="erased",
            )
        if rows:
            return customer
    raise NotFound(
        f"client {client} has no such customer",
        remedy="Give the client's own number, an id that starts with cus_, or the log's reference.",
        code="no_customer",
    )


def _require_notify(client: str) -> Work[None]:
    (rows,) = yield Round(data=(CONTRACT(client=client),))
    if not rows or not compile_contract(rows[0][0]).notify:
        raise Denied(
            "the contract names no field that an erasure may keep",
            remedy="The client and the house agree on [incident] notify first.",
            code="nothing_to_keep",
        )


def _require_kept(hold: Hold, house: House) -> None:
    if hold.state == "open":
        raise Conflict("the customer is not erased, so nothing was kept", code="nothing_kept")
    if hold.state != "kept":
        raise Conflict(f"the hold keeps nothing: {hold.state}", code="hold_over")
    if hold.until_us <= house.clock.now_us():
        raise Denied("the hold's time is over", code="hold_over")
    if not house.time_is_sure:
        raise Denied(
            "the clock was set, so it is in doubt whether the hold's time is over",
            remedy="Let an operator confirm the time: holdfast clock confirm.",
            code="time_in_doubt",
        )


def _hold(client: str, ident: str) -> Work[Hold]:
    (rows,) = yield Round(data=(store.HOLD(client=client, id=ident),))
    if not rows:
        raise NotFound(
            f"client {client} has no such hold",
            remedy="See `holdfast hold list`.",
            code="no_hold",
        )
    return hold_of(rows[0])


def _about(hold: Hold) -> dict[str, Any]:
    return {"hold": hold.id, "customer": hold.reference, "incident": hold.incident}


def _leaf(hold: Hold, kind: LeafType, body: dict[str, Any], now_us: int) -> Query:
    return append(client_log(hold.client), Leaf(kind, new_id(LEAF, now_us), now_us, body))
