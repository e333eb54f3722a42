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

from holdfast.kit.clock import SECOND_US
from holdfast.spine.decision.groups import groups_of
from holdfast.spine.decision.question import Question
from holdfast.spine.identity.place import within
from holdfast.spine.purpose.contact import Standing
from holdfast.spine.replay.situation import value_of
from holdfast.vocabulary.contract import SECONDS_LONGEST_CONTACT, SECONDS_WRAP_UP
from holdfast.vocabulary.facts import FactId, FactState, FactValue
from holdfast.vocabulary.levels import AuthLevel, Operation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from holdfast.spine.decision.question import Group
    from holdfast.spine.replay.situation import Around, Known, Situation
    from holdfast.vocabulary.contract import Contract, Queue
    from holdfast.vocabulary.schema import CollectionSchema

MOST_VARIANTS: Final = 64
UNKNOWN_OPERATION: Final = "operation"
#: An action and an approval are judged by what their own request held; a comparison says that it cannot tell.
KNOWN_OPERATIONS: Final = frozenset(
    operation.value
    for operation in (
        Operation.SEARCH,
        Operation.REVEAL,
        Operation.VERIFY,
        Operation.UPDATE,
        Operation.REASON,
    )
)

Values = tuple[FactValue, ...]


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


class Turn(NamedTuple):
    """Circumstances that are carried from the contract of its time to another one."""

    around: Around
    then: Contract
    to: Contract

    @property
    def queues(self) -> tuple[Queue | None, Queue | None]:
        """The contact's queue in both contracts."""
        fact = self.around.fact(FactId.QUEUE)
        name = fact.value if fact is not None else ""
        return self.then.queues.get(name), self.to.queues.get(name)

    @property
    def yours(self) -> bool:
        """Whether the contact was the person's."""
        fact = self.around.fact(FactId.CONTACT_YOURS)
        return fact is not None and fact.met


def circumstances(turn: Turn) -> Circumstances:
    """Derive reason and facts under ``turn.to``."""
    around, same = turn.around, turn.then.digest == turn.to.digest
    if around.operation not in KNOWN_OPERATIONS:
        return Circumstances("", (), (UNKNOWN_OPERATION,))
    reason = around.reason if same else _reason(turn)
    if reason is None or (not same and _moved(turn)):
        return Circumstances("", (), (FactId.QUEUE.value,))
    facts = {one.fact: (value_of(one),) if same else _values(one, turn) for one in around.facts}
    if not same:
        _follow(facts)
    gaps = tuple(fact.value for fact, values in facts.items() if len(values) > 1)
    if 2 ** len(gaps) > MOST_VARIANTS:
        return Circumstances(reason, (), gaps)
    ways = (dict(zip(facts, values, strict=True)) for values in product(*facts.values()))
    return Circumstances(reason, tuple(Way(way, _key(way)) for way in ways), gaps)


def _key(facts: Mapping[FactId, FactValue]) -> tuple[object, ...]:
    return tuple((fact, value.state, value.met) for fact, value in facts.items())


def groups_for(
    turn: Turn, situation: Situation, schema: CollectionSchema | None, reason: str
) -> tuple[tuple[Group, ...], ...]:
    """The groups of the fields asked for under ``turn.to``; several where the record does not tell which."""
    operation = Operation(turn.around.operation)
    if operation is not Operation.SEARCH:
        return (groups_of(operation, turn.to, schema, situation.fields, reason=reason),)
    (shown,) = groups_of(operation, turn.to, schema, (), reason=reason)
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


def _reason(turn: Turn) -> str | None:
    """The call's reason under the other contract; None when the record does not tell."""
    before, after = turn.queues
    present = turn.around.reason
    if after is None or not turn.yours:
        return ""
    if before is None:
        return None  # the contract of the time did not know the queue, so the record has no reason
    if present not in after.reasons:
        return after.reasons[0]
    was_default = present == before.reasons[0]
    others = after.reasons[0] != present or bool(set(after.reasons) - set(before.reasons))
    # The queue's default stands for any reason that the feed did not name, or that the queue did not have.
    return None if was_default and others else present


