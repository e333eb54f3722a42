"""What is judged: a question about groups of fields, and the context into which the engine is put.

Fields of equal class, handling and presentation are judged as one group. :func:`joined` is the group that contains
them all: the guards are monotone, so what is permitted for it is permitted for each (SPINE 4).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from holdfast.spine.decision.engine import Slice
from holdfast.spine.decision.facts import DECLARATIONS, OF_GROUPS
from holdfast.vocabulary.facts import FactId, FactKind, FactState, FactValue
from holdfast.vocabulary.levels import AuthLevel, DataClass, Handling, Operation, Presentation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Group(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, cache_hash=True):
    """Fields that stand and fall together.

    ``presentation`` is how they are asked for: ``clear`` (also: to be changed), ``masked``, or ``withheld`` when they
    are only compared. ``in_field_set`` says whether contract and reason name all of them for this operation.
    """

    fields: tuple[str, ...]
    data_class: DataClass
    handling: Handling = Handling.CLEAR
    presentation: Presentation = Presentation.CLEAR
    in_field_set: bool = True
    mask_required: bool = False  # by the contract, for this reason
    approval_required: bool = False  # by the contract, for this reason
    by_action: str = ""  # the action by which alone the fields are changed


#: What is judged when a request asks for no field: a change of reason.
NO_FIELDS: Final = Group(fields=(), data_class=DataClass.C0, presentation=Presentation.WITHHELD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked: may this be done, now.

    ``programme``, ``reason`` are the contact's, empty when it is not known to be this person's. ``roles`` are those
    of the person's assignment to that programme; ``programmes`` all that they are assigned to at this client.
    ``facts`` are all that were found out; a fact that is missing does not hold. ``customer`` goes into the permit.
    """

    operation: Operation
    client: str
    programme: str
    roles: frozenset[str]
    programmes: frozenset[str]
    level: AuthLevel
    facts: Mapping[FactId, FactValue]
    groups: tuple[Group, ...] = ()
    collection: str = ""
    customer: str = ""
    reason: str = ""
    approved: bool = False
    about: Mapping[str, str] = field(default_factory=dict)  # what is asked beside fields
    approval: str = (
        ""  # what became of the approval that came with the request, in words; empty without one
    )

    @property
    def held(self) -> Slice:
        """The entities of the question."""
        return Slice(
            self.client, self.programme, tuple(sorted(self.roles)), tuple(sorted(self.programmes))
        )


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """The context of one evaluation; the type ``Look`` of ``guards/schema.cedarschema``."""

    met: tuple[str, ...]
    unknown: tuple[str, ...]
    level: int
    approved: bool
    data_class: int = msgspec.field(name="class")
    clear: bool
    verify_only: bool
    masked_only: bool
    reference: bool
    mask_by_reason: bool
    approval_by_reason: bool
    by_action: bool
    collection: str
    reason: str


@dataclass(frozen=True, slots=True)
class Sets:
    """The facts of a question as two sets: those that hold, and those that are not known where that means something."""

    met: frozenset[str]
    unknown: frozenset[str] = field(default_factory=frozenset)


_KNOWN: Final = FactState.KNOWN
_DECLARED: Final = {fact: (fact.value, told.kind) for fact, told in DECLARATIONS.items()}
#: For these kinds *unknown* is not the same as *unmet* (SPINE 3).
_UNKNOWN_MATTERS: Final = frozenset({FactKind.IDENTITY_PLACE, FactKind.ENTITLEMENT})


def sets_of(facts: Mapping[FactId, FactValue]) -> Sets:
    """Sort facts into those that hold and those that are unknown; all others do not hold.

    A stale value counts while it is an entitlement's (:func:`holdfast.spine.decision.facts.assess` has turned it
    unknown once its grace was over); any other stale value is unknown.
    """
    met, unknown = [], []
    for fact, value in facts.items():
        if fact in OF_GROUPS:
            continue
        name, kind = _DECLARED[fact]
        state = value.state
        if state is _KNOWN or (state is FactState.STALE and kind is FactKind.ENTITLEMENT):
            if value.met is True:
                met.append(name)
        elif kind in _UNKNOWN_MATTERS:
            unknown.append(name)
    return Sets(frozenset(met), frozenset(unknown))


