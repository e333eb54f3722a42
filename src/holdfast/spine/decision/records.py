"""A decision as it was made: kept sealed, committed to in the leaf, and good enough to be judged again.

A record names persons, customers and contacts by their references in the client's log only, and fields by name; it
holds no value of a field. It holds the whole question (facts, groups, grants) with the digests of policies and schema,
so that the same question can be judged again by the same or by other policies (:func:`question_of`).

The leaf carries ``SHA-256(length-prefixed(label, salt, content))`` with a random salt of 128 bits, which stands beside
the sealed record and dies with it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from hmac import compare_digest
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from holdfast.kit.canonical import length_prefixed
from holdfast.kit.clock import DAY_US, SECOND_US
from holdfast.kit.crypto import aead
from holdfast.kit.errors import IntegrityBroken
from holdfast.kit.ids import random_bytes
from holdfast.spine.decision.question import Group, Question
from holdfast.spine.decision.verdict import Denial, NeedsApproval, Permit, RuleReason, StepUp
from holdfast.vocabulary.facts import FactId, FactState, FactValue
from holdfast.vocabulary.levels import AuthLevel, Operation, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from holdfast.kit.secret import Secret
    from holdfast.spine.decision.judge import Judgement
    from holdfast.spine.decision.verdict import Verdict

VERSION: Final = 1
SALT_BYTES: Final = 16
_LABEL: Final = b"holdfast/decision-record/v1"


class Fact(msgspec.Struct, frozen=True, omit_defaults=True):
    """A fact as it is stored: what is usual is left out."""

    state: str = FactState.KNOWN.value
    met: bool = True
    value: str = ""
    as_of_us: int = 0
    source: str = ""


_USUAL_STATE: Final = Fact().state
_KNOWN: Final = FactState.KNOWN


class Asked(msgspec.Struct, frozen=True, omit_defaults=True):
    """The question as it is stored."""

    programme: str
    roles: tuple[str, ...]
    programmes: tuple[str, ...]
    level: int
    approved: bool
    reason: str
    collection: str
    facts: dict[str, Fact]
    groups: tuple[Group, ...]
    approval: str = ""
    about: dict[str, str] = {}


class Said(msgspec.Struct, frozen=True, omit_defaults=True):
    """The verdict on one group: permit, step_up, approval or deny, with the reasons given in full."""

    verdict: str
    fields: dict[str, str] = {}
    reasons: tuple[RuleReason, ...] = ()


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """A decision record. ``fields`` says how each field was shown in the end, ``extra_rules`` what refused later."""

    v: int = VERSION
    decision: str
    at_us: int
    client: str
    operation: str
    outcome: str
    visible: bool
    person: str
    contact: str
    customers: tuple[str, ...]
    fields: dict[str, str]
    extra_rules: tuple[str, ...]
    contract_version: int
    policies: str
    schema: str
    asked: Asked
    said: tuple[Said, ...]
    errors: tuple[str, ...]


class Stored(NamedTuple):
    """A record as the table keeps it, and the commitment that its leaf carries."""

    sealed: bytes
    salt: bytes
    commitment: bytes


def content(
    judgement: Judgement,
    *,
    decision: str,
    at_us: int,
    person: str,
    contact: str,
    customers: Sequence[str],
    outcome: Outcome,
    fields: Mapping[str, str],
    extra_rules: Sequence[str] = (),
) -> Content:
    """Write down a judgement. ``person``, ``contact`` and ``customers`` are references in the client's log."""
    question, policies = judgement.question, judgement.policies
    return Content(
        decision=decision,
        at_us=at_us,
        client=question.client,
        operation=question.operation._value_,
        outcome=outcome._value_,
        visible=judgement.visible,
        person=person,
        contact=contact,
        customers=tuple(customers),
        fields=dict(fields),
        extra_rules=tuple(extra_rules),
        contract_version=policies.contract.version,
        policies=policies.digest,
        schema=policies.schema_digest,
        asked=_asked(question),
        said=tuple(map(_said, judgement.verdicts, judgement.limits)),
        errors=judgement.errors,
    )


