"""What each type of leaf means for a store that was put back from before it."""

from __future__ import annotations

import json
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from holdfast.kit.clock import parse_rfc3339
from holdfast.kit.errors import IntegrityBroken
from holdfast.vocabulary.leaves import LeafType

if TYPE_CHECKING:
    from collections.abc import Mapping


class Means(Enum):
    """What is done with a leaf of the gap."""

    ERASES = "erases"  # the customer's keys are destroyed again
    NARROWS = "narrows"  # done again
    LISTED = "listed"  # it widened, or brought data in: not done again, and told to the operator
    SPENDS = "spends"  # its budget and its attempts count as used
    NOTHING = "nothing"  # a record of something that is over


# A type that does not stand here is LISTED: what nobody has thought about is not done again.
MEANING: Final[Mapping[LeafType, Means]] = {
    LeafType.HOUSE_FOUNDED: Means.NOTHING,
    LeafType.CLIENT_ADDED: Means.LISTED,
    LeafType.CONTRACT_PUBLISHED: Means.NARROWS,
    LeafType.CLIENT_FROZEN: Means.NARROWS,
    LeafType.CLIENT_FREEZE_CONFIRMED: Means.NARROWS,
    LeafType.CLIENT_UNFROZEN: Means.LISTED,
    LeafType.COLLECTION_ADDED: Means.NARROWS,
    LeafType.RECORDS_IMPORTED: Means.NOTHING,  # its end is listed
    LeafType.IMPORT_FINISHED: Means.LISTED,
    LeafType.RECORD_UPDATED: Means.LISTED,
    LeafType.EMPLOYER_ADDED: Means.LISTED,
    LeafType.PERSON_ADDED: Means.LISTED,
    LeafType.PERSON_ROLES_CHANGED: Means.NARROWS,
    LeafType.PERSON_ASSIGNED: Means.NARROWS,
    LeafType.PERSON_UNASSIGNED: Means.NARROWS,
    LeafType.PERSON_SUSPENDED: Means.NARROWS,
    LeafType.PERSON_RESTORED: Means.LISTED,
    LeafType.PERSON_LEFT: Means.NARROWS,
    LeafType.PERSON_BADGE_RETURNED: Means.NOTHING,
    LeafType.PERSON_LINE_CHANGED: Means.LISTED,
    LeafType.TOKEN_CREATED: Means.LISTED,
    LeafType.TOKEN_REVOKED: Means.NARROWS,
    LeafType.TOKEN_STEPPED_UP: Means.NOTHING,
    LeafType.FACTOR_INVITED: Means.NOTHING,  # a link lasts a quarter of an hour
    LeafType.FACTOR_ENROLLED: Means.LISTED,
    LeafType.FACTOR_REMOVED: Means.LISTED,  # it is there again: to be removed by hand
    LeafType.SESSION_OPENED: Means.NOTHING,
    LeafType.SESSION_LIFTED: Means.NOTHING,
    LeafType.SESSION_ENDED: Means.NARROWS,
    LeafType.FEED_ADDED: Means.LISTED,
    LeafType.FEED_KEY_ADDED: Means.LISTED,
    LeafType.FEED_KEY_RETIRED: Means.NARROWS,
    LeafType.FEED_PUSHED: Means.NOTHING,
    LeafType.CONTACT_BOUND: Means.NOTHING,
    LeafType.CONTACT_REBOUND: Means.NOTHING,
    LeafType.REASON_CHANGED: Means.NOTHING,
    LeafType.PROVISIONAL_OPENED: Means.NARROWS,
    LeafType.PROVISIONAL_RECONCILED: Means.NARROWS,
    LeafType.PROVISIONAL_UNRECONCILED: Means.NARROWS,
    LeafType.PROVISIONAL_CLEARED: Means.LISTED,
    LeafType.OUTAGE_DECLARED: Means.LISTED,
    LeafType.OUTAGE_ENDED: Means.NARROWS,
    LeafType.DECISION_MADE: Means.SPENDS,
    LeafType.DECISION_READ: Means.NOTHING,
    LeafType.DECISION_EVALUATED: Means.NOTHING,
    LeafType.EXPORT_REQUESTED: Means.LISTED,
    LeafType.EXPORT_FINISHED: Means.NOTHING,
    LeafType.EXPORT_FAILED: Means.NOTHING,
    LeafType.EXPORT_FETCHED: Means.NOTHING,
    LeafType.EXPORT_EXPIRED: Means.NOTHING,
    LeafType.POLICY_COMPARED: Means.NOTHING,
    LeafType.ACTION_PERMITTED: Means.NOTHING,  # a permit lasts a minute
    LeafType.ACTION_REPORTED: Means.LISTED,  # what was changed elsewhere is not known here any more
    LeafType.APPROVAL_REQUESTED: Means.NOTHING,
    LeafType.APPROVAL_DECIDED: Means.NOTHING,
    LeafType.GLASS_OPENED: Means.LISTED,
    LeafType.GLASS_CLOSED: Means.NOTHING,  # none is open after a restoration
    LeafType.ADMINISTRATION_REFUSED: Means.NOTHING,
    LeafType.CUSTOMER_FOUND: Means.NOTHING,
    LeafType.SHRED_REQUESTED: Means.ERASES,
    LeafType.SHRED_DONE: Means.ERASES,
    LeafType.HOLD_PLACED: Means.NARROWS,  # put back, so that an erasure of the gap keeps what it kept
    LeafType.HOLD_KEPT: Means.NOTHING,  # the erasure keeps it when it is done again
    LeafType.HOLD_OPENED: Means.NOTHING,
    LeafType.HOLD_LIFTED: Means.NARROWS,
    LeafType.HOLD_EXPIRED: Means.NARROWS,
    LeafType.CLIENT_SHRED_REQUESTED: Means.ERASES,
    LeafType.CLIENT_SHREDDED: Means.ERASES,
    LeafType.LOG_EXPORTED: Means.NOTHING,
    LeafType.LOG_RESTORED: Means.NOTHING,
    LeafType.BACKUP_MADE: Means.NOTHING,
    LeafType.HOUSE_MOVED: Means.NOTHING,
    LeafType.CLOCK_CONFIRMED: Means.NOTHING,
    LeafType.PERMIT_KEY_ROTATED: Means.NOTHING,  # the keys stand in no database
    LeafType.SIGNAL_RAISED: Means.NOTHING,
}
_ALSO_LISTED: Final = frozenset(
    (
        LeafType.CONTRACT_PUBLISHED,
        LeafType.HOLD_PLACED,
        LeafType.COLLECTION_ADDED,
        LeafType.PERSON_ROLES_CHANGED,
        LeafType.PERSON_ASSIGNED,
    )
)


def meaning_of(leaf: Mapping[str, Any]) -> Means:
    """What is done with a leaf."""
    try:
        return MEANING.get(LeafType(leaf["type"]), Means.LISTED)
    except ValueError:
        return Means.LISTED


def is_listed(leaf: Mapping[str, Any]) -> bool:
    """Whether the operator is told of it: it widened something, wholly or in part, or brought data in."""
    return meaning_of(leaf) is Means.LISTED or leaf["type"] in _ALSO_LISTED


def time_of(entry: bytes) -> int:
    """The time of a leaf, microseconds; :class:`IntegrityBroken` when it has none."""
    try:
        return parse_rfc3339(json.loads(entry)["time"])
    except (ValueError, KeyError, TypeError):
        raise IntegrityBroken("an entry of a log has no time") from None
