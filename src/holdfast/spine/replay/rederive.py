"""A past question as another contract would have put it.

A decision record holds facts and groups as the contract *of its time* made them. Whatever hangs on a contract is
derived anew from what the record holds: groups of fields, the call's reason, employer, networks, the queue and its
times, budgets. Where the record holds too little (how much of a budget was used, say) a fact has several possible
values, and each of them is judged: only if all come out the same is the answer known. What no fact can say (a queue
that moved to another programme) is a gap of the whole question.

Each decision is taken on its own. What a changed answer would have meant for later ones (a customer who was never
bound, a budget that is used up sooner) is not followed, except where the record cannot tell which it was.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from holdfast.spine.decision.groups import act_groups
from holdfast.spine.decision.question import Question
from holdfast.spine.replay.derived import follow, values_of
from holdfast.spine.replay.situation import value_of
from holdfast.vocabulary.facts import FactId, FactValue
from holdfast.vocabulary.levels import AuthLevel, Operation, Role

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.spine.decision.groups import Grouping
    from holdfast.spine.decision.question import Group
    from holdfast.spine.replay.derived import Turn
    from holdfast.spine.replay.situation import Situation

MOST_VARIANTS: Final = 64
UNKNOWN_OPERATION: Final = "operation"
ON_CALL: Final = "on call"
#: A contact on the person's own word hangs on the pace of a feed and on an outage, which no contract tells.
KNOWN_OPERATIONS: Final = frozenset(
    operation.value
    for operation in (
        Operation.SEARCH,
        Operation.REVEAL,
        Operation.VERIFY,
        Operation.UPDATE,
        Operation.REASON,
        Operation.ACT,
        Operation.APPROVE,
    )
)


class Way(NamedTuple):
    """One way in which the facts may have stood, and the same as a key."""

    facts: Mapping[FactId, FactValue]
    key: tuple[object, ...]


class Circumstances(NamedTuple):
    """What another contract makes of the circumstances of a question; no ``ways`` when it cannot be put at all.

    ``gaps`` names what may have stood in several ways.
    """

    reason: str
    ways: tuple[Way, ...]
    gaps: tuple[str, ...]


def circumstances(turn: Turn) -> Circumstances:
    """Derive reason and facts under ``turn.to``."""
    around, same = turn.around, turn.then.digest == turn.to.digest
    if around.operation not in KNOWN_OPERATIONS:
        return Circumstances("", (), (UNKNOWN_OPERATION,))
    reason = around.reason if same else turn.reason
    if reason is None or (not same and _moved(turn)):
        return Circumstances("", (), (FactId.QUEUE.value,))
    if not same and _called_otherwise(turn):
        return Circumstances("", (), (ON_CALL,))
    facts = {one.fact: (value_of(one),) if same else values_of(one, turn) for one in around.facts}
    if not same:
        follow(facts)
    gaps = tuple(fact.value for fact, values in facts.items() if len(values) > 1)
    if 2 ** len(gaps) > MOST_VARIANTS:
        return Circumstances(reason, (), gaps)
    ways = (dict(zip(facts, values, strict=True)) for values in product(*facts.values()))
    return Circumstances(reason, tuple(Way(way, _key(way)) for way in ways), gaps)


def _key(facts: Mapping[FactId, FactValue]) -> tuple[object, ...]:
    return tuple((fact, value.state, value.met) for fact, value in facts.items())


def groups_for(
    turn: Turn, situation: Situation, grouping: Grouping
) -> tuple[tuple[Group, ...], ...]:
    """The groups of the fields asked for under ``turn.to``; several where the record does not tell which."""
    if grouping.operation is Operation.ACT:
        action, stands = turn.actions[1], grouping.stands
        return (act_groups(action, stands, grouping.schema, situation.fields),)
    if grouping.operation is not Operation.SEARCH:
        return (grouping.of(situation.fields),)
    (shown,) = grouping.of(())
    ways = _searchable(turn, inside=situation.inside)
    return tuple((msgspec.structs.replace(shown, in_field_set=inside),) for inside in ways)


def question_of(
    turn: Turn, *, groups: tuple[Group, ...], facts: Mapping[FactId, FactValue], reason: str
) -> Question:
    """The question as ``turn.to`` would have put it."""
    around = turn.around
    return Question(
        operation=Operation(around.operation),
        client=turn.to.client,
        programme=around.programme,
        roles=frozenset(around.roles),
        programmes=frozenset(around.programmes),
        level=AuthLevel(around.level),
        facts=facts,
        groups=groups,
        collection=around.collection,
        reason=reason,
        approved=around.approved,
    )


# ── reason and groups ───────────────────────────────────────────────────────────────────────────────────────────


def _moved(turn: Turn) -> bool:
    """Whether the contact's queue belongs to another programme now: what the person is there is not recorded."""
    before, after = turn.queues
    return (
        turn.yours
        and before is not None
        and after is not None
        and before.programme != after.programme
    )


def _called_otherwise(turn: Turn) -> bool:
    """Whether the reader may have been, or be, on call: the record has their roles, and not by which they approved."""
    old, new = turn.then.approval, turn.to.approval
    same = (old.roles, old.on_call) == (new.roles, new.on_call)
    return turn.approves and not same and Role.CLIENT_USER.value in turn.around.roles


def _searchable(turn: Turn, *, inside: bool) -> tuple[bool, ...]:
    """Whether the field searched by may be searched by: the record says only whether it might then."""
    collection = turn.around.collection
    old, new = (one.search.by.get(collection) for one in (turn.then, turn.to))
    if old == new:
        return (inside,)
    wider = new is None or (old is not None and old <= new)
    narrower = old is None or (new is not None and new <= old)
    return (inside,) if (inside and wider) or (not inside and narrower) else (True, False)
