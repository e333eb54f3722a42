"""Asking for an approval, finding it again, and taking it: once, by one of any number who try at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

import msgspec

from holdfast.kit.canonical import canonical_json, length_prefixed
from holdfast.kit.clock import rfc3339
from holdfast.kit.db import Round
from holdfast.kit.ids import new_id, random_bytes
from holdfast.spine.approvals import store
from holdfast.spine.approvals.rules import Party, decide_by_us
from holdfast.spine.approvals.subject import told
from holdfast.spine.identity.references import reference_of
from holdfast.spine.ledger.recorder import append
from holdfast.spine.vault.keyring.store import CUSTOMER_REFERENCE
from holdfast.vocabulary import ids
from holdfast.vocabulary.leaves import Leaf, LeafType
from holdfast.vocabulary.levels import ApprovalKind, ApprovalState, PersonState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.kit.db import Query, Row, Work

_LABEL: Final = b"holdfast/approval/v1"
_SALT_BYTES: Final = 16
LAPSED: Final = "lapsed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What somebody wants approved.

    ``clients`` are those whose logs are told; none means the house's. ``digest`` is a SHA-256 of what exactly is
    approved (:func:`subject_digest` for a look; an administrative act's own of its payload). ``subject`` is field →
    presentation, or an act's parameters; ``summary`` is what the approver reads. Neither holds a value.
    """

    kind: ApprovalKind
    operation: str
    requester: Party
    digest: bytes
    clients: tuple[str, ...] = ()
    contact: str = ""
    customer: str = ""
    programme: str = ""
    reason: str = ""
    collection: str = ""
    record: str = ""
    subject: Mapping[str, str] = field(default_factory=dict)
    policies: str = ""
    decision: str = ""
    summary: Mapping[str, Any] = field(default_factory=dict)


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A request as the table holds it. ``client`` is "" when none, or more than one, is concerned."""

    id: str
    client: str
    clients: tuple[str, ...]
    kind: ApprovalKind
    state: ApprovalState
    requester: Party
    operation: str
    contact: str
    customer: str
    programme: str
    reason: str
    collection: str
    record: str
    subject: dict[str, str]
    policies: str
    decision: str
    digest: bytes
    salt: bytes
    summary: dict[str, Any]
    created_us: int
    expires_us: int
    decided_by: str
    decided_device: str
    decided_us: int
    used_us: int
    approver_active: bool
    requester_name: str  # the requester's staff id

    def standing(self, now_us: int) -> str:
        """The state at a moment: ``asked``, ``granted``, ``refused``, ``used`` or ``lapsed``."""
        waits = self.state in {ApprovalState.ASKED, ApprovalState.GRANTED}
        return LAPSED if waits and self.expires_us <= now_us else self.state.value

    def usable(self, now_us: int) -> bool:
        """Whether it is granted, not used, not lapsed, by somebody who is still active."""
        return self.standing(now_us) == ApprovalState.GRANTED.value and self.approver_active

    @property
    def logs(self) -> tuple[str, ...]:
        """The logs that are told."""
        return logs_of(self.clients)


def logs_of(clients: tuple[str, ...]) -> tuple[str, ...]:
    """Return the clients' logs, or the house's when no client is concerned."""
    return tuple(map(ids.client_log, clients)) or (ids.HOUSE_LOG,)


def subject_digest(wanted: Wanted) -> bytes:
    """SHA-256 of what a look or an act is: who asks, for which contact, customer and fields, under which policies."""
    parts = (
        wanted.kind.value,
        wanted.operation,
        wanted.requester.person,
        *(",".join(wanted.clients), wanted.contact, wanted.customer),
        *(wanted.programme, wanted.reason, wanted.collection, wanted.record, wanted.policies),
    )
    encoded = [part.encode() for part in parts]
    return sha256(length_prefixed(_LABEL, *encoded, canonical_json(dict(wanted.subject)))).digest()


def commitment(digest: bytes, salt: bytes) -> str:
    """What a leaf carries of a request's digest, hexadecimal."""
    return sha256(length_prefixed(_LABEL, salt, digest)).hexdigest()


