"""Erasing a customer on behalf of a named person, and finding which customer a number belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from holdfast.kit.clock import rfc3339
from holdfast.kit.db import Round
from holdfast.kit.errors import NotFound, Unavailable
from holdfast.spine.administration.scene import administer, digest_of, enter
from holdfast.spine.decision.freezing import require_open
from holdfast.spine.decision.store import CLIENT
from holdfast.spine.vault.blindindex import customer_token
from holdfast.spine.vault.hierarchy import client_keys
from holdfast.spine.vault.keyring.store import CUSTOMER_BY_TOKEN
from holdfast.spine.vault.shred import Shred, complete, request_shred
from holdfast.spine.vault.store import CUSTOMER, SHRED
from holdfast.vocabulary.acts import Act
from holdfast.vocabulary.ids import client_log

if TYPE_CHECKING:
    from typing import Any

    from holdfast.kit.db import Work
    from holdfast.spine.house import House
    from holdfast.spine.vault.hierarchy import ClientKeys


class Found(NamedTuple):
    """A customer as a command shows it: no field of it."""

    customer: str
    state: str


class Erasure(NamedTuple):
    """How far an erasure is. ``certificate`` is None while ``waits_for`` says what holds it up."""

    operation: str
    refused_at: str
    certificate: dict[str, Any] | None
    waits_for: str


def shred_customer(house: House, client: str, customer: str) -> Erasure:
    """Refuse every look at a customer at once, destroy its keys, and certify it.

    ``customer`` is an id (``cus_…``) or the client's own customer number. The acting person is a DPO or an
    administrator. What cannot be completed now, because a reader holds the store open, is completed by the worker.
    :class:`NotFound` for an unknown client or customer, :class:`Conflict` for one that is erased already,
    :class:`Denied` while the client is frozen: what a freeze is to keep is not erased meanwhile.
    """
    operation = house.transact(_request(house, client, customer))
    certificate, waits_for = None, ""
    try:
        certificate = complete(house, client, operation)
    except Unavailable as error:
        waits_for = error.message
    shred = house.read(_shred(client, operation))
    return Erasure(operation, rfc3339(shred.refused_us), certificate, waits_for)


def find_customer(house: House, client: str, number: str) -> Found:
    """Say which customer has the client's own number; :class:`NotFound` if none has, or none has any more."""
    return house.read(_find(house, client, number))


def _request(house: House, client: str, customer: str) -> Work[str]:
    entered = yield from enter(house, Act.CUSTOMER_SHRED)
    keys = yield from _keys(house, client)
    found = yield from _customer(keys, customer)
    scene = yield from entered.judge(
        clients=(client,), digest=digest_of(found.customer), summary={"customer": found.customer}
    )
    by = yield from scene.acting.reference(client_log(client))
    return (yield from request_shred(keys, found.customer, by=by, now_us=scene.now_us))


def _find(house: House, client: str, number: str) -> Work[Found]:
    yield from administer(house, Act.CUSTOMER_FIND, clients=(client,))
    keys = yield from _keys(house, client)
    return (yield from _customer(keys, number))


def _keys(house: House, client: str) -> Work[ClientKeys]:
    (rows,) = yield Round(data=(CLIENT(client=client),))
    if not rows:
        raise NotFound(f"there is no client {client}", remedy="See `holdfast client list`.")
    yield from require_open(client, house.clock.now_us())
    return (yield from client_keys(house.keks, client, rows[0][3]))


def _customer(keys: ClientKeys, text: str) -> Work[Found]:
    """Find by id, else by number. A number may look like an id, so an id that does not exist is tried as a number."""
    client = keys.client
    by_id, by_number = yield Round(
        data=(CUSTOMER(client=client, id=text),),
        keys=(CUSTOMER_BY_TOKEN(client=client, token=customer_token(keys, text)),),
    )
    if by_id:
        return Found(text, by_id[0][0])
    if by_number:
        customer = by_number[0][0]
        (rows,) = yield Round(data=(CUSTOMER(client=client, id=customer),))
        if rows:
            return Found(customer, rows[0][0])
    raise NotFound(
        f"client {client} has no such customer",
        remedy="Give the client's own number, or an id that starts with cus_. An erased one has no number here.",
        code="no_customer",
    )


def _shred(client: str, operation: str) -> Work[Shred]:
    (rows,) = yield Round(data=(SHRED(client=client, operation=operation),))
    return Shred(*rows[0])
