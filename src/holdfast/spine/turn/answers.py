"""What an operation is asked, and what it answers: plain structures that every face writes in its own format.

Values of fields stand only in :class:`Shown.value`, :class:`Hit.fields` and nowhere else; a face hands them over and
forgets them.
"""

from __future__ import annotations

import msgspec

from holdfast.spine.identity.presented import Caller
from holdfast.spine.ledger.receipts import Receipt


class Asked(Caller, frozen=True, kw_only=True):
    """Who asks, from where, for which client and under which contact: the part that all operations share.

    ``step_up_hash`` is the hash of a second token, ``approval`` the id of an approval that the person has, or empty.
    ``idempotency`` is the caller's key and a digest of the body, or None. ``contact_ref`` names the contact by our own
    reference in place of the feed's id; no request from outside sets it. ``glass`` is the id of a break-glass that
    stands in for a contact, or empty.
    """

    client: str
    collection: str
    contact: str
    step_up_hash: bytes | None = None
    approval: str = ""
    contact_ref: str = ""
    glass: str = ""
    idempotency: tuple[str, bytes] | None = None


class LeafPointer(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where the line about this answer stands, its RFC 6962 leaf hash (base64), and the signed promise about it.

    ``log`` is empty for a client that the requester is not assigned to; then there is neither hash nor receipt, whether
    that client exists or not. The shell adds the receipt when the line is durable.
    """

    log: str
    id: str
    hash: str = ""
    receipt: Receipt | None = None


class Remedy(msgspec.Struct, frozen=True):
    """What to do about a refusal."""

    text: str
    href: str = ""


class ReasonGiven(msgspec.Struct, frozen=True, omit_defaults=False):
    """One rule of a refusal as its reader may see it."""

    rule: str
    label: str  # the condition in plain words
    state: str  # met | unmet | unknown
    fact: str
    value: str
    remedy: Remedy


class Shown(msgspec.Struct, frozen=True, omit_defaults=True):
    """How one field stands in the answer. ``until`` is RFC 3339: hide it again then."""

    shown: str  # clear | masked | withheld
    value: str | None = None
    until: str | None = None
    reasons: tuple[ReasonGiven, ...] = ()


class Revealed(msgspec.Struct, frozen=True):
    """Fields of one record."""

    decision: str
    outcome: str  # permit | partial
    customer: str
    record: str
    fields: dict[str, Shown]
    leaf: LeafPointer


class Hit(msgspec.Struct, frozen=True):
    """One customer found; its fields are masked."""

    customer: str
    fields: dict[str, Shown]


class Found(msgspec.Struct, frozen=True):
    """Answer of a search; ``hits`` may be empty."""

    decision: str
    hits: tuple[Hit, ...]
    leaf: LeafPointer


class Verified(msgspec.Struct, frozen=True):
    """Whether the caller's answers match; before binding it is one verdict over all of them."""

    decision: str
    match: bool
    attempts_left: int
    bound: bool
    leaf: LeafPointer


class Updated(msgspec.Struct, frozen=True):
    """A record has a new version."""

    decision: str
    customer: str
    record: str
    version: int
    leaf: LeafPointer


class Acted(msgspec.Struct, frozen=True):
    """An action is permitted. ``permit`` goes to the target system; it is good once, until ``expires``.

    Both are None where the vault alone was changed. ``version`` is the record's new version, if fields were changed.
    """

    decision: str
    act: str
    action: str
    target: str
    customer: str
    permit: str | None
    expires: str | None
    version: int | None
    leaf: LeafPointer


class OutcomeTaken(msgspec.Struct, frozen=True):
    """What a target system said of a permit stands in the client's log."""

    act: str
    outcome: str
    leaf: LeafPointer


class OutcomeRefused(msgspec.Struct, frozen=True):
    """A permit that was used before, or came too late (HTTP 409)."""

    code: str  # permit_used | permit_expired
    detail: str
    remedy: str


class ReasonChanged(msgspec.Struct, frozen=True):
    """The contact has another reason; ``changes_left`` is how often that may happen again."""

    decision: str
    reason: str
    changes_left: int
    leaf: LeafPointer


class ProvisionalOpened(msgspec.Struct, frozen=True):
    """A contact stands on the person's word until a feed tells it; look at once, for one customer.

    ``basis`` is provisional or outage. ``until`` is RFC 3339: it closes then.
    """

    decision: str
    provisional: str
    contact: str
    basis: str
    until: str
    leaf: LeafPointer


class DecisionShown(msgspec.Struct, frozen=True):
    """One decision, filtered for its reader."""

    decision: str
    client: str
    operation: str
    outcome: str
    at: str
    collection: str
    fields: dict[str, str]
    reasons: tuple[ReasonGiven, ...]
    leaf: LeafPointer
    own: bool


class ApprovalShown(msgspec.Struct, frozen=True, kw_only=True):
    """A request for approval. ``wanted`` says how each field is to be shown, or names an act's parameters.

    ``fields`` and ``leaf`` are there when an approver looks at it: what is there now, masked.
    """

    approval: str
    state: str  # asked | granted | refused | used | lapsed
    kind: str
    client: str
    operation: str
    programme: str
    reason: str
    collection: str
    wanted: dict[str, str]
    requester: str  # staff id
    own: bool
    decision: str
    asked_at: str
    expires_at: str
    glass: str = ""  # the break-glass that it opened, told to the one who may use it
    fields: dict[str, Shown] = {}
    leaf: LeafPointer | None = None


class GlassEnded(msgspec.Struct, frozen=True):
    """A break-glass was ended."""

    glass: str


class Approvals(msgspec.Struct, frozen=True):
    """Some requests for approval, oldest first. ``next`` is what ``after`` is to be for more; empty at the end."""

    approvals: tuple[ApprovalShown, ...]
    next: str = ""


class Choice(msgspec.Struct, frozen=True):
    """One record of several that a customer has in a collection."""

    record: str
    fields: dict[str, Shown]


class Ambiguous(msgspec.Struct, frozen=True):
    """The customer has several records here; name one (HTTP 409)."""

    decision: str
    choices: tuple[Choice, ...]
    leaf: LeafPointer


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing is shown (HTTP 403). ``challenge`` is set when a step-up would help."""

    code: str  # denied | step_up_required | approval_required
    decision: str
    leaf: LeafPointer
    reasons: tuple[ReasonGiven, ...]
    challenge: str | None = None


class FreezeStands(msgspec.Struct, frozen=True):
    """How the client stands after a freeze, its confirmation or its end."""

    client: str
    state: str  # frozen | open | closed
    until: (
        str  # RFC 3339; empty when it stands until it is lifted, or when the client is not frozen
    )
    confirmed: bool
    leaf: LeafPointer


class FreezeRefused(msgspec.Struct, frozen=True, kw_only=True):
    """This person does not freeze, confirm or unfreeze (HTTP 403). ``challenge`` is set when a step-up would help."""

    code: str  # role_missing | new_user | second_person | step_up_required
    message: str
    remedy: str
    challenge: str | None = None


Answer = (
    Revealed
    | Found
    | Verified
    | Updated
    | Acted
    | ReasonChanged
    | ProvisionalOpened
    | DecisionShown
    | OutcomeTaken
    | OutcomeRefused
    | ApprovalShown
    | Approvals
    | GlassEnded
    | Ambiguous
    | Refused
)
