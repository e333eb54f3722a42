"""All facts that a decision may ask: what kind each is, who may be told, how old it may be (DESIGN §5, SPINE 2, 3).

A fact comes from one of four places: the credential and the people store (identity), the contact (purpose), the counts
of what was used (budgets), and the contract with the collection's schema (field set and handling). Standing facts, put
by a procedure, are read through :func:`assess`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdfast.kit.clock import DAY_US
from holdfast.vocabulary.facts import (
    FactDeclaration,
    FactId,
    FactKind,
    FactState,
    FactValue,
)
from holdfast.vocabulary.levels import Audience, CustomerState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.vocabulary.facts import StandingFact

NEVER_US: Final = 2**62
_PLACE: Final = FactKind.IDENTITY_PLACE
_ENTITLED: Final = FactKind.ENTITLEMENT
_PURPOSE: Final = FactKind.PURPOSE
_RESTRICTION: Final = FactKind.RESTRICTION
_SELF: Final = Audience.SELF


def _declared(*declarations: FactDeclaration) -> Mapping[FactId, FactDeclaration]:
    return {declaration.fact: declaration for declaration in declarations}


DECLARATIONS: Final = _declared(
    FactDeclaration(FactId.EMPLOYED, _RESTRICTION, _SELF, "your employment"),
    FactDeclaration(FactId.NOT_SUSPENDED, _RESTRICTION, _SELF, "your suspension"),
    FactDeclaration(
        FactId.EMPLOYER_APPROVED,
        _ENTITLED,
        _SELF,
        "the client's approval of your employer",
        grace_us=7 * DAY_US,
    ),
    FactDeclaration(FactId.AUTH_LEVEL, _PLACE, _SELF, "how strongly you signed in"),
    FactDeclaration(FactId.NETWORK, _PLACE, _SELF, "your network"),
    FactDeclaration(FactId.DEVICE, _PLACE, _SELF, "your device"),
    FactDeclaration(FactId.ASSIGNED, _PURPOSE, _SELF, "your assignment"),
    FactDeclaration(FactId.QUEUE, _PURPOSE, _SELF, "the contact's queue"),
    FactDeclaration(FactId.TOKEN_UNBOUND, _RESTRICTION, _SELF, "what your token is bound to"),
    FactDeclaration(FactId.ANOTHER_PERSON, _PURPOSE, _SELF, "the person concerned"),
    FactDeclaration(FactId.OTHER_LINE, _PURPOSE, _SELF, "the person's reporting line"),
    FactDeclaration(FactId.SAME_LINE, _PURPOSE, _SELF, "the client that both work for"),
    FactDeclaration(FactId.ADMIN_REMAINS, _RESTRICTION, _SELF, "the other administrators"),
    FactDeclaration(FactId.OWN_EMPLOYER, _RESTRICTION, _SELF, "the person's employer"),
    FactDeclaration(FactId.FEED_APART, _RESTRICTION, _SELF, "feed keys and tokens"),
    FactDeclaration(FactId.CONTACT_LIVE, _PURPOSE, _SELF, "the contact"),
    FactDeclaration(FactId.CONTACT_YOURS, _PURPOSE, _SELF, "the contact"),
    FactDeclaration(FactId.CONTACT_TALKING, _PURPOSE, _SELF, "the contact"),
    FactDeclaration(FactId.CONTACT_CONFIRMED, _PURPOSE, _SELF, "the contact"),
    FactDeclaration(FactId.NO_OUTAGE, _PURPOSE, _SELF, "the contact"),
    FactDeclaration(FactId.FEED_BEHIND, _PURPOSE, _SELF, "the contact feed"),
    FactDeclaration(FactId.OUTAGE_DECLARED, _PURPOSE, _SELF, "a declared outage"),
    FactDeclaration(FactId.CONTACT_FREE, _PURPOSE, _SELF, "the contact"),
    FactDeclaration(FactId.PROVISIONAL_ONE, _PURPOSE, _SELF, "your other provisional contact"),
    FactDeclaration(FactId.PROVISIONAL_SHIFT, _PURPOSE, _SELF, "your provisional contacts"),
    FactDeclaration(FactId.PROVISIONAL_TRUSTED, _RESTRICTION, _SELF, "your provisional contacts"),
    FactDeclaration(FactId.CONTACT_ORDINARY, _PURPOSE, _SELF, "the contact"),
    FactDeclaration(FactId.CUSTOMER_BOUND, _PURPOSE, _SELF, "the customer on this contact"),
    FactDeclaration(FactId.CUSTOMER_FOUND, _PURPOSE, _SELF, "your search in this contact"),
    FactDeclaration(FactId.REASON_OF_QUEUE, _PURPOSE, _SELF, "the reason"),
    FactDeclaration(FactId.REASON_CHANGES, _PURPOSE, _SELF, "changes of the reason"),
    FactDeclaration(FactId.REASON_NOT_WIDER, _PURPOSE, _SELF, "what the new reason shows"),
    FactDeclaration(FactId.FIELD_SET, _PURPOSE, _SELF, "the field set of the call's reason"),
    FactDeclaration(FactId.HANDLING, _PURPOSE, _SELF, "how the field may be used"),
    FactDeclaration(FactId.REASON_MASK, _PURPOSE, _SELF, "how the contract shows the field"),
    FactDeclaration(FactId.APPROVAL, _PURPOSE, _SELF, "approval"),
    FactDeclaration(FactId.CHANGE, _PURPOSE, _SELF, "how the field is changed"),
    FactDeclaration(FactId.ACTION_OF_REASON, _PURPOSE, _SELF, "what the call is about"),
    FactDeclaration(FactId.ACTION_PROVEN, _PURPOSE, _SELF, "what the caller has proven"),
    FactDeclaration(FactId.ACTION_DAY, _PURPOSE, _SELF, "this action for this customer today"),
    FactDeclaration(FactId.ACTION_PLAIN, _PURPOSE, _SELF, "how strongly the action is guarded"),
    FactDeclaration(FactId.ACTION_KEYLESS, _PURPOSE, _SELF, "how strongly the action is guarded"),
    FactDeclaration(FactId.ANSWER_SETTLED, _PURPOSE, _SELF, "how long the answer stands"),
    FactDeclaration(FactId.CUSTOMERS_HOUR, _PURPOSE, _SELF, "your customers in this hour"),
    FactDeclaration(FactId.CUSTOMERS_DAY, _PURPOSE, _SELF, "your customers today"),
    FactDeclaration(FactId.SENSITIVE_FIELDS_DAY, _PURPOSE, _SELF, "your sensitive fields today"),
    FactDeclaration(FactId.SEARCHES_DAY, _PURPOSE, _SELF, "your searches today"),
    FactDeclaration(FactId.SEARCHES_CONTACT, _PURPOSE, _SELF, "searches in this contact"),
    FactDeclaration(FactId.VERIFY_CONTACT, _PURPOSE, _SELF, "attempts in this contact"),
    FactDeclaration(FactId.VERIFY_DAY, _PURPOSE, _SELF, "attempts today"),
    FactDeclaration(FactId.CLIENT_OPEN, _RESTRICTION, _SELF, "the client's data"),
    FactDeclaration(FactId.CUSTOMER_OPEN, _RESTRICTION, Audience.SECURITY, "the customer's data"),
    FactDeclaration(FactId.CONTRACT_RULE, _PURPOSE, _SELF, "a rule of the contract"),
)

#: Facts of one group of fields; they are derived from the group and never given with the question.
OF_GROUPS: Final = frozenset(
    {
        FactId.FIELD_SET,
        FactId.HANDLING,
        FactId.REASON_MASK,
        FactId.APPROVAL,
        FactId.CHANGE,
        FactId.CONTRACT_RULE,
    }
)

#: Facts of administrative acts; no look asks them.
OF_ADMINISTRATION: Final = frozenset(
    {
        FactId.TOKEN_UNBOUND,
        FactId.ANOTHER_PERSON,
        FactId.OTHER_LINE,
        FactId.SAME_LINE,
        FactId.ADMIN_REMAINS,
        FactId.OWN_EMPLOYER,
        FactId.FEED_APART,
    }
)


def assess(
    declaration: FactDeclaration,
    standing: StandingFact | None,
    now_us: int,
    *,
    time_is_sure: bool = True,
) -> FactValue:
    """Say how well a standing fact is known now.

    Absent is unknown. Past its ``valid_until`` or its declared maximum age it is stale; a stale entitlement keeps its
    last value for the declared grace and is unknown after it, a stale fact of another kind is unknown at once. An
    absent *restriction* is none: the world of restrictions is closed. What lies in the future is unknown.
    While the clock is in doubt, so is whatever wears off.
    """
    restricts = declaration.kind is FactKind.RESTRICTION
    if standing is None:
        word = "none" if restricts else ""
        return FactValue(FactState.KNOWN if restricts else FactState.UNKNOWN, restricts, word)
    value = FactValue(
        FactState.KNOWN, standing.met, standing.value, standing.as_of_us, standing.source
    )
    over_us = _over_us(declaration, standing)
    if not time_is_sure and over_us < NEVER_US and (standing.met or not restricts):
        return value._replace(state=FactState.UNKNOWN, met=False)
    if standing.as_of_us <= now_us and (now_us < over_us or (restricts and not standing.met)):
        return value  # a restriction does not wear off by itself
    in_grace = over_us <= now_us < over_us + declaration.grace_us
    if declaration.kind is FactKind.ENTITLEMENT and in_grace:
        return value._replace(state=FactState.STALE)
    return value._replace(state=FactState.UNKNOWN, met=False)


def _over_us(declaration: FactDeclaration, standing: StandingFact) -> int:
    """When the fact stops being known: at its ``valid_until`` or its maximum age, whichever is first."""
    ends = [NEVER_US]
    if standing.valid_until_us is not None:
        ends.append(standing.valid_until_us)
    if declaration.max_age_us is not None:
        ends.append(standing.as_of_us + declaration.max_age_us)
    return min(ends)


def restriction_facts(*, customer_state: CustomerState | str | None) -> dict[FactId, FactValue]:
    """Restrictions on a customer, from our own tables; None when there is no customer to speak of.

    Whether the client is open is known when the request arrives (:mod:`holdfast.spine.decision.freezing`).
    A customer who does not exist restricts nothing: that nobody may see them follows from the contact, and reads the
    same as for a customer who was erased.
    """
    gone = customer_state is not None and customer_state != _LIVE
    return {_CUSTOMER_OPEN: _ERASED if gone else _OPEN}


# Looked up once: a member of an enumeration costs as much as the fact that it goes into.
_LIVE: Final = CustomerState.LIVE
_CUSTOMER_OPEN: Final = FactId.CUSTOMER_OPEN
_OPEN: Final = FactValue(FactState.KNOWN, met=True, value="open")
_ERASED: Final = FactValue(FactState.KNOWN, met=False, value="erased")
