"""Administrative acts: what somebody does to the house itself, or to who may see what (SPINE 12)."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Act(StrEnum):
    """All acts, in one enumeration. ``guards/administration.cedar`` says which role may do which."""

    # persons and employers
    EMPLOYER_ADD = "employer.add"
    EMPLOYER_LIST = "employer.list"
    PERSON_ADD = "person.add"
    PERSON_ASSIGN = "person.assign"
    PERSON_UNASSIGN = "person.unassign"
    PERSON_ROLES = "person.roles"
    PERSON_LINE = "person.line"  # who leads whom
    PERSON_SUSPEND = "person.suspend"
    PERSON_RESTORE = "person.restore"
    PERSON_LEAVE = "person.leave"
    PERSON_BADGE = "person.badge"  # say that a leaver's badge was taken back
    PERSON_LIST = "person.list"
    # credentials
    TOKEN_PERSON = "token.create_person"
    TOKEN_SERVICE = "token.create_service"
    TOKEN_REVOKE = "token.revoke"
    TOKEN_REVOKE_FOUND = "token.revoke_found"  # by who holds its secret
    TOKEN_STEP_UP = "token.step_up"
    TOKEN_LIST = "token.list"
    # signing in to the console
    FACTOR_INVITE = "factor.invite"  # a link by which somebody enrols their first factor
    FACTOR_ENROL = "factor.enrol"
    FACTOR_REMOVE = "factor.remove"
    SESSION_LIST = "session.list"
    SESSION_LIFT = "session.lift"  # show a factor again, for a step-up
    SESSION_END = "session.end"
    # feeds
    FEED_ADD = "feed.add"
    FEED_KEY_ADD = "feed.key_add"
    FEED_KEY_RETIRE = "feed.key_retire"
    FEED_PUSH = "feed.push"  # with the house's own copy of a key
    FEED_LIST = "feed.list"
    # clients and their data
    CLIENT_ADD = "client.add"
    CLIENT_LIST = "client.list"
    CLIENT_UNFREEZE = "client.unfreeze"  # by the house; a user of the client does it without
    CLIENT_SHRED = "client.shred"
    CONTRACT_PUBLISH = "contract.publish"
    CONTRACT_READ = "contract.read"
    DECISIONS_COMPARE = "decisions.compare"  # opening many, to judge them by another contract
    COLLECTION_ADD = "collection.add"
    COLLECTION_LIST = "collection.list"
    IMPORT = "import"
    EXPORT = "export"
    EXPORT_FETCH = "export.fetch"
    EXPORT_LIST = "export.list"
    CUSTOMER_FIND = "customer.find"
    CUSTOMER_SHRED = "customer.shred"
    HOLD_PLACE = "hold.place"
    HOLD_LIFT = "hold.lift"
    HOLD_LIST = "hold.list"
    HOLD_OPEN = "hold.open"  # what was kept of an erased customer
    LOG_EXPORT = "log.export"
    LOG_READ = "log.read"  # by its timeline and tally
    # exceptions
    OUTAGE_DECLARE = "outage.declare"
    OUTAGE_END = "outage.end"
    OUTAGE_LIST = "outage.list"
    PROVISIONAL_LIST = "provisional.list"
    PROVISIONAL_CLEAR = "provisional.clear"  # a contact that no feed confirmed
    # what runs by itself
    STREAM_LIST = "stream.list"
    STREAM_RETRY = "stream.retry"
    STREAM_REBUILD = "stream.rebuild"
    JOB_LIST = "job.list"
    JOB_RETRY = "job.retry"
    # the house
    BACKUP = "backup"
    RESTORE = "restore"
    MOVE = "move"  # to another storage
    CLOCK_CONFIRM = "clock.confirm"
    PERMIT_KEY_ROTATE = "permit_key.rotate"


#: Names that a contract may list under ``[administration] second_person``, and the acts that each means.
SECOND_PERSON: Final[dict[str, frozenset[Act]]] = {
    "assignment": frozenset({Act.PERSON_ASSIGN}),
    "collection": frozenset({Act.COLLECTION_ADD}),
    "feed": frozenset({Act.FEED_ADD}),
    "feed_key": frozenset({Act.FEED_KEY_ADD}),
    "import": frozenset({Act.IMPORT}),
    "log_export": frozenset({Act.LOG_EXPORT}),
    "restoration": frozenset({Act.PERSON_RESTORE}),
    "roles": frozenset({Act.PERSON_ROLES}),
    "shred": frozenset({Act.CUSTOMER_SHRED}),
    "token": frozenset({Act.TOKEN_PERSON, Act.TOKEN_SERVICE, Act.FACTOR_INVITE}),
}

#: Acts that need a client's keys or let somebody reach it: there is nothing to do once it was erased.
NOT_WHEN_ERASED: Final = frozenset(
    {
        Act.PERSON_ASSIGN,
        Act.TOKEN_STEP_UP,
        Act.FEED_ADD,
        Act.FEED_KEY_ADD,
        Act.FEED_PUSH,
        Act.CLIENT_ADD,
        Act.CLIENT_UNFREEZE,
        Act.CONTRACT_PUBLISH,
        Act.COLLECTION_ADD,
        Act.IMPORT,
        Act.EXPORT,
        Act.CUSTOMER_FIND,
        Act.CUSTOMER_SHRED,
        Act.HOLD_PLACE,
        Act.HOLD_OPEN,
        Act.OUTAGE_DECLARE,
    }
)
