"""Ordered and closed sets of values: classes, handlings, presentations, authentication levels, outcomes."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Final


class DataClass(IntEnum):
    """How much harm a field can do: C0 public … C4 critical."""

    C0 = 0
    C1 = 1
    C2 = 2
    C3 = 3
    C4 = 4


class Handling(StrEnum):
    """The most that may ever happen with a field's value."""

    CLEAR = "clear"  # may be shown as it is
    MASKED = "masked"  # shown only behind its mask
    VERIFY_ONLY = "verify_only"  # compared with the caller's answer, never shown
    REFERENCE = "reference"  # kept as token and safe parts only (a card: token, BIN, last four)


class Presentation(StrEnum):
    """How a field stands in an answer."""

    CLEAR = "clear"
    MASKED = "masked"
    WITHHELD = "withheld"


class AuthLevel(IntEnum):
    """How strongly the person stands behind the request; a higher level includes the lower."""

    NONE = 0
    BEARER = 1  # a plain token: whoever holds it
    STEP_UP = 2  # a plain token and a fresh second one for this challenge
    POSSESSION = 3  # proof of possession of a key


class SignIn(StrEnum):
    """How somebody signed in to the console; with an identity provider it is ``sso:`` and what it asserts."""

    PASSKEY_DEVICE_BOUND = "passkey-device-bound"  # its key cannot leave the authenticator
    PASSKEY_SYNCED = "passkey-synced"  # a provider of passkeys has a copy
    TOTP = "totp"
    RECOVERY_CODE = "recovery-code"
    DEMO = "demo"  # by a click, in the demo house only


#: How strongly somebody stands behind a request that they confirmed a moment ago by this, in the same session.
CONFIRMED_BY: Final = {
    SignIn.PASSKEY_DEVICE_BOUND: AuthLevel.POSSESSION,
    SignIn.PASSKEY_SYNCED: AuthLevel.STEP_UP,
    SignIn.TOTP: AuthLevel.STEP_UP,
    SignIn.DEMO: AuthLevel.STEP_UP,
}


class Operation(StrEnum):
    """What a request asks for."""

    SEARCH = "search"
    REVEAL = "reveal"
    VERIFY = "verify"
    UPDATE = "update"
    ACT = "act"
    EXPORT = "export"
    REASON = "reason"
    PROVISIONAL = "provisional"  # a contact that a late feed has not told yet
    OUTAGE = "outage"  # a contact while the feed is declared to be down
    READ_DECISION = "read_decision"
    APPROVE = "approve"  # what somebody else asks for


class PdpSemantic(StrEnum):
    """How a batch of AuthZEN evaluations is gone through."""

    EXECUTE_ALL = "execute_all"
    DENY_ON_FIRST_DENY = "deny_on_first_deny"
    PERMIT_ON_FIRST_PERMIT = "permit_on_first_permit"


class Outcome(StrEnum):
    """What became of a request."""

    PERMIT = "permit"
    PARTIAL = "partial"  # some of the fields asked for are withheld
    STEP_UP = "step_up"
    APPROVAL = "approval"
    DENY = "deny"


class Audience(StrEnum):
    """Who may be told the value of a fact, weakest first."""

    SELF = "self"
    LEAD = "lead"
    SECURITY = "security"


class PersonState(StrEnum):
    """Employment state."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    LEFT = "left"


class Role(StrEnum):
    """What a person does; grants hang on roles and assignments, never on a person alone."""

    AGENT = "agent"
    LEAD = "lead"
    SECURITY = "security"
    DPO = "dpo"
    ADMIN = "admin"
    AUDITOR = "auditor"
    CLIENT_USER = "client_user"


class ApprovalKind(StrEnum):
    """What a second person is asked to approve (SPINE 15)."""

    LOOK = "look"
    ACT = "act"
    ATTEMPT = "attempt"  # to verify, once more
    ADMINISTER = "administer"
    GLASS = "glass"


class GlassReason(StrEnum):
    """Why a glass is broken, as a code: a leaf holds no free text."""

    LIFE_SAFETY = "life_safety"
    SYSTEM_OUTAGE = "system_outage"
    FRAUD_IN_PROGRESS = "fraud_in_progress"
    LEGAL_ORDER = "legal_order"
    CLIENT_REQUEST = "client_request"


class ApprovalState(StrEnum):
    """Where a request for approval stands; that it has lapsed follows from the time."""

    ASKED = "asked"
    GRANTED = "granted"
    REFUSED = "refused"
    USED = "used"


class FreezeReason(StrEnum):
    """Why a client is frozen, as a code: a leaf holds no free text."""

    INCIDENT = "incident"
    MISUSE = "misuse"  # the client saw looks that it cannot explain
    DISPUTE = "dispute"
    DRILL = "drill"
    UNSPECIFIED = "unspecified"


class ContactState(StrEnum):
    """Where a contact stands (SPINE 7)."""

    QUEUED = "queued"
    CONNECTED = "connected"
    HELD = "held"
    TRANSFERRED = "transferred"
    WRAPPING = "wrapping"
    ENDED = "ended"


class CustomerState(StrEnum):
    """Whether the customer's keys exist."""

    LIVE = "live"
    SHREDDING = "shredding"  # refused; deletion of the keys under way
    SHREDDED = "shredded"