def _asked(question: Question) -> Asked:
    return Asked(
        programme=question.programme,
        roles=tuple(sorted(question.roles)),
        programmes=tuple(sorted(question.programmes)),
        level=int(question.level),
        approved=question.approved,
        reason=question.reason,
        collection=question.collection,
        # The encoder leaves a field out where it holds the very object that is its default; an equal one it writes.
        facts={
            fact._value_: Fact(
                _USUAL_STATE if value.state is _KNOWN else value.state.value,
                value.met,
                value.value,
                value.as_of_us,
                value.source,
            )
            for fact, value in question.facts.items()
        },
        groups=question.groups,
        approval=question.approval,
        about=dict(question.about),
    )


def _said(verdict: Verdict, limits: tuple[RuleReason, ...]) -> Said:
    match verdict:
        case Permit(fields=fields):
            return Said("permit", {name: how._value_ for name, how in fields.items()}, limits)
        case StepUp(reasons=reasons):
            return Said("step_up", {}, reasons)
        case NeedsApproval(reasons=reasons):
            return Said("approval", {}, reasons)
        case Denial(reasons=reasons):
            return Said("deny", {}, reasons)


def verdicts_of(judgement: Judgement) -> tuple[str, ...]:
    """The verdicts in the words of :class:`Said`."""
    return tuple(_said(verdict, ()).verdict for verdict in judgement.verdicts)


def question_of(record: Content) -> Question:
    """The question of a record, to be judged again. Its customer is a reference: the permit opens nothing."""
    asked = record.asked
    known = {fact.value: fact for fact in FactId}
    return Question(
        operation=Operation(record.operation),
        client=record.client,
        programme=asked.programme,
        roles=frozenset(asked.roles),
        programmes=frozenset(asked.programmes),
        level=AuthLevel(asked.level),
        facts={
            known[name]: FactValue(FactState(f.state), f.met, f.value, f.as_of_us, f.source)
            for name, f in asked.facts.items()
            if name in known
        },
        groups=asked.groups,
        collection=asked.collection,
        customer=record.customers[0] if record.customers else "",
        reason=asked.reason,
        approved=asked.approved,
        approval=asked.approval,
        about=asked.about,
    )


def month_of(at_us: int) -> str:
    """The month whose key seals a record made at ``at_us``: ``2026-11``, UTC."""
    return _month_of_day(at_us // DAY_US)


@lru_cache(maxsize=64)
def _month_of_day(day: int) -> str:
    return f"{datetime.fromtimestamp(day * (DAY_US // SECOND_US), UTC):%Y-%m}"


def encode(record: Content) -> bytes:
    """The bytes that are committed to."""
    return _encode(record)


def decode(data: bytes) -> Content:
    """Read a record; :class:`IntegrityBroken` when it is none."""
    try:
        return _decode(data)
    except msgspec.MsgspecError as error:
        raise IntegrityBroken("a decision record does not read as one") from error


def commitment(data: bytes, salt: bytes) -> bytes:
    """What a leaf carries of a record."""
    return sha256(length_prefixed(_LABEL, salt, data)).digest()


def seal(made: Content, key: Secret[bytes], *, client: str, record: str) -> Stored:
    """Seal a record under the client's record key of its month, bound to its client and id."""
    data, salt = encode(made), random_bytes(SALT_BYTES)
    sealed = aead.seal(key.reveal(), random_bytes(aead.NONCE_BYTES), data, _aad(client, record))
    return Stored(sealed, salt, commitment(data, salt))


def open_record(
    sealed: bytes,
    key: Secret[bytes],
    *,
    client: str,
    record: str,
    salt: bytes = b"",
    committed: bytes = b"",
) -> Content:
    """Open a record; with ``committed``, the leaf's commitment, also check that it is the one of the leaf.

    Raises :class:`IntegrityBroken` for one that was edited, moved or swapped.
    """
    data = aead.unseal(key.reveal(), sealed, _aad(client, record))
    if committed and not compare_digest(commitment(data, salt), committed):
        raise IntegrityBroken("a decision record is not the one that its leaf commits to")
    return decode(data)


def open_bytes(sealed: bytes, key: Secret[bytes], *, client: str, record: str) -> bytes:
    """Open a record without reading it; :class:`IntegrityBroken` for one that was edited or moved."""
    return aead.unseal(key.reveal(), sealed, _aad(client, record))


def _aad(client: str, record: str) -> bytes:
    return length_prefixed(_LABEL, client.encode(), record.encode())


_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder(Content).decode
