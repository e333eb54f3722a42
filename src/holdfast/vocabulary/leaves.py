# size: a catalogue; every type of leaf stands in this one place
"""Leaf types: what may stand in a log, with which fields, and who reads it (SPINE 27, 28, 29).

A leaf is canonical JSON of strings, integers, booleans and flat maps of them. It holds no personal data and no free
text: persons, customers and contacts appear as per-log references, digests as salted commitments. The grammar of a
type is ``<noun>.<past participle>``.
"""

# size: one table of all types; each entry is read on its own
from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from holdfast.kit.canonical import canonical_json
from holdfast.kit.clock import rfc3339

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION: Final = 1


class LeafType(StrEnum):
    """All types, in one enumeration."""

    HOUSE_FOUNDED = "house.founded"
    CLIENT_ADDED = "client.added"
    CONTRACT_PUBLISHED = "contract.published"
    CLIENT_FROZEN = "client.frozen"
    CLIENT_FREEZE_CONFIRMED = "client.freeze_confirmed"
    CLIENT_UNFROZEN = "client.unfrozen"
    POLICY_COMPARED = "policy.compared"
    COLLECTION_ADDED = "collection.added"
    RECORDS_IMPORTED = "records.imported"
    IMPORT_FINISHED = "import.finished"
    RECORD_UPDATED = "record.updated"
    ACTION_PERMITTED = "action.permitted"
    ACTION_REPORTED = "action.reported"
    EXPORT_REQUESTED = "export.requested"
    EXPORT_FINISHED = "export.finished"
    EXPORT_FAILED = "export.failed"
    EXPORT_FETCHED = "export.fetched"
    EXPORT_EXPIRED = "export.expired"
    EMPLOYER_ADDED = "employer.added"
    PERSON_ADDED = "person.added"
    PERSON_ROLES_CHANGED = "person.roles_changed"
    PERSON_ASSIGNED = "person.assigned"
    PERSON_UNASSIGNED = "person.unassigned"
    PERSON_SUSPENDED = "person.suspended"
    PERSON_RESTORED = "person.restored"
    PERSON_LEFT = "person.left"
    PERSON_BADGE_RETURNED = "person.badge_returned"
    PERSON_LINE_CHANGED = "person.line_changed"
    TOKEN_CREATED = "token.created"
    TOKEN_REVOKED = "token.revoked"
    TOKEN_STEPPED_UP = "token.stepped_up"
    FACTOR_INVITED = "factor.invited"
    FACTOR_ENROLLED = "factor.enrolled"
    FACTOR_REMOVED = "factor.removed"
    SESSION_OPENED = "session.opened"
    SESSION_LIFTED = "session.lifted"
    SESSION_ENDED = "session.ended"
    FEED_ADDED = "feed.added"
    FEED_KEY_ADDED = "feed.key_added"
    FEED_KEY_RETIRED = "feed.key_retired"
    FEED_PUSHED = "feed.pushed"
    CONTACT_BOUND = "contact.bound"
    CONTACT_REBOUND = "contact.rebound"
    REASON_CHANGED = "reason.changed"
    PROVISIONAL_OPENED = "provisional.opened"
    PROVISIONAL_RECONCILED = "provisional.reconciled"
    PROVISIONAL_UNRECONCILED = "provisional.unreconciled"
    PROVISIONAL_CLEARED = "provisional.cleared"
    OUTAGE_DECLARED = "outage.declared"
    OUTAGE_ENDED = "outage.ended"
    DECISION_MADE = "decision.made"
    DECISION_EVALUATED = "decision.evaluated"
    DECISION_READ = "decision.read"
    APPROVAL_REQUESTED = "approval.requested"
    APPROVAL_DECIDED = "approval.decided"
    ADMINISTRATION_REFUSED = "administration.refused"
    GLASS_OPENED = "glass.opened"
    GLASS_CLOSED = "glass.closed"
    CUSTOMER_FOUND = "customer.found"
    SHRED_REQUESTED = "shred.requested"
    SHRED_DONE = "shred.done"
    HOLD_PLACED = "hold.placed"
    HOLD_KEPT = "hold.kept"
    HOLD_OPENED = "hold.opened"
    HOLD_LIFTED = "hold.lifted"
    HOLD_EXPIRED = "hold.expired"
    CLIENT_SHRED_REQUESTED = "client.shred_requested"
    CLIENT_SHREDDED = "client.shredded"
    LOG_EXPORTED = "log.exported"
    LOG_RESTORED = "log.restored"
    BACKUP_MADE = "backup.made"
    HOUSE_MOVED = "house.moved"
    CLOCK_CONFIRMED = "clock.confirmed"
    PERMIT_KEY_ROTATED = "permit_key.rotated"
    SIGNAL_RAISED = "signal.raised"