def ask(wanted: Wanted, *, now_us: int) -> Work[str]:
    """Ask for an approval; return its id. An equal request of the same person that is still open is that one."""
    client = _one(wanted.clients)
    opened, reference = yield Round(
        data=(
            store.OPEN(
                client=client,
                requester=wanted.requester.person,
                kind=wanted.kind.value,
                operation=wanted.operation,
                digest=wanted.digest,
                now_us=now_us,
            ),
        ),
        keys=(CUSTOMER_REFERENCE(client=client, customer=wanted.customer),),
    )
    if opened:
        found: str = opened[0][0]
        return found
    ident, salt = new_id(ids.APPROVAL, now_us), random_bytes(_SALT_BYTES)
    yield Round(data=(_row(wanted, ident, salt, now_us),))
    body = {
        "approval": ident,
        "kind": wanted.kind.value,
        "op": wanted.operation,
        "contact": wanted.contact,
        "customer": reference[0][0] if reference else "",
        "collection": wanted.collection,
        "fields": told(wanted.subject),
        "decision": wanted.decision,
        "subject": commitment(wanted.digest, salt),
        "expires": rfc3339(decide_by_us(wanted.kind, now_us)),
    }
    leaves = []
    for log in logs_of(wanted.clients):
        person = yield from reference_of(wanted.requester.person, log)
        leaf = Leaf(
            LeafType.APPROVAL_REQUESTED,
            new_id(ids.LEAF, now_us),
            now_us,
            {**body, "person": person},
        )
        leaves.append(append(log, leaf))
    yield Round(data=tuple(leaves))
    return ident


def _one(clients: tuple[str, ...]) -> str:
    return clients[0] if len(clients) == 1 else ""


def _row(wanted: Wanted, ident: str, salt: bytes, now_us: int) -> Query:
    return store.ADD(
        id=ident,
        client=_one(wanted.clients),
        clients=",".join(wanted.clients),
        kind=wanted.kind.value,
        state=ApprovalState.ASKED.value,
        requester=wanted.requester.person,
        requester_device=wanted.requester.device,
        requester_credential=wanted.requester.credential,
        operation=wanted.operation,
        contact=wanted.contact,
        customer=wanted.customer,
        programme=wanted.programme,
        reason=wanted.reason,
        collection=wanted.collection,
        record=wanted.record,
        subject=canonical_json(dict(wanted.subject)).decode(),
        policies=wanted.policies,
        decision=wanted.decision,
        digest=wanted.digest,
        salt=salt,
        summary=canonical_json(dict(wanted.summary)).decode(),
        created_us=now_us,
        expires_us=decide_by_us(wanted.kind, now_us),
        decided_by="",
        decided_device="",
        decided_us=0,
        used_us=0,
    )


def request_of(row: Row) -> Request:
    """Read a row of ``LOAD``, ``LIST`` or ``GRANTED``."""
    given = dict(zip(store.COLUMNS, row, strict=False))
    return Request(
        id=given["id"],
        client=given["client"],
        clients=tuple(filter(None, given["clients"].split(","))),
        kind=ApprovalKind(given["kind"]),
        state=ApprovalState(given["state"]),
        requester=Party(
            given["requester"], given["requester_device"], given["requester_credential"]
        ),
        operation=given["operation"],
        contact=given["contact"],
        customer=given["customer"],
        programme=given["programme"],
        reason=given["reason"],
        collection=given["collection"],
        record=given["record"],
        subject=msgspec.json.decode(given["subject"]),
        policies=given["policies"],
        decision=given["decision"],
        digest=bytes(given["digest"]),
        salt=bytes(given["salt"]),
        summary=msgspec.json.decode(given["summary"]),
        created_us=given["created_us"],
        expires_us=given["expires_us"],
        decided_by=given["decided_by"],
        decided_device=given["decided_device"],
        decided_us=given["decided_us"],
        used_us=given["used_us"],
        approver_active=row[-2] == PersonState.ACTIVE.value,
        requester_name=row[-1],
    )


def load(ident: str) -> Work[Request | None]:
    """Return a request by its id, whoever's it is: whether the reader may know it is the caller's affair."""
    (rows,) = yield Round(data=(store.LOAD(id=ident),))
    return request_of(rows[0]) if rows else None


def granted(wanted: Wanted, *, now_us: int) -> Work[list[Request]]:
    """Return the approvals that were given for exactly this and can be used now, the oldest first."""
    (rows,) = yield Round(
        data=(
            store.GRANTED(
                client=_one(wanted.clients),
                requester=wanted.requester.person,
                kind=wanted.kind.value,
                operation=wanted.operation,
                digest=wanted.digest,
                now_us=now_us,
            ),
        )
    )
    return [request_of(row) for row in rows]


def take(request: Request, *, now_us: int) -> Query:
    """Return the write that uses an approval up. It belongs into the round of the operation's own leaf.

    It answers a row only if it was taken now: unless it does, the operation is refused as a whole.
    """
    return store.TAKE(
        id=request.id,
        client=request.client,
        requester=request.requester.person,
        policies=request.policies,
        digest=request.digest,
        now_us=now_us,
    )
