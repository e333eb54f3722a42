"""Identifiers and the prefixes by which a person recognises them."""

from __future__ import annotations

from typing import Final, NewType

ClientId = NewType("ClientId", str)  # chosen by the house: ``bank-01``
PersonId = NewType("PersonId", str)
CustomerId = NewType("CustomerId", str)
RecordId = NewType("RecordId", str)
DecisionId = NewType("DecisionId", str)
CredentialId = NewType("CredentialId", str)
ContactRef = NewType(
    "ContactRef", str
)  # per-log pseudonym; the feed's own id stands only in ``keys``
Reference = NewType("Reference", str)  # pseudonym in a leaf

PERSON: Final = "per"
CUSTOMER: Final = "cus"
RECORD: Final = "rec"
DECISION: Final = "dec"
CREDENTIAL: Final = "crd"
SESSION: Final = "ses"
ENROLMENT: Final = "enr"
LEAF: Final = "lf"
OPERATION: Final = "op"
CHALLENGE: Final = "stp"
APPROVAL: Final = "apr"
GLASS: Final = "gls"
ATTEMPT: Final = "att"
FEED_EVENT: Final = "evt"
DEAD_LETTER: Final = "ddl"
FEED_KEY: Final = "fk"
JOB: Final = "job"
SIGNAL: Final = "sig"
RECOVERY: Final = "rcv"
ACT: Final = "act"
EXPORT: Final = "exp"
PROVISIONAL: Final = "prv"
OUTAGE: Final = "out"
HOLD: Final = "hld"
REPORT: Final = "rep"
CONTACT_REF: Final = "ct"
CREDENTIAL_REF: Final = "t"
CUSTOMER_REF: Final = "c"
PERSON_REF: Final = "p"

HOUSE_LOG: Final = "house"


def client_log(client: str) -> str:
    """Return the name of the client's own log."""
    return f"client-{client}"
