"""What was asked in a past decision, without ids and times: equal situations are judged once."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

import msgspec

from holdfast.kit.errors import IntegrityBroken
from holdfast.spine.decision.freezing import is_freeze
from holdfast.vocabulary.facts import FactId, FactState, FactValue


class _Fact(msgspec.Struct, frozen=True):
    state: str = FactState.KNOWN.value
    met: bool = True
    value: str = ""
    as_of_us: int = 0


class _Group(msgspec.Struct, frozen=True):
    fields: tuple[str, ...] = ()
    in_field_set: bool = True


class _Asked(msgspec.Struct, frozen=True):
    programme: str
    roles: tuple[str, ...]
    programmes: tuple[str, ...]
    level: int
    approved: bool
    reason: str
    collection: str
    facts: dict[str, _Fact]
    groups: tuple[_Group, ...]
    about: dict[str, str] = {}


class Slim(msgspec.Struct, frozen=True):
    """The part of :class:`holdfast.spine.decision.records.Content` that a comparison needs; the rest is skipped."""

    decision: str
    at_us: int
    operation: str
    outcome: str
    customers: tuple[str, ...]
    extra_rules: tuple[str, ...]
    contract_version: int
    asked: _Asked
    errors: tuple[str, ...]


class Known(NamedTuple):
    """A fact, without what tells one decision from the next: a value only where another contract could read it."""

    fact: FactId
    state: FactState
    met: bool
    value: str = ""
    age_us: int = 0  # of the contact's last event


class Around(NamedTuple):
    """All that was so around the fields asked for: what a contract's facts and reasons are derived from."""

    version: int
    operation: str
    programme: str
    roles: tuple[str, ...]
    programmes: tuple[str, ...]
    level: int
    approved: bool
    reason: str
    collection: str
    facts: tuple[Known, ...]
    action: str = ""  # of an act, and the system that was to do it
    target: str = ""

    def fact(self, wanted: FactId) -> Known | None:
        """The fact, if the decision asked it."""
        return next((one for one in self.facts if one.fact is wanted), None)


class Situation(NamedTuple):
    """What was asked, and what came of it."""

    around: Around
    outcome: str
    extra_rules: tuple[str, ...]
    broken: bool  # the engine could not evaluate it
    hits: int  # of a search
    fields: tuple[str, ...]
    inside: bool  # all of the fields stood in the field set


#: Facts whose value, not only whether it holds, means something to another contract.
_VALUED: Final = frozenset(
    {
        FactId.EMPLOYER_APPROVED,
        FactId.NETWORK,
        FactId.QUEUE,
        FactId.CONTACT_LIVE,
        FactId.CONTACT_TALKING,
        FactId.CUSTOMER_BOUND,
        FactId.ACTION_PROVEN,
    }
)
_WITH_VALUES: Final = frozenset({fact.value for fact in _VALUED} | {FactId.CLIENT_OPEN.value})
_NAMES: Final = {fact.value: fact for fact in FactId}
_STATES: Final = {state.value: state for state in FactState}
_decode: Final = msgspec.json.Decoder(Slim).decode


def read(data: bytes) -> Slim:
    """Read an opened record; :class:`IntegrityBroken` when it is none."""
    try:
        return _decode(data)
    except msgspec.MsgspecError as error:
        raise IntegrityBroken("a decision record does not read as one") from error


def situation_of(record: Slim, *, aged: bool) -> Situation:
    """Reduce a record to its situation. ``aged`` keeps how old the contact's last event was, which few changes ask."""
    asked, at_us = record.asked, record.at_us
    groups = asked.groups
    around = Around(
        record.contract_version,
        record.operation,
        asked.programme,
        asked.roles,
        asked.programmes,
        asked.level,
        asked.approved,
        asked.reason,
        asked.collection,
        tuple([_known(name, fact, at_us, aged=aged) for name, fact in asked.facts.items()]),
        asked.about.get(":action", ""),
        asked.about.get(":target", ""),
    )
    return Situation(
        around,
        record.outcome,
        record.extra_rules,
        bool(record.errors),
        len(record.customers) if record.operation == "search" else 0,
        groups[0].fields
        if len(groups) == 1
        else tuple([name for group in groups for name in group.fields]),
        all([group.in_field_set for group in groups]),  # noqa: C419  a list is quicker for so few
    )


def _known(name: str, fact: _Fact, at_us: int, *, aged: bool) -> Known:
    if name not in _WITH_VALUES:
        return _plain(name, fact.state, fact.met)
    ident, state = _NAMES[name], _STATES[fact.state]
    if ident is FactId.CLIENT_OPEN:
        return Known(ident, state, fact.met, "frozen" if is_freeze(fact.value) else "")
    age_us = at_us - fact.as_of_us if aged and ident is FactId.CONTACT_LIVE else 0
    return Known(ident, state, fact.met, fact.value, age_us)


@lru_cache(maxsize=1024)
def _plain(name: str, state: str, met: bool) -> Known:  # noqa: FBT001  as the record has it
    return Known(_NAMES[name], _STATES[state], met)


def value_of(known: Known) -> FactValue:
    """The fact as a question carries it."""
    return FactValue(known.state, known.met, known.value)
