"""Facts: what a decision asks, what kind each is, and who may be told its value (SPINE 2, 3)."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from holdfast.vocabulary.levels import Audience


class FactState(StrEnum):
    """How well a fact is known."""

    KNOWN = "known"
    UNKNOWN = "unknown"
    STALE = "stale"


class FactKind(StrEnum):
    """What *unknown* means for a fact."""

    IDENTITY_PLACE = "identity_place"  # step up; deny at C4
    ENTITLEMENT = "entitlement"  # last known value for the grace, then approval, then deny
    PURPOSE = "purpose"  # deny
    RESTRICTION = "restriction"  # closed world: absent means none; unreadable means 503


class FactId(StrEnum):
    """Every fact that a decision may ask, by the area that puts or derives it."""

    # identity
    EMPLOYED = "employed"
    NOT_SUSPENDED = "not_suspended"
    EMPLOYER_APPROVED = "employer_approved"
    AUTH_LEVEL = "auth_level"
    NETWORK = "network"
    DEVICE = "device"
    # access
    ASSIGNED = "assigned"
    QUEUE = "queue"
    # administration
    TOKEN_UNBOUND = "token_unbound"
    ANOTHER_PERSON = "another_person"
    OTHER_LINE = "other_line"  # of administration: neither above nor below the person concerned
    SAME_LINE = "same_line"
    ADMIN_REMAINS = "admin_remains"
    OWN_EMPLOYER = "own_employer"  # of a directory: the person concerned is of its employer
    FEED_APART = "feed_apart"
    # purpose
    CONTACT_LIVE = "contact_live"
    CONTACT_YOURS = "contact_yours"
    CONTACT_TALKING = "contact_talking"  # live and not in wrap-up
    CONTACT_ORDINARY = "contact_ordinary"  # no break-glass stands in for it
    CONTACT_CONFIRMED = "contact_confirmed"  # told by a feed, not only opened by the person
    NO_OUTAGE = "no_outage"  # the contact was not opened in a declared outage
    CUSTOMER_BOUND = "customer_bound"
    CUSTOMER_FOUND = "customer_found"  # by a search of this contact, before it is bound
    REASON_OF_QUEUE = "reason_of_queue"
    REASON_CHANGES = "reason_changes"
    REASON_NOT_WIDER = "reason_not_wider"
    # opening a contact that no feed has told yet
    FEED_BEHIND = (
        "feed_behind"  # measurably late or silent, or the contact is offered to a live login
    )
    OUTAGE_DECLARED = "outage_declared"
    CONTACT_FREE = "contact_free"  # with nobody, and not over
    PROVISIONAL_ONE = "provisional_one"  # no other waits for its event
    PROVISIONAL_SHIFT = "provisional_shift"  # some left in this shift
    PROVISIONAL_TRUSTED = (
        "provisional_trusted"  # none that no event confirmed, unless it was cleared
    )
    # the fields asked for, judged against contract and schema
    FIELD_SET = "field_set"
    HANDLING = "handling"
    REASON_MASK = "reason_mask"
    APPROVAL = "approval"
    CHANGE = "change"
    # actions in other systems (SPINE 16)
    ACTION_OF_REASON = "action_of_reason"
    ACTION_PROVEN = "action_proven"
    ACTION_DAY = "action_day"
    ACTION_PLAIN = "action_plain"  # the contract asks for no more than a token
    ACTION_KEYLESS = "action_keyless"  # the contract asks for no proof of possession
    ANSWER_SETTLED = "answer_settled"  # the value compared was not changed in the last two days
    # budgets
    CUSTOMERS_HOUR = "customers_hour"
    CUSTOMERS_DAY = "customers_day"
    SENSITIVE_FIELDS_DAY = "sensitive_fields_day"
    SEARCHES_DAY = "searches_day"
    SEARCHES_CONTACT = "searches_contact"
    VERIFY_CONTACT = "verify_contact"
    VERIFY_DAY = "verify_day"
    # restrictions
    CLIENT_OPEN = "client_open"
    CUSTOMER_OPEN = "customer_open"
    # rules that the contract adds
    CONTRACT_RULE = "contract_rule"


class FactDeclaration(NamedTuple):
    """What the house knows about a fact before it knows its value."""

    fact: FactId
    kind: FactKind
    audience: Audience
    label: str  # how the fact is called in a denial, lower case: "your training"
    max_age_us: int | None = None  # older is stale; None: never
    grace_us: int = 0  # entitlement only: how long a stale value still counts


class FactValue(NamedTuple):
    """A fact as one decision saw it. ``value`` is a short printable word, never personal data."""

    state: FactState
    met: bool  # does the condition hold? Only meaningful when known (or stale within its grace)
    value: str = ""
    as_of_us: int = 0
    source: str = ""


class StandingFact(NamedTuple):
    """A fact about a person that a procedure puts into the spine's table, and the decision reads."""

    person: str
    fact: FactId
    met: bool
    value: str
    as_of_us: int
    valid_until_us: int | None
    source: str