def _moved(turn: Turn) -> bool:
    """Whether the contact's queue belongs to another programme now: what the person is there is not recorded."""
    before, after = turn.queues
    return (
        turn.yours
        and before is not None
        and after is not None
        and before.programme != after.programme
    )


def _searchable(turn: Turn, *, inside: bool) -> tuple[bool, ...]:
    """Whether the field searched by may be searched by: the record says only whether it might then."""
    collection = turn.around.collection
    old, new = (one.search.by.get(collection) for one in (turn.then, turn.to))
    if old == new:
        return (inside,)
    wider = new is None or (old is not None and old <= new)
    narrower = old is None or (new is not None and new <= old)
    return (inside,) if (inside and wider) or (not inside and narrower) else (True, False)


# ── facts ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _values(known: Known, turn: Turn) -> Values:
    derive = _DERIVED.get(known.fact)
    return (value_of(known),) if derive is None else derive(known, turn)


def _either(known: Known) -> Values:
    value = value_of(known)
    return value._replace(met=True), value._replace(met=False)


def _toward(known: Known, *, looser: bool, tighter: bool) -> Values:
    """A condition that became looser stays met if it was, a tighter one unmet if it was; else it may be either."""
    if not looser and not tighter:
        return (value_of(known),)
    told = (known.met and not tighter) or (not known.met and not looser)
    return (value_of(known),) if told else _either(known)


def _employer(known: Known, turn: Turn) -> Values:
    allowed = turn.to.employers
    return (value_of(known)._replace(met=not allowed or known.value in allowed),)


def _network(known: Known, turn: Turn) -> Values:
    """The record has the address only where a token or the contract was bound to some."""
    old, new = turn.then.networks, turn.to.networks
    assigned = turn.around.fact(FactId.ASSIGNED)
    if old == new or assigned is None or not assigned.met:
        return (value_of(known),)
    value = value_of(known)
    if known.state is not FactState.KNOWN:  # no address was known
        unknown = FactValue(FactState.UNKNOWN, met=False)
        return (unknown,) if new else (unknown, FactValue(FactState.KNOWN, met=True, value="any"))
    if known.value == "any":
        return _either(known) if new else (value,)
    inside = not new or within(known.value, new)
    if known.met:
        return (value._replace(met=inside),)
    refused_by_token = not old or within(known.value, old)
    if refused_by_token or not inside:
        return (value._replace(met=False),)
    return _either(known)


def _queue(known: Known, turn: Turn) -> Values:
    if known.state is not FactState.KNOWN or not turn.yours:
        return (value_of(known),)
    before, after = turn.queues
    if after is None:
        return (value_of(known)._replace(met=False),)
    if before is None:  # whether the person is assigned to it was not asked
        return _either(known)
    return (value_of(known),)


def _live(known: Known, turn: Turn) -> Values:
    """Where the contact stood, by the queue's times in the other contract."""
    if known.state is not FactState.KNOWN:
        return (value_of(known),)
    old, new = (_times(queue) for queue in turn.queues)
    value = value_of(known)
    if known.value in {Standing.LIVE.value, Standing.SILENT.value}:
        silent = known.age_us >= new[0] * SECOND_US if old[0] != new[0] else not known.met
        word = Standing.SILENT if silent else Standing.LIVE
        return (value._replace(met=not silent, value=word.value),)
    if known.value in {Standing.WRAPPING.value, Standing.ENDED.value}:
        return _toward(known, looser=new[1] > old[1], tighter=new[1] < old[1])
    return (value,)


def _times(queue: Queue | None) -> tuple[int, int]:
    if queue is None:
        return SECONDS_LONGEST_CONTACT, SECONDS_WRAP_UP
    return queue.longest_s, queue.wrap_up_s


def _follow(facts: dict[FactId, Values]) -> None:
    """Whether the contact is not in wrap-up follows from where it stands."""
    live, talking = facts.get(FactId.CONTACT_LIVE), facts.get(FactId.CONTACT_TALKING)
    if not live or not talking or len(live) > 1 or live[0].state is not FactState.KNOWN:
        return
    met = live[0].met and live[0].value == Standing.LIVE.value
    facts[FactId.CONTACT_TALKING] = tuple(value._replace(met=met) for value in talking)