#: Who may read a log's files (``spine.decisions.may_read_log``).
READERS: Final[Mapping[str, str]] = {
    "client": "the client's own users, its services, its auditors, and the house's overseers"
    " (security, data protection, administration, audit)",
    "house": "the house's overseers, no client",
}


@dataclass(frozen=True, slots=True)
class LeafSpec:
    """What a type promises its readers."""

    meaning: str
    log: str  # "client", "house" or "both"
    fields: Mapping[str, str]  # field → what it says

    @property
    def readers(self) -> str:
        """Who may read it: those who may read the logs that it stands in."""
        logs = ("client", "house") if self.log == "both" else (self.log,)
        return "; ".join(f"in the {log}'s log {READERS[log]}" for log in logs)


_BY = {"by": "reference of the person who did it, or of the token of the directory that did"}
_IN_LOG = "reference of the credential in this log; in the house's log its id"
SPECS: Final[dict[LeafType, LeafSpec]] = {
    LeafType.HOUSE_FOUNDED: LeafSpec(
        "The house was set up.", "house", {**_BY, "version": "of Holdfast"}
    ),
    LeafType.CLIENT_ADDED: LeafSpec(
        "A client was taken on.",
        "both",
        {**_BY, "client": "id of the client", "vkey": "key by which this log is signed"},
    ),
    LeafType.CONTRACT_PUBLISHED: LeafSpec(
        "A version of the contract, and the policies compiled from it, took effect.",
        "client",
        {
            **_BY,
            "contract": "commitment to contract.toml",
            "contract_version": "number",
            "policies": "digest of the compiled policy set",
            "signed": "whether the client signed it",
            "changes": "what it changes: list of kind|where|what, kind being wider, narrower or other; 64 at most",
            "second": "reference of the second person who approved it, or empty",
        },
    ),
    LeafType.CLIENT_FROZEN: LeafSpec(
        "The client's data was frozen: from here every look, search, check, change and import is refused.",
        "client",
        {
            **_BY,
            "reason": "incident, misuse, dispute, drill or unspecified",
            "until": "time at which it ends unless a second user of the client confirms it",
        },
    ),
    LeafType.CLIENT_FREEZE_CONFIRMED: LeafSpec(
        "A second user of the client confirmed the freeze: it stands until it is lifted.",
        "client",
        {**_BY},
    ),
    LeafType.CLIENT_UNFROZEN: LeafSpec(
        "The freeze was lifted.",
        "client",
        {
            **_BY,
            "second": "reference of the second person, where the house lifted it, or empty",
            "by_house": "whether persons of the house lifted it, not a user of the client",
        },
    ),
    LeafType.POLICY_COMPARED: LeafSpec(
        "Past decisions were opened and judged again by a contract that may come.",
        "client",
        {
            **_BY,
            "decisions": "number opened",
            "since": "time from which on",
            "policies": "digest of the policy set compared with",
            "changed": "number that would come out otherwise",
        },
    ),
    LeafType.COLLECTION_ADDED: LeafSpec(
        "A collection was declared or changed.",
        "client",
        {**_BY, "collection": "name", "schema": "digest of the schema", "schema_version": "number"},
    ),
    LeafType.RECORDS_IMPORTED: LeafSpec(
        "A batch of records was written to the vault.",
        "client",
        {
            **_BY,
            "collection": "name",
            "operation": "id of the import",
            "new": "count",
            "changed": "count",
            "manifests": "commitment to the list of record manifests written",
        },
    ),
    LeafType.IMPORT_FINISHED: LeafSpec(
        "An import came to its end.",
        "client",
        {
            **_BY,
            "collection": "name",
            "operation": "id of the import",
            "new": "count",
            "changed": "count",
            "unchanged": "count",
            "rejected": "count",
            "suppressed": "count of rows of erased customers, not imported",
        },
    ),
    LeafType.RECORD_UPDATED: LeafSpec(
        "Fields of one record were changed under a decision.",
        "client",
        {
            "decision": "id",
            "customer": "reference",
            "collection": "name",
            "fields": "names changed",
            "manifests": "commitment to the new manifests",
        },
    ),
    LeafType.ACTION_PERMITTED: LeafSpec(
        "An action on a customer was permitted: a target system may do it once, within a minute.",
        "client",
        {
            "decision": "id",
            "act": "id of the permit",
            "action": "id in the contract",
            "target": "the system that may do it; empty when the vault alone is changed",
            "customer": "reference",
            "proof": "ids of the decisions that verified the caller",
            "permit": "SHA-256 of the permit, which holds a random salt; empty without a target",
            "expires": "time",
        },
    ),
    LeafType.ACTION_REPORTED: LeafSpec(
        "A target system said what became of a permitted action.",
        "client",
        {
            "act": "id of the permit",
            "outcome": "claimed, done, failed or not_done",
            "token": "reference of the service's credential in this log",
        },
    ),
    LeafType.EXPORT_REQUESTED: LeafSpec(
        "Records are to leave the house in a file that one recipient can open.",
        "client",
        {
            **_BY,
            "second": "reference of the person who approved it",
            "export": "id",
            "declared": "id of the export in the contract",
            "collection": "name",
            "fields": "field → clear or masked",
            "recipient": "id in the contract",
            "key": "SHA-256 of the recipient's public key",
            "reason": "id in the contract",
            "count": "number of records",
            "customers": "commitment to the list of customers; empty for all",
            "expires": "time at which the file is deleted",
        },
    ),
    LeafType.EXPORT_FINISHED: LeafSpec(
        "The file of an export was written.",
        "client",
        {"export": "id", "count": "number of records", "file": "commitment to its SHA-256"},
    ),
    LeafType.EXPORT_FAILED: LeafSpec(
        "An export came to nothing; no file is left of it.",
        "client",
        {"export": "id", "reason": "id of the rule that refused it, or a code"},
    ),
    LeafType.EXPORT_FETCHED: LeafSpec(
        "Somebody took the sealed file of an export.",
        "client",
        {**_BY, "export": "id"},
    ),
    LeafType.EXPORT_EXPIRED: LeafSpec(
        "The file of an export was deleted.", "client", {"export": "id"}
    ),
    LeafType.EMPLOYER_ADDED: LeafSpec(
        "An employer of persons was added.", "house", {**_BY, "employer": "id"}
    ),
    LeafType.PERSON_ADDED: LeafSpec(
        "A person joined.",
        "house",
        {**_BY, "person": "reference", "employer": "id", "roles": "list"},
    ),
    LeafType.PERSON_ROLES_CHANGED: LeafSpec(
        "A person has other roles in the house; those of assignments stay as they are.",
        "both",
        {**_BY, "person": "reference", "roles": "list"},
    ),
    LeafType.PERSON_ASSIGNED: LeafSpec(
        "A person was assigned to a programme of the client.",
        "both",
        {
            **_BY,
            "person": "reference",
            "client": "id",
            "programme": "id",
            "queues": "list; empty is every queue of the programme",
            "roles": "list",
            "employer": "id of the person's employer",
            "starts": "time",
            "ends": "time or empty",
        },
    ),
    LeafType.PERSON_UNASSIGNED: LeafSpec(
        "An assignment ended.",
        "both",
        {**_BY, "person": "reference", "client": "id", "programme": "id"},
    ),
    LeafType.PERSON_SUSPENDED: LeafSpec(
        "A person was suspended; their tokens are refused from here on.",
        "both",
        {**_BY, "person": "reference"},
    ),
    LeafType.PERSON_RESTORED: LeafSpec(
        "A suspension ended.", "both", {**_BY, "person": "reference"}
    ),
    LeafType.PERSON_LEFT: LeafSpec(
        "A person left; assignments ended and tokens were revoked with it.",
        "both",
        {**_BY, "person": "reference"},
    ),
    LeafType.PERSON_BADGE_RETURNED: LeafSpec(
        "The badge of a person who left was taken back.",
        "house",
        {**_BY, "person": "reference"},
    ),
    LeafType.PERSON_LINE_CHANGED: LeafSpec(
        "A person reports to another lead; who approves for whom may follow from it.",
        "both",
        {**_BY, "person": "reference", "lead": "reference of the lead or empty"},
    ),
    LeafType.TOKEN_CREATED: LeafSpec(
        "A credential was issued.",
        "both",
        {
            **_BY,
            "token": _IN_LOG,
            "person": "reference or empty",
            "service": "name or empty",
            "scopes": "list of what a service may do with it",
            "bound": "list of what it is bound to: certificate, client, device, key, networks, service",
            "expires": "time",
        },
    ),
    LeafType.TOKEN_REVOKED: LeafSpec(
        "A credential was revoked.",
        "both",
        {**_BY, "token": _IN_LOG},
    ),
    LeafType.TOKEN_STEPPED_UP: LeafSpec(
        "A short-lived second token was issued for a challenge.",
        "both",
        {
            **_BY,
            "token": _IN_LOG,
            "person": "reference of whom it lets see more",
            "client": "id",
            "challenge": "id",
            "expires": "time",
        },
    ),
    LeafType.FACTOR_INVITED: LeafSpec(
        "Somebody got a link by which they enrol a first factor to sign in with, once.",
        "both",
        {
            **_BY,
            "person": "reference of whose factor it will be",
            "bound": "list of what the link is bound to: networks",
            "expires": "time",
        },
    ),
    LeafType.FACTOR_ENROLLED: LeafSpec(
        "A factor to sign in with was enrolled.",
        "both",
        {
            **_BY,
            "person": "reference of whose factor it is",
            "method": "passkey-device-bound, passkey-synced, totp or recovery-code",
            "invited": "whether by a link, and so without another factor",
        },
    ),
    LeafType.FACTOR_REMOVED: LeafSpec(
        "A factor to sign in with was removed.",
        "both",
        {
            **_BY,
            "person": "reference of whose factor it was",
            "method": "passkey-device-bound, passkey-synced, totp or recovery-code",
        },
    ),
    LeafType.SESSION_OPENED: LeafSpec(
        "Somebody signed in to the console.",
        "both",
        {
            **_BY,
            "token": "what this log calls the session",
            "method": "how: passkey-device-bound, passkey-synced, totp, recovery-code or sso:…",
            "ends": "time at which it ends at the latest",
        },
    ),
    LeafType.SESSION_LIFTED: LeafSpec(
        "Somebody confirmed in their session that it is they, for a challenge.",
        "both",
        {
            **_BY,
            "token": "what this log calls the session",
            "method": "how",
            "client": "id",
            "challenge": "id",
            "expires": "time",
        },
    ),
    LeafType.SESSION_ENDED: LeafSpec(
        "A session of the console was ended: signed out, or cut off.",
        "both",
        {**_BY, "token": "what this log calls the session", "person": "reference of whose it was"},
    ),
    LeafType.FEED_ADDED: LeafSpec(
        "A feed was registered.",
        "client",
        {**_BY, "feed": "name", "types": "list", "programmes": "list"},
    ),
    LeafType.FEED_KEY_ADDED: LeafSpec(
        "A feed got a signing key.", "client", {**_BY, "feed": "name", "kid": "key id"}
    ),
    LeafType.FEED_KEY_RETIRED: LeafSpec(
        "A feed's signing key was retired.", "client", {**_BY, "feed": "name", "kid": "key id"}
    ),
    LeafType.FEED_PUSHED: LeafSpec(
        "Somebody of the house took its own copy of a feed's key, to sign events that no telephone system told.",
        "client",
        {**_BY, "feed": "name", "kid": "key id"},
    ),
    LeafType.CONTACT_BOUND: LeafSpec(
        "A contact was bound to a customer.",
        "client",
        {
            "contact": "reference",
            "customer": "reference",
            "how": "feed, verified, or verified under a provisional or outage contact",
            "decision": "id or empty",
        },
    ),
    LeafType.CONTACT_REBOUND: LeafSpec(
        "A contact was bound to another customer; it happens once at most.",
        "client",
        {"contact": "reference", "customer": "reference", "decision": "id"},
    ),
    LeafType.REASON_CHANGED: LeafSpec(
        "An agent changed a contact's reason; it happens once at most.",
        "client",
        {
            "contact": "reference",
            "decision": "id",
            "reason": "id",
            "widened": "whether the field set grew",
        },
    ),
    LeafType.PROVISIONAL_OPENED: LeafSpec(
        "A person opened a contact that no feed had told yet.",
        "client",
        {
            "provisional": "id",
            "basis": "provisional or outage",
            "decision": "id",
            "contact": "reference",
            "person": "reference",
            "queue": "id",
            "cause": "late, silent, offered, or the id of the outage",
            "until": "time",
        },
    ),
    LeafType.PROVISIONAL_RECONCILED: LeafSpec(
        "A feed confirmed a provisional or outage contact: the same contact, person and customer, at that time.",
        "client",
        {"provisional": "id", "contact": "reference", "person": "reference", "event": "time"},
    ),
    LeafType.PROVISIONAL_UNRECONCILED: LeafSpec(
        "No feed confirmed a provisional contact in time; its person opens no other until somebody has looked at it.",
        "client",
        {
            "provisional": "id",
            "contact": "reference",
            "person": "reference",
            "looked": "whether a customer was found under it",
        },
    ),
    LeafType.PROVISIONAL_CLEARED: LeafSpec(
        "A lead of another line looked at an unconfirmed contact and cleared it.",
        "client",
        {**_BY, "provisional": "id", "person": "reference"},
    ),
    LeafType.OUTAGE_DECLARED: LeafSpec(
        "Two people declared that the contact feed is down: contacts may be opened without it, with half the budgets.",
        "client",
        {
            **_BY,
            "second": "reference of the person who approved it",
            "outage": "id",
            "reason": "feed_down, network or maintenance",
            "until": "time",
        },
    ),
    LeafType.OUTAGE_ENDED: LeafSpec(
        "An outage ended.",
        "client",
        {
            "by": "reference of the person who ended it; empty when its time was over",
            "outage": "id",
            "contacts": "count of contacts opened in it",
            "reconciled": "count of those that a feed has confirmed",
            "unreconciled": "count of those that no feed has confirmed",
        },
    ),
    LeafType.DECISION_MADE: LeafSpec(
        "A look was permitted or refused.",
        "both",
        {
            "decision": "id under which the answer is known; another than the leaf's when a request was repeated",
            "op": "operation",
            "outcome": "permit, partial, step_up, approval or deny",
            "person": "reference",
            "token": "reference of the credential in this log",
            "service": "reference of the credential of the service that asked on the person's behalf, or empty",
            "level": "authentication level",
            "contact": "reference or empty",
            "basis": "what the contact rests on: feed, provisional, outage, or empty without a contact of the person",
            "customers": "references; several for the hits of a search",
            "collection": "name or empty",
            "fields": "field → how it was shown",
            "rules": "ids of the rules that refused or limited it; `client.frozen_exempt` where it went on in a freeze",
            "policies": "digest of the policy set",
            "record": "commitment to the sealed decision record",
            "count": "number of equal refusals folded into this leaf, or 1",
            "approval": "id of the approval that was used up with it or, where `op` is approve, looked at; or empty",
            "glass": "id of the break-glass under which it was, or empty",
        },
    ),
    LeafType.DECISION_EVALUATED: LeafSpec(
        "A system of the client's asked for decisions by the contract's [[pdp]] rules; the vault was not touched.",
        "client",
        {
            "token": "reference of the service's credential in this log",
            "asked": "number of decisions",
            "permitted": "how many of them were permits",
            "policies": "digest of the policy set",
        },
    ),
    LeafType.DECISION_READ: LeafSpec(
        "Somebody read another person's decision.",
        "client",
        {"decision": "id", "person": "reference"},
    ),
    LeafType.APPROVAL_REQUESTED: LeafSpec(
        "A second person's approval was asked for.",
        "both",
        {
            "approval": "id",
            "kind": "look, act, attempt, administer or glass",
            "op": "operation, or name of the act",
            "person": "reference of who asks",
            "contact": "reference or empty",
            "customer": "reference or empty",
            "collection": "name or empty",
            "fields": "field → how it is to be shown, or the act's parameters",
            "decision": "id of the decision that asked for it, or empty",
            "subject": "commitment to what exactly is to be approved",
            "expires": "time until which it can be decided",
        },
    ),
    LeafType.APPROVAL_DECIDED: LeafSpec(
        "A second person granted or refused it.",
        "both",
        {
            "approval": "id",
            "kind": "look, act, attempt, administer or glass",
            "outcome": "granted or refused",
            "person": "reference of the approver",
            "requester": "reference of who asked",
            "share": "percent of the requester's approvals in this shift (12 hours) that this approver gave",
            "of": "number of the requester's approvals in this shift",
            "expires": "time until which it can be used; when refused, the time of the refusal",
        },
    ),
    LeafType.ADMINISTRATION_REFUSED: LeafSpec(
        "Somebody tried an administrative act and was refused. Nothing was changed.",
        "both",
        {
            **_BY,
            "act": "id of the act",
            "rules": "ids of the rules that refused it",
            "count": "number of equal refusals in this hour so far; told at 1, 2, 4, 8 and so on",
        },
    ),
    LeafType.GLASS_OPENED: LeafSpec(
        "Somebody may look without a contact for a short while, in an emergency; a second person approved.",
        "client",
        {
            "glass": "id; each look's line carries it",
            "approval": "id",
            "person": "reference of who may look",
            "second": "reference of who approved",
            "reason": "code",
            "call": "id of the reason whose field set is shown",
            "customers": "most different customers",
            "until": "time",
        },
    ),
    LeafType.GLASS_CLOSED: LeafSpec(
        "A break-glass was ended before its time.",
        "client",
        {"glass": "id", "person": "reference of who ended it", "customers": "number looked at"},
    ),
    LeafType.CUSTOMER_FOUND: LeafSpec(
        "Somebody of the house asked which customer has a number of the client's; no field was shown.",
        "client",
        {**_BY, "customer": "reference, or empty where no live customer has it"},
    ),
    LeafType.SHRED_REQUESTED: LeafSpec(
        "A customer's erasure was ordered; from here every look is refused.",
        "client",
        {**_BY, "customer": "reference", "operation": "id"},
    ),
    LeafType.SHRED_DONE: LeafSpec(
        "A customer's keys were destroyed and a byte scan of the stores found none of them.",
        "client",
        {
            "customer": "reference",
            "operation": "id",
            "records": "count",
            "classes": "list",
            "erased": "time",
        },
    ),
    LeafType.HOLD_PLACED: LeafSpec(
        "Because of an incident, an erasure of the customer is to keep what it takes to tell them of it.",
        "client",
        {
            **_BY,
            "hold": "id",
            "customer": "reference",
            "incident": "code of the incident",
            "until": "time",
        },
    ),
    LeafType.HOLD_KEPT: LeafSpec(
        "A customer is erased under a hold: these fields, and nothing else, are kept sealed under a key of their own.",
        "client",
        {
            "hold": "id",
            "customer": "reference",
            "incident": "code of the incident",
            "operation": "id of the erasure",
            "fields": "list of collection.field",
            "until": "time at which they are destroyed, too",
        },
    ),
    LeafType.HOLD_OPENED: LeafSpec(
        "What was kept of an erased customer was opened; a second person approved.",
        "client",
        {
            **_BY,
            "second": "reference of the person who approved it",
            "hold": "id",
            "customer": "reference",
            "incident": "code of the incident",
            "fields": "list of collection.field",
        },
    ),
    LeafType.HOLD_LIFTED: LeafSpec(
        "A hold was lifted; what it had kept is destroyed.",
        "client",
        {
            **_BY,
            "hold": "id",
            "customer": "reference",
            "incident": "code of the incident",
            "kept": "whether it had kept anything",
        },
    ),
    LeafType.HOLD_EXPIRED: LeafSpec(
        "A hold's time was over; what it had kept is destroyed.",
        "client",
        {
            "hold": "id",
            "customer": "reference",
            "incident": "code of the incident",
            "kept": "whether it had kept anything",
        },
    ),
    LeafType.LOG_EXPORTED: LeafSpec(
        "The client's log was exported.", "client", {**_BY, "size": "number of leaves"}
    ),
    LeafType.CLIENT_SHRED_REQUESTED: LeafSpec(
        "The erasure of all of a client was ordered; from here everything is refused, and nothing is imported.",
        "both",
        {
            **_BY,
            "second": "reference of the second person who approved it",
            "client": "id",
            "operation": "id",
            "signed": "whether the client ordered it with its key",
        },
    ),
    LeafType.CLIENT_SHREDDED: LeafSpec(
        "All keys of a client were destroyed, and a search of the keys store's bytes found none of them.",
        "both",
        {
            "client": "id",
            "operation": "id",
            "customers": "count of those who were not erased before",
            "records": "count",
            "erased": "time",
        },
    ),
    LeafType.LOG_RESTORED: LeafSpec(
        "The stores were put back from a copy that was older than this log. The leaves of the gap were put back from"
        " what was published; what they erased was erased again, what they narrowed is narrow again, and what they"
        " widened was not redone. What the gap imported or changed is gone until it is brought in again.",
        "both",
        {
            "by": "reference of the person who restored; empty when that is not known",
            "second": "reference of who approved it; empty for a repair, or when there was nobody else who might",
            "from_size": "leaves that the restored store had",
            "to_size": "leaves that had been signed",
            "from_time": "time of the last leaf that the restored store had; empty for none",
            "to_time": "time of the last leaf of the gap; empty for none",
            "source": "published, bundle (a copy that somebody else had kept), or none: there was no gap in this log",
            "erased": "count of erasures of the gap that stand again",
            "narrowed": "count of leaves whose narrowing stands again",
            "not_redone": "count of leaves that widened something or brought data in, and were not redone",
            "lost": "count of leaves that were signed after these and that nobody has; they are given up",
            "lost_root": "root of the log that was signed with them, hexadecimal; empty when nothing is lost",
        },
    ),
    LeafType.BACKUP_MADE: LeafSpec(
        "A copy of both stores was made.",
        "house",
        {
            **_BY,
            "data": "digest of the data store's copy",
            "keys": "digest of the keys store's copy",
            "included": "list of what else is in it: root, signing",
        },
    ),
    LeafType.HOUSE_MOVED: LeafSpec(
        "Both stores were moved to another storage, row by row; every log was computed anew from what arrived, and the"
        " keys were destroyed where they had been. This is the first leaf that was written in the new one.",
        "house",
        {
            "by": "reference of the person who moved it; empty when that is not known",
            "storage": "what the stores stand in now: postgresql",
            "rows": "count of rows that were moved",
            "leaves": "count of leaves in all logs",
        },
    ),
    LeafType.CLOCK_CONFIRMED: LeafSpec(
        "After the machine's clock was set, an operator confirmed that it is right; ages count again.",
        "both",
        {**_BY, "stepped": "time at which it was seen"},
    ),
    LeafType.PERMIT_KEY_ROTATED: LeafSpec(
        "Another key signs the permits for target systems, of all clients, from a minute later on.",
        "both",
        {
            **_BY,
            "old": "id of the key that signed until then (RFC 7638), as the JWK Set names it",
            "new": "id of the one that takes its place",
            "signs_from": "time from which the new one signs",
        },
    ),
    LeafType.SIGNAL_RAISED: LeafSpec(
        "Something odd was seen.",
        "both",
        {"signal": "name", "subject": "reference or id", "count": "number"},
    ),
}


@dataclass(frozen=True, slots=True)
class Leaf:
    """One line of a log before it has an index."""

    type: LeafType
    id: str
    at_us: int
    body: Mapping[str, Any]

    def entry(self) -> bytes:
        """Return the leaf's bytes; ``ValueError`` when its fields are not those that the type declares."""
        declared = SPECS[self.type].fields
        if self.body.keys() != declared.keys():
            odd = sorted(self.body.keys() ^ declared.keys())
            msg = f"leaf {self.type}: fields differ from the declaration: {', '.join(odd)}"
            raise ValueError(msg)
        return canonical_json(
            {
                "v": VERSION,
                "type": self.type.value,
                "id": self.id,
                "time": rfc3339(self.at_us),
                **self.body,
            }
        )
