"""Reading what was decided, and who may read a log. A reader sees what their audience may know (SPINE 2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdfast.kit.clock import rfc3339
from holdfast.kit.db import Round
from holdfast.kit.errors import Denied, NotFound
from holdfast.kit.ids import new_id
from holdfast.spine.decision import records
from holdfast.spine.decision import store as decisions
from holdfast.spine.decision.policies import current_policies
from holdfast.spine.decision.readers import audience_for, is_kept_from
from holdfast.spine.decision.reasons import for_audience
from holdfast.spine.identity import store as identity
from holdfast.spine.identity.accept import accepted
from holdfast.spine.identity.facts import assigned_at
from holdfast.spine.identity.place import within
from holdfast.spine.identity.references import credential_reference, reference_of
from holdfast.spine.ledger.checkpoint import base64_text
from holdfast.spine.ledger.recorder import append
from holdfast.spine.turn.answers import DecisionShown, LeafPointer
from holdfast.spine.turn.steps import (
    told,
)
from holdfast.spine.vault.hierarchy import client_keys, record_key
from holdfast.vocabulary import ids
from holdfast.vocabulary.leaves import Leaf, LeafType
from holdfast.vocabulary.levels import Audience, Role

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.kit.db import Rows, Work
    from holdfast.spine.decision.verdict import RuleReason
    from holdfast.spine.house import House
    from holdfast.spine.identity.facts import Assigned
    from holdfast.spine.identity.presented import Caller
    from holdfast.spine.identity.requester import Requester

_OVERSIGHT: Final = frozenset({Role.SECURITY, Role.DPO, Role.ADMIN, Role.AUDITOR})


def record_of(decision: str) -> Work[Rows]:
    """Return the sealed record of a decision, if there is one; it never changes, and says nothing without its key."""
    (rows,) = yield Round(data=(decisions.RECORD_ANYWHERE(id=decision),))
    return rows


def read_decision(
    house: House, caller: Caller, decision: str, *, record: Rows | None = None
) -> Work[DecisionShown]:
    """Return a decision as its reader may know it; reading another person's leaves a line in the client's log.

    ``record`` is what :func:`record_of` has answered elsewhere; who may read it is decided here.
    Raises :class:`NotFound` for one that does not exist or is none of the reader's business, in the same words.
    """
    now_us = house.clock.now_us()
    reader = yield from reader_of(caller, now_us)
    rows = record or (yield from record_of(decision))
    if not rows:
        raise no_such_decision()
    client, at_us, month, person, leaf, _, sealed, leaf_hash = rows[0]
    audience, assigned = yield from _audience(reader, person, client, now_us)
    content = yield from content_of(house, client, month, sealed=bytes(sealed), record_id=leaf)
    own = person == reader.person
    if is_kept_from(own=own, visible=content.visible, assigned=assigned):
        raise no_such_decision()
    policies = yield from current_policies(house.policies, client)
    reasons = for_audience(_reasons(content), audience, policies.by_id)
    if not own:
        house.require_room()
        yield from _tell(reader, client, decision, now_us)
    return DecisionShown(
        decision=content.decision,
        client=client,
        operation=content.operation,
        outcome=content.outcome,
        at=rfc3339(at_us),
        collection=content.asked.collection if content.visible else "",
        fields=content.fields if content.visible else {},
        reasons=told(reasons),
        leaf=LeafPointer(ids.client_log(client), leaf, base64_text(bytes(leaf_hash))),
        own=own,
    )


def reader_of(caller: Caller, now_us: int) -> Work[Requester]:
    """Return who asks, with a token that counts here and now.

    Raises :class:`NotAuthenticated` without an accepted token, :class:`Denied` for one that is bound to another place,
    or of a person who is suspended or left.
    """
    reader = yield from accepted(caller, now_us)
    if reader.networks and not within(caller.peer, reader.networks):
        raise Denied(
            "this token is bound to networks that you are not on",
            remedy="Use it from there.",
            code="other_network",
        )
    if reader.device and reader.device != caller.device:
        raise Denied(
            "this token is bound to another device",
            remedy="Use it from there.",
            code="other_device",
        )
    if not reader.is_active:
        raise Denied("you are suspended or no longer here", remedy="Ask your lead.")
    return reader


def _audience(
    reader: Requester, person: str, client: str, now_us: int
) -> Work[tuple[Audience, bool]]:
    if reader.client not in {"", client}:
        raise no_such_decision()
    assigned = yield from assigned_to(reader, client, now_us)
    found = audience_for(
        own=reader.is_person and person == reader.person,
        house_roles=reader.roles,
        client_roles=frozenset[Role]().union(*assigned.roles.values()),
    )
    if found is None:
        raise no_such_decision()
    return found, bool(assigned.programmes)


def assigned_to(reader: Requester, client: str, now_us: int) -> Work[Assigned]:
    """Return what the reader works on for a client now."""
    (rows,) = yield Round(data=(identity.ASSIGNMENTS(person=reader.person, client=client),))
    return assigned_at(rows, now_us)


def no_such_decision() -> NotFound:
    """The one answer for a decision that does not exist, and for one that is none of the reader's business."""
    return NotFound("there is no such decision", remedy="Ask the person concerned, or their lead.")


def content_of(
    house: House, client: str, month: str, *, sealed: bytes, record_id: str
) -> Work[records.Content]:
    """Open a sealed decision record; ``record_id`` is the id of its leaf."""
    (rows,) = yield Round(data=(decisions.CLIENT(client=client),))
    keys = yield from client_keys(house.keks, client, rows[0][3])
    key = yield from record_key(keys, month)
    return records.open_record(sealed, key, client=client, record=record_id)


def _reasons(content: records.Content) -> Iterable[RuleReason]:
    return dict.fromkeys(reason for said in content.said for reason in said.reasons)


def _tell(reader: Requester, client: str, decision: str, now_us: int) -> Work[None]:
    log = ids.client_log(client)
    if reader.is_person:
        reference = yield from reference_of(reader.person, log)
    else:
        reference = credential_reference(reader.credential, log)
    leaf = Leaf(
        LeafType.DECISION_READ,
        new_id(ids.LEAF, now_us),
        now_us,
        {"decision": decision, "person": reference},
    )
    yield Round(data=(append(log, leaf),))


def may_read_log(house: House, caller: Caller, log: str) -> Work[None]:
    """Let pass who may read a log's files: the house's overseers, the client's own users, a service of its scope.

    Raises :class:`NotFound` for everybody else, so that a log's name says nothing about a client.
    """
    now_us = house.clock.now_us()
    reader = yield from reader_of(caller, now_us)
    client = log.removeprefix(ids.client_log(""))
    if reader.roles & _OVERSIGHT and reader.client in {"", client}:
        return
    if f"log:{client}" in reader.scopes and log != ids.HOUSE_LOG:
        return
    (rows,) = yield Round(data=(identity.ASSIGNMENTS(person=reader.person, client=client),))
    roles = frozenset[Role]().union(*assigned_at(rows, now_us).roles.values())
    if roles & {Role.CLIENT_USER, Role.AUDITOR}:
        return
    raise NotFound("there is no such log")
