"""Requests of the data plane, as msgspec types: what is not declared here is refused."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from holdfast.spine.approvals.glass import MOST_CUSTOMERS, MOST_MINUTES
from holdfast.vocabulary.levels import FreezeReason, GlassReason

MOST_BODY_BYTES = 64 * 1024
MOST_FEED_BYTES = 1024 * 1024
MOST_FIELDS = 64
MOST_PROOF = 16

Id = Annotated[
    str, Meta(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@/+-]*\Z")
]
GlassId = Annotated[str, Meta(pattern=r"^gls_[0-9a-hjkmnp-tv-z]{26}\Z")]
FieldName = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[a-z][a-z0-9_]*\Z")]
Value = Annotated[str, Meta(max_length=2048, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*\Z")]
Fields = Annotated[list[FieldName], Meta(min_length=1, max_length=MOST_FIELDS)]
Values = Annotated[dict[FieldName, Value], Meta(min_length=1, max_length=MOST_FIELDS)]


class Purpose(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why: the live contact, by the id that the telephony or CRM feed gave it; or a break-glass in its place."""

    contact: Id | None = None
    break_glass: GlassId | None = None


class _Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    client: Id
    collection: FieldName
    purpose: Purpose


class NothingRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an address that takes no body takes as one: an empty object."""


class SearchRequest(_Request, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Find customers by one exact identifier of an indexed field."""

    by: Annotated[dict[FieldName, Value], Meta(min_length=1, max_length=1)]


class RevealRequest(_Request, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Show fields of one record of a customer."""

    customer: Id
    fields: Fields
    record: Id | None = None


class VerifyRequest(_Request, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Compare the caller's answers with the record; the values are never shown.

    Give either ``field`` and ``answer`` (for the customer the contact is bound to), or ``answers``.
    """

    customer: Id
    field: FieldName | None = None
    answer: Value | None = None
    answers: Values | None = None
    record: Id | None = None


class UpdateRequest(_Request, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Change fields of one record."""

    customer: Id
    values: Values
    record: Id | None = None


class FreezeRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Freeze a client: every look is refused from here on."""

    client: Id
    reason: FreezeReason = FreezeReason.UNSPECIFIED


class FreezeStepRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Confirm or lift the freeze of a client."""

    client: Id


class ActRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Do something to a customer's account: here (``values``), in another system (``target``), or both.

    ``proof`` are ids of decisions of this contact in which the caller's answers matched. ``target`` is needed where the
    contract names several.
    """

    client: Id
    customer: Id
    action: Id
    purpose: Purpose
    proof: Annotated[list[Id], Meta(max_length=MOST_PROOF)]
    collection: FieldName | None = None
    values: Values | None = None
    target: Id | None = None
    record: Id | None = None


class OutcomeRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a target system says of a permit: claimed before it acts, then how it went."""

    permit: Annotated[str, Meta(min_length=1, max_length=4096, pattern=r"^[A-Za-z0-9._-]*\Z")]
    outcome: Literal["claimed", "done", "failed", "not_done"]


class ProvisionalRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Open a contact that no feed has told yet: because the feed is late, or in a declared outage.

    Then look at once, for one customer, with the same contact id.
    """

    client: Id
    contact: Id
    queue: Id
    reason: Id | None = None
    outage: bool = False


class ExportRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Let records leave the house in a file that only ``recipient`` opens. Give either ``customers`` or ``all``."""

    client: Id
    collection: FieldName
    fields: Fields
    recipient: Id
    reason: Id
    customers: Annotated[list[Value], Meta(min_length=1, max_length=1000)] | None = None
    all: bool = False


class ReasonRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Change the reason of a live contact, once, to one of the same queue.

    ``client`` is needed only when two clients' feeds gave two live contacts of this person the same id.
    """

    contact: Id
    reason: Id
    client: Id | None = None


class ApprovalRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Ask for the approval that one's own decision said is needed."""

    decision: Id


class GlassRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Ask to look without a contact, in an emergency. ``call`` is the reason whose field set is needed."""

    client: Id
    reason: GlassReason
    call: Id
    customers_at_most: Annotated[int, Meta(ge=1, le=MOST_CUSTOMERS)]
    minutes: Annotated[int, Meta(ge=1, le=MOST_MINUTES)]


# ── AuthZEN: members that are not known are ignored, as its specification wants ──────────────────────────────────────

Word = Annotated[str, Meta(min_length=1, max_length=256, pattern=r"^[^\x00]*\Z")]


class PdpEntity(msgspec.Struct, frozen=True, kw_only=True):
    """A subject or a resource."""

    type: Word
    id: Word
    properties: dict[str, Any] = {}


class PdpAction(msgspec.Struct, frozen=True, kw_only=True):
    """An action."""

    name: Word
    properties: dict[str, Any] = {}


class EvaluationRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The question whether this subject may do this to that resource."""

    subject: PdpEntity
    action: PdpAction
    resource: PdpEntity
    context: dict[str, Any] = {}


class EvaluationsRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Several such questions; what stands at the top is each one's default. Without any, it is one question."""

    subject: dict[str, Any] | None = None
    action: dict[str, Any] | None = None
    resource: dict[str, Any] | None = None
    context: dict[str, Any] | None = None
    evaluations: list[dict[str, Any]] = []
    options: dict[str, Any] = {}