def _bound(known: Known, turn: Turn) -> Values:
    """Another proof might have bound the contact, or not; by what it was bound is not in the record."""
    if known.state is not FactState.KNOWN:
        return (value_of(known),)
    old, new = turn.then.verification, turn.to.verification
    asked = [
        {(name, field) for name, fields in one.questions.items() for field in fields}
        for one in (old, new)
    ]
    looser = new.needed < old.needed or bool(asked[1] - asked[0])
    tighter = new.needed > old.needed or bool(asked[0] - asked[1])
    return _toward(known, looser=looser, tighter=tighter)


def _found(known: Known, turn: Turn) -> Values:
    old, new = turn.then.search, turn.to.search
    changed = (old.by, old.most_hits) != (new.by, new.most_hits)
    return _either(known) if changed else (value_of(known),)


def _of_queue(known: Known, turn: Turn) -> Values:
    before, after = turn.queues
    same = before is not None and after is not None and before.reasons == after.reasons
    return (value_of(known),) if same else _either(known)


def _not_wider(known: Known, turn: Turn) -> Values:
    before, after = turn.queues
    if before is None or after is None or before.reasons != after.reasons:
        return _either(known)
    same = all(turn.then.reasons.get(r) == turn.to.reasons.get(r) for r in after.reasons)
    return (value_of(known),) if same else _either(known)


def _open(known: Known, turn: Turn) -> Values:
    """An exempt reason that is exempt no more, or one that is: then the feed's own word is not in the record."""
    reason = turn.around.reason
    old, new = reason in turn.then.freeze_exempt, reason in turn.to.freeze_exempt
    if known.value != "frozen" or old == new:
        return (value_of(known),)
    return (value_of(known)._replace(met=False),) if not new else _either(known)


def _limit(of: Callable[[Contract], int]) -> Callable[[Known, Turn], Values]:
    def derive(known: Known, turn: Turn) -> Values:
        old, new = of(turn.then), of(turn.to)
        return _toward(known, looser=new > old, tighter=new < old)

    return derive


def _searches_day(known: Known, turn: Turn) -> Values:
    old, new = turn.then, turn.to
    looser = (
        new.budgets.searches_day > old.budgets.searches_day
        or new.search.miss_costs < old.search.miss_costs
    )
    tighter = (
        new.budgets.searches_day < old.budgets.searches_day
        or new.search.miss_costs > old.search.miss_costs
    )
    return _toward(known, looser=looser, tighter=tighter)


#: Facts that hang on the contract; all others are what they were.
_DERIVED: Final[dict[FactId, Callable[[Known, Turn], Values]]] = {
    FactId.EMPLOYER_APPROVED: _employer,
    FactId.NETWORK: _network,
    FactId.QUEUE: _queue,
    FactId.CONTACT_LIVE: _live,
    FactId.CUSTOMER_BOUND: _bound,
    FactId.CUSTOMER_FOUND: _found,
    FactId.REASON_OF_QUEUE: _of_queue,
    FactId.REASON_NOT_WIDER: _not_wider,
    FactId.CLIENT_OPEN: _open,
    FactId.CUSTOMERS_HOUR: _limit(lambda contract: contract.budgets.customers_hour),
    FactId.CUSTOMERS_DAY: _limit(lambda contract: contract.budgets.customers_day),
    FactId.SENSITIVE_FIELDS_DAY: _limit(lambda contract: contract.budgets.sensitive_fields_day),
    FactId.SEARCHES_DAY: _searches_day,
    FactId.SEARCHES_CONTACT: _limit(lambda contract: contract.search.values_per_contact),
    FactId.VERIFY_CONTACT: _limit(lambda contract: contract.verification.attempts_per_contact),
    FactId.VERIFY_DAY: _limit(lambda contract: contract.verification.attempts_per_day),
}


def asks_age(contracts: Iterable[Contract]) -> bool:
    """Whether any two of the contracts differ in how long a queue's contact may be silent."""
    times = [
        {name: _times(queue)[0] for name, queue in contract.queues.items()}
        for contract in contracts
    ]
    return any(one != times[0] for one in times[1:])