def counts(facts: Mapping[FactId, FactValue], fact: FactId) -> bool:
    """Whether one fact is among those that hold; as :func:`sets_of` sorts them."""
    value = facts.get(fact)
    if value is None or value.met is not True:
        return False
    state = value.state
    return state is _KNOWN or (
        state is FactState.STALE and _DECLARED[fact][1] is FactKind.ENTITLEMENT
    )


def unknown(facts: Mapping[FactId, FactValue], fact: FactId) -> bool:
    """Whether one fact is among those that are unknown where that means something; as :func:`sets_of` sorts them."""
    value = facts.get(fact)
    if value is None or value.state is _KNOWN:
        return False
    kind = _DECLARED[fact][1]
    stale = value.state is FactState.STALE and kind is FactKind.ENTITLEMENT
    return kind in _UNKNOWN_MATTERS and not stale


def look_of(question: Question, group: Group, sets: Sets) -> Look:
    """The context in which ``group`` is judged."""
    return joined(question, (group,), sets)


def asking(look: Look, facts: frozenset[str]) -> Look:
    """The same context without facts that no policy asks for."""
    met, unknown = _asked_of(look.met, facts), _asked_of(look.unknown, facts)
    return msgspec.structs.replace(look, met=met, unknown=unknown)


def joined(question: Question, groups: Sequence[Group], sets: Sets) -> Look:
    """The context of the strictest group that contains all of ``groups``."""
    frame = _framed(tuple(groups))
    return Look(
        met=_listed(sets.met, frame.in_field_set),
        unknown=_listed(sets.unknown),
        level=int(question.level),
        approved=question.approved,
        data_class=frame.data_class,
        clear=frame.clear,
        verify_only=frame.verify_only,
        masked_only=frame.masked_only,
        reference=frame.reference,
        mask_by_reason=frame.mask_by_reason,
        approval_by_reason=frame.approval_by_reason,
        by_action=frame.by_action,
        collection=question.collection,
        reason=question.reason,
    )


# What follows is worked out once and remembered: people at the same work ask the same, and the facts hold alike.


class _Frame(NamedTuple):
    """The part of a context that follows from the groups alone."""

    in_field_set: bool
    data_class: int
    clear: bool
    verify_only: bool
    masked_only: bool
    reference: bool
    mask_by_reason: bool
    approval_by_reason: bool
    by_action: bool


@lru_cache(maxsize=4096)
def _framed(groups: tuple[Group, ...]) -> _Frame:
    handlings = {group.handling for group in groups}
    # These three limit what is asked for in clear; of several groups, one that asks for its mask only is not limited.
    limited = [g for g in groups if len(groups) == 1 or g.presentation is Presentation.CLEAR]
    return _Frame(
        in_field_set=all(group.in_field_set for group in groups),
        data_class=max(int(group.data_class) for group in groups),
        clear=any(group.presentation is Presentation.CLEAR for group in groups),
        verify_only=Handling.VERIFY_ONLY in handlings,
        masked_only=any(group.handling is Handling.MASKED for group in limited),
        reference=any(group.handling is Handling.REFERENCE for group in limited),
        mask_by_reason=any(group.mask_required for group in limited),
        approval_by_reason=any(group.approval_required for group in groups),
        by_action=any(group.by_action for group in groups),
    )


@lru_cache(maxsize=4096)
def _listed(names: frozenset[str], in_field_set: bool = False) -> tuple[str, ...]:  # noqa: FBT001, FBT002  a key
    return tuple(sorted(names | {FactId.FIELD_SET.value} if in_field_set else names))


@lru_cache(maxsize=4096)
def _asked_of(names: tuple[str, ...], facts: frozenset[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name in facts)
