"""Names of what is odd enough to be told: they stand in ``signal.raised`` leaves. The grammar is ``<noun>.<what>``."""

from __future__ import annotations

from enum import StrEnum


class Signal(StrEnum):
    """All signals, in one enumeration."""

    # feeds
    FEED_OUT_OF_SCOPE = "feed.out_of_scope"  # it spoke for another client, type, programme or site
    FEED_MALFORMED = "feed.malformed"
    FEED_UNKNOWN_NAME = "feed.unknown_name"  # of a queue, reason, person or kind of identifier
    FEED_UNTIMELY = "feed.untimely"  # too late or too early to open a right
    FEED_ID_REUSED = "feed.id_reused"  # another event under an id that was taken in
    # approvals
    APPROVAL_PAIR = "approval.pair"  # one approver gave half or more of a person's approvals
    # signing in
    PASSKEY_COPIED = "passkey.copied"  # its counter did not grow: a copy of the key is in use
    # the desk
    DESK_COPIED = "desk.copied"  # somebody copied from a caller's card
    DESK_PRINTED = "desk.printed"
    REPORT_MADE = "report.made"  # somebody told of something odd
    # the client
    FREEZE_REFUSED = "freeze.refused"  # somebody tried to freeze, confirm or lift who may not
    # the machine
    CREDENTIAL_REFUSED = "credential.refused"  # requests without a valid one, counted by the minute
    DISK_LOW = "disk.low"  # no imports; the count is the share that is free, per cent
    DISK_FULL = "disk.full"  # denials and erasures only
    CLOCK_STEPPED = "clock.stepped"  # the count is by how many seconds
    STREAM_PARKED = "stream.parked"  # a subscriber of the logs could not take a leaf
    STREAM_STOPPED = "stream.stopped"  # the log is not the one that a subscriber has followed
    GLASS_OPENED = "glass.opened"  # somebody looks without a contact, in an emergency
    # contacts
    PROVISIONAL_UNRECONCILED = "provisional.unreconciled"  # no feed confirmed it
    CONTACT_IDENTIFIERS_DIFFER = (
        "contact.identifiers_differ"  # feeds named two customers, or another than was verified
    )
    # actions
    ACT_NO_OUTCOME = "act.no_outcome"  # a target system never said what became of a permit
    ACT_PERMIT_REUSED = "act.permit_reused"  # a permit came back a second time, or too late
