"""Erasing a customer on behalf of a named person, and finding which customer a number belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from holdfast.kit.clock import rfc3339
from holdfast.kit.db import Round
from holdfast.kit.errors import Denied, InvalidInput, NotFound, Unavailable
from holdfast.spine.administration.scene import administer, digest_of, enter, tell_in
from holdfast.spine.decision.contract import compile_contract
from holdfast.spine.decision.freezing import require_open, standing_of
from holdfast.spine.decision.signature import check_signature, read_signature
from holdfast.spine.decision.store import CLIENT, CONTRACT
from holdfast.spine.ending.access import endings
from holdfast.spine.ending.client_shred import (
    Order,
    complete_client,
    request_client_shred,
    statement_to_sign,
)
from holdfast.spine.identity.references import reference_of
from holdfast.spine.vault.blindindex import customer_token
from holdfast.spine.vault.hierarchy import client_keys
from holdfast.spine.vault.keyring.store import CUSTOMER_BY_TOKEN
from holdfast.spine.vault.load import customer_reference
from holdfast.spine.vault.shred import Shred, complete, request_shred
from holdfast.spine.vault.store import CLIENT_SHRED, CUSTOMER, SHRED
from holdfast.vocabulary.acts import Act
from holdfast.vocabulary.ids import HOUSE_LOG, client_log
from holdfast.vocabulary.leaves import LeafType

if TYPE_CHECKING:
    from typing import Any

    from holdfast.kit.db import Work
    from holdfast.spine.house import House
    from holdfast.spine.vault.hierarchy import ClientKeys
    from holdfast.vocabulary.contract import Contract


class Found(NamedTuple):
    """A customer as a command shows it: no field of it."""

    customer: str
    state: str


class ClientErasure(NamedTuple):
    """How far the erasure of a client is. ``certificate`` is None while ``waits_for`` says what holds it up."""

    operation: str
    certificate: dict[str, Any] | None
    waits_for: str


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


def statement_of(house: House, client: str) -> str:
    """Return the text that a client signs to have itself erased."""
    return statement_to_sign(house.signing_keys.origin(client_log(client)), client)


def shred_client(house: House, client: str, *, signature: bytes = b"") -> ClientErasure:
    """Refuse everything of a client at once, destroy all its keys and records, and certify it.

    It takes a second person and, where the contract names the client's key, the client's ``signature`` over
    :func:`statement_of`. Run again, it goes on. :class:`NotFound` for an unknown client, :class:`Conflict` for one that
    is erased already, :class:`Denied` while it is frozen or without its signature.
    """
    operation = house.transact(_order(house, client, signature))
    certificate, waits_for = None, ""
    try:
        certificate = complete_client(house, client)
    except Unavailable as error:
        waits_for = error.message
    return ClientErasure(operation, certificate, waits_for)


def _order(house: House, client: str, signature: bytes) -> Work[str]:
    entered = yield from enter(house, Act.CLIENT_SHRED)
    row, under_way, contract = yield Round(
        data=(CLIENT(client=client), CLIENT_SHRED(client=client), CONTRACT(client=client))
    )
    now_us = house.clock.now_us()
    if row and standing_of(row[0]).is_frozen(house.sure_us()):
        yield from require_open(client, now_us)
    if not row or under_way or not contract:
        nobody = Order({}, {}, signed=False)  # it is not begun anew: what stands is told
        return (yield from request_client_shred(client, nobody, (), now_us=now_us))
    signed = _check_signature(
        compile_contract(contract[0][0]), statement_of(house, client), signature
    )
    scene = yield from entered.judge(
        clients=(client,), digest=digest_of(client, signature.hex()), summary={"client": client}
    )
    logs = (client_log(client), HOUSE_LOG)
    by, second = {}, {}
    for log in logs:
        by[log] = yield from scene.acting.reference(log)
        second[log] = yield from reference_of(scene.second, log)
    ends = endings(client, scene.now_us)
    order = Order(by, second, signed=signed)
    return (yield from request_client_shred(client, order, ends, now_us=scene.now_us))


def _check_signature(contract: Contract, statement: str, signature: bytes) -> bool:
    if not contract.client_key:
        if signature:
            raise InvalidInput(
                "the contract names no key of the client to check a signature with",
                field="--signature",
            )
        return False
    if not signature:
        raise Denied(
            "the client gave a key, so its erasure is ordered with the client's signature",
            remedy="Let the client sign what --statement prints, and give its signature with --signature.",
            code="not_signed",
        )
    try:
        check_signature(contract.client_key, read_signature(signature), statement)
    except Denied:
        raise Denied(
            "the signature is not the client's, or not over this statement",
            remedy="The client signs exactly what --statement prints, with the key that its contract names.",
            code="bad_signature",
        ) from None
    return True


def find_customer(house: House, client: str, number: str) -> Found:
    """Say which customer has the client's own number; :class:`NotFound` if none has, or none has any more.

    Whether somebody is a customer is told, so the client's log says who asked, found or not.
    """
    found = house.transact(_find(house, client, number))
    if found is None:
        raise _no_customer(client)
    return found


def _request(house: House, client: str, customer: str) -> Work[str]:
    entered = yield from enter(house, Act.CUSTOMER_SHRED)
    keys = yield from _keys(house, client)
    found = yield from _customer(keys, customer)
    scene = yield from entered.judge(
        clients=(client,), digest=digest_of(found.customer), summary={"customer": found.customer}
    )
    by = yield from scene.acting.reference(client_log(client))
    return (yield from request_shred(keys, found.customer, by=by, now_us=scene.now_us))


def _find(house: House, client: str, number: str) -> Work[Found | None]:
    scene = yield from administer(house, Act.CUSTOMER_FIND, clients=(client,))
    keys = yield from _keys(house, client)
    try:
        found: Found | None = yield from _customer(keys, number)
    except NotFound:
        found = None
    live = found.customer if found is not None and found.state == "live" else ""
    reference = (yield from customer_reference(client, live)) if live else ""
    log = client_log(client)
    yield from tell_in(scene, LeafType.CUSTOMER_FOUND, (log,), customer=reference)
    return found


def _keys(house: House, client: str) -> Work[ClientKeys]:
    yield from require_open(client, house.clock.now_us())
    (rows,) = yield Round(data=(CLIENT(client=client),))
    if not rows:
        raise NotFound(f"there is no client {client}", remedy="See `holdfast client list`.")
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
    raise _no_customer(client)


def _no_customer(client: str) -> NotFound:
    return NotFound(
        f"client {client} has no such customer",
        remedy="Give the client's own number, or an id that starts with cus_. An erased one has no number here.",
        code="no_customer",
    )


def _shred(client: str, operation: str) -> Work[Shred]:
    (rows,) = yield Round(data=(SHRED(client=client, operation=operation),))
    return Shred(*rows[0])
