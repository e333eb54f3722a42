"""Facts that hang on a contract, as another one makes them of what a decision record holds.

A fact has several possible values where the record does not tell which.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.kit.clock import SECOND_US
from holdfast.spine.decision.proving import action_facts
from holdfast.spine.identity.place import within
from holdfast.spine.purpose.contact import OF_NO_CONTACT, Standing
from holdfast.spine.replay.situation import value_of
from holdfast.vocabulary.contract import SECONDS_LONGEST_CONTACT, SECONDS_WRAP_UP
from holdfast.vocabulary.facts import FactId, FactState, FactValue
from holdfast.vocabulary.levels import Operation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from holdfast.spine.replay.situation import Around, Known
    from holdfast.vocabulary.contract import Action, Contract, Queue

Values = tuple[FactValue, ...]
_COUNTED: Final = re.compile(r"(\d+) of \d+ questions")


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
        """Whether the contact was the person's; of an approval, the requester's, as its record has it."""
        fact = self.around.fact(FactId.CONTACT_YOURS)
        return self.approves or (fact is not None and fact.met)

    @property
    def approves(self) -> bool:
        """Whether somebody looked at what somebody else asks for."""
        return self.around.operation == Operation.APPROVE

    @property
    def actions(self) -> tuple[Action | None, Action | None]:
        """The action in both contracts."""
        name = self.around.action
        return self.then.actions.get(name), self.to.actions.get(name)

    @property
    def reason(self) -> str | None:
        """The call's reason under the other contract; None when the record does not tell."""
        before, after = self.queues
        present = self.around.reason
        queue = self.around.fact(FactId.QUEUE)
        if queue is not None and queue.value == OF_NO_CONTACT:
            return present if present in self.to.reasons else ""
        if after is None or not self.yours:
            return ""
        if before is None:  # the contract of the time did not know the queue: no reason is recorded
            return None
        if present not in after.reasons:
            return after.reasons[0]
        was_default = present == before.reasons[0]
        others = after.reasons[0] != present or bool(set(after.reasons) - set(before.reasons))
        # The queue's default stands for any reason that the feed did not name, or that the queue did not have.
        return None if was_default and others else present


def values_of(known: Known, turn: Turn) -> Values:
    """What a fact may have been under ``turn.to``; one value where the record tells."""
    derive = _DERIVED.get(known.fact)
    if derive is None or known.value == OF_NO_CONTACT:
        return (value_of(known),)
    return derive(known, turn)


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


def follow(facts: dict[FactId, Values]) -> None:
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


def _of_action(known: Known, turn: Turn) -> Values:
    """What a contract alone says of an action for a reason: it is derived anew."""
    return (
        action_facts(turn.actions[1], turn.reason or "", target=turn.around.target)[known.fact],
    )


def _action_day(known: Known, turn: Turn) -> Values:
    """How often it was done that day is not in the record."""
    old, new = turn.actions
    if new is None:
        return (value_of(known)._replace(met=False),)
    if old is None:
        return _either(known)
    most = old.per_customer_day, new.per_customer_day
    return _toward(known, looser=most[1] > most[0], tighter=most[1] < most[0])


def _proven(known: Known, turn: Turn) -> Values:
    """How many questions counted is in the record, and not which: another list of them may leave some out."""
    found = _COUNTED.match(known.value)
    if found is None:  # a decision among the proof was none
        return (value_of(known)._replace(met=False),)
    old, new = turn.actions
    counted, needed = int(found[1]), new.matches if new is not None else 1
    then, now = (one.proof_fields if one is not None else frozenset() for one in (old, new))
    value, enough = value_of(known), counted >= needed
    more = then == now or not now or bool(then and then <= now)  # none named: all count
    fewer = then == now or not then or bool(now and now <= then)
    return (value._replace(met=enough),) if (more if enough else fewer) else _either(known)


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
    FactId.ACTION_OF_REASON: _of_action,
    FactId.ACTION_PLAIN: _of_action,
    FactId.ACTION_KEYLESS: _of_action,
    FactId.ACTION_DAY: _action_day,
    FactId.ACTION_PROVEN: _proven,
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
