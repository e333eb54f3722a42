"""What a past decision would have been by two contracts, and how the two differ."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from holdfast.spine.decision.groups import Grouping
from holdfast.spine.decision.judge import judge, outcome_of, whole_of
from holdfast.spine.decision.verdict import Permit
from holdfast.spine.replay.derived import Turn
from holdfast.spine.replay.rederive import circumstances, groups_for, question_of
from holdfast.vocabulary.facts import FactId
from holdfast.vocabulary.levels import Operation, Outcome, Presentation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from holdfast.spine.decision.judge import Judgement
    from holdfast.spine.decision.policies import ClientPolicies
    from holdfast.spine.decision.question import Group
    from holdfast.spine.replay.rederive import Circumstances, Way
    from holdfast.spine.replay.situation import Around, Situation
    from holdfast.vocabulary.contract import Contract
    from holdfast.vocabulary.schema import CollectionSchema

MOST_KEPT: Final = (
    20_000  # situations; the memory that a comparison takes does not grow with the days
)
_NO_GROUP: Final = -1
_ONE_FIELD: Final = ("",)
_COMBINED: Final = "verify.combined"
_SELECTIVE: Final = "search.selective"
_WHOLE: Final = frozenset({Operation.VERIFY, Operation.UPDATE, Operation.ACT})
_SHOWING: Final = frozenset({Operation.REVEAL, Operation.APPROVE})
_RANK: Final = {
    Outcome.DENY: 0,
    Outcome.APPROVAL: 1,
    Outcome.STEP_UP: 2,
    Outcome.PARTIAL: 3,
    Outcome.PERMIT: 4,
}
_SHOWN: Final = {"withheld": 0, "masked": 1, "clear": 2}


Contracts = tuple["Contract", "Contract"]  # of the decision's time, and the one that judges


class Answer(NamedTuple):
    """What came out: the outcome, how each field is shown, and the rules that refused or limited it."""

    outcome: Outcome
    shown: tuple[tuple[str, str], ...]
    rules: tuple[str, ...]

    @property
    def same_as(self) -> tuple[object, ...]:
        """What makes two answers equal to whoever gets them."""
        return self.outcome, self.shown


class Compared(NamedTuple):
    """Both answers; None where the record does not tell, and then ``gaps`` says what it lacks."""

    before: Answer | None
    after: Answer | None
    gaps: tuple[str, ...] = ()

    @property
    def told(self) -> bool:
        """Whether both are known."""
        return self.before is not None and self.after is not None

    @property
    def changed(self) -> bool:
        """Whether both are known and differ."""
        if self.before is None or self.after is None:
            return False
        return self.before.same_as != self.after.same_as

    @property
    def direction(self) -> str:
        """``wider``, ``narrower``, or ``other`` where some is more and some is less."""
        assert self.before is not None
        assert self.after is not None
        before, after = _RANK[self.before.outcome], _RANK[self.after.outcome]
        more, less = after > before, after < before
        if self.before.shown and self.after.shown:
            old, new = dict(self.before.shown), dict(self.after.shown)
            more |= any(_SHOWN[how] > _SHOWN[old.get(name, how)] for name, how in new.items())
            less |= any(_SHOWN[how] < _SHOWN[old.get(name, how)] for name, how in new.items())
        if more == less:
            return "other"
        return "wider" if more else "narrower"

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules to which the change is owed: those that refuse now and did not, or that do so no more."""
        assert self.before is not None
        assert self.after is not None
        old, new = self.before.rules, self.after.rules
        more = tuple(rule for rule in new if rule not in old)
        gone = tuple(rule for rule in old if rule not in new)
        return gone if self.direction == "wider" else more or gone

    @property
    def fields(self) -> tuple[tuple[str, str, str], ...]:
        """Fields that would be shown otherwise: name, before, after."""
        assert self.before is not None
        assert self.after is not None
        old, new = dict(self.before.shown), dict(self.after.shown)
        return tuple(
            (name, old[name], new[name]) for name in old if name in new and old[name] != new[name]
        )


class _Verdicts(NamedTuple):
    """What judgements came to, for groups of such a shape; which fields they hold does not matter to it."""

    outcome: Outcome
    whole: Outcome
    permits: tuple[
        Presentation | None, ...
    ]  # per group: how it is shown, None where it is not permitted
    rules: tuple[str, ...]
    errors: bool


class Comparison:
    """Compares decisions of one client under the contract in force with another one.

    ``then`` gives the compiled contract of a past version, None when it is not kept. Equal situations are judged once.
    """

    def __init__(
        self,
        in_force: ClientPolicies,
        other: ClientPolicies,
        *,
        schemas: Mapping[str, CollectionSchema],
        then: Callable[[int], Contract | None],
    ) -> None:
        self._in_force = in_force
        self._other = other
        self._schemas = schemas
        self._then = then
        self._known: dict[Situation, Compared] = {}
        self._stood: dict[tuple[Around, str], Circumstances] = {}
        self._groupings: dict[tuple[str, str, str, str], Grouping] = {}
        self._kinds: dict[Group, int] = {}  # what groups there are, whatever their fields; few
        self._verdicts: dict[tuple[object, ...], dict[int, _Verdicts]] = {}
        self.judged = 0  # distinct situations

    def compare(self, situation: Situation) -> Compared:
        """Judge the situation by both contracts."""
        found = self._known.get(situation)
        if found is None:
            if len(self._known) >= MOST_KEPT:
                self._known.clear()
            found = self._known[situation] = self._compare(situation)
            self.judged += 1
        return found

    def _compare(self, situation: Situation) -> Compared:
        then = self._then(situation.around.version)
        if then is None:
            return Compared(None, None, ("contract of its time",))
        before, gaps = self._answer(situation, then, self._in_force)
        if before is None:
            return Compared(None, None, gaps)
        after, gaps = self._answer(situation, then, self._other)
        return Compared(before, after, gaps if after is None else ())

    def _answer(
        self, situation: Situation, then: Contract, by: ClientPolicies
    ) -> tuple[Answer | None, tuple[str, ...]]:
        """Return the one answer, or None and why there is not one."""
        turn = Turn(situation.around, then, by.contract)
        stood = self._circumstances(turn)
        several: tuple[tuple[Group, ...], ...] = ()
        if stood.ways:
            several = groups_for(turn, situation, self._grouping(turn, stood.reason))
        gaps = (*stood.gaps, *(("searched field",) if len(several) > 1 else ()))
        answers: dict[tuple[object, ...], Answer] = {}
        for given in several:
            shape, groups = self._shaped(given)
            for way in stood.ways:
                found = self._judged(turn, by, (shape, stood.reason), way)
                if found.errors:
                    return None, ("not evaluated",)
                answer = _answer_of(
                    found, groups, situation, way=way, contracts=(then, by.contract)
                )
                if answer is None:
                    return None, ("hits of the search",)
                answers.setdefault(answer.same_as, answer)
        return (next(iter(answers.values())), ()) if len(answers) == 1 else (None, gaps)

    def _circumstances(self, turn: Turn) -> Circumstances:
        """Derive what hangs on a contract, once for all fields that were asked in the same circumstances."""
        key = (turn.around, turn.to.digest)
        found = self._stood.get(key)
        if found is None:
            if len(self._stood) >= MOST_KEPT:
                self._stood.clear()
            found = self._stood[key] = circumstances(turn)
        return found

    def _grouping(self, turn: Turn, reason: str) -> Grouping:
        around = turn.around
        key = (around.operation, around.collection, reason, turn.to.digest)
        found = self._groupings.get(key)
        if found is None:
            if len(self._groupings) >= MOST_KEPT:
                self._groupings.clear()
            schema = self._schemas.get(around.collection)
            found = Grouping(Operation(around.operation), turn.to, schema, reason=reason)
            self._groupings[key] = found
        return found

    def _shaped(self, groups: tuple[Group, ...]) -> tuple[tuple[int, ...], tuple[Group, ...]]:
        """Put groups into one order, whatever their fields; return it as numbers of what each group is."""
        kinds = self._kinds
        ranked = []
        for group in groups:
            kind = msgspec.structs.replace(group, fields=_ONE_FIELD)
            ranked.append((kinds.setdefault(kind, len(kinds)), group))
        ranked.sort(key=itemgetter(0))
        return tuple([number for number, _ in ranked]), tuple([group for _, group in ranked])

    def _judged(
        self, turn: Turn, by: ClientPolicies, asks: tuple[tuple[int, ...], str], way: Way
    ) -> _Verdicts:
        """Judge groups of such a shape, each once in the same circumstances.

        A group's verdict does not hang on what is asked beside it: the judge takes groups together only to be quicker,
        and may because the guards are monotone (SPINE 4).
        """
        shape, reason = asks
        around = turn.around
        asked = (around.operation, around.collection, reason)
        held = (around.programme, around.roles, around.programmes, around.level, around.approved)
        key = (by.digest, asked, held, way.key)
        known = self._verdicts.get(key)
        if known is None:
            if len(self._verdicts) >= MOST_KEPT:
                self._verdicts.clear()
            known = self._verdicts[key] = {}
        for number in shape or (_NO_GROUP,):
            if number not in known:
                groups = (list(self._kinds)[number],) if shape else ()
                question = question_of(turn, groups=groups, facts=way.facts, reason=reason)
                known[number] = _verdicts_of(judge(by, question))
        if len(shape) <= 1:
            return known[shape[0] if shape else _NO_GROUP]
        return _together([known[number] for number in shape])


def _verdicts_of(judgement: Judgement) -> _Verdicts:
    permits = tuple(map(_presented, judgement.verdicts)) if judgement.question.groups else ()
    return _Verdicts(
        judgement.outcome, judgement.whole, permits, judgement.rules, bool(judgement.errors)
    )


def _together(apart: Sequence[_Verdicts]) -> _Verdicts:
    outcomes = [one.outcome for one in apart]
    return _Verdicts(
        outcome_of(outcomes),
        whole_of(outcomes),
        tuple([one.permits[0] for one in apart]),
        tuple(dict.fromkeys([rule for one in apart for rule in one.rules])),
        any(one.errors for one in apart),
    )


def _presented(verdict: object) -> Presentation | None:
    return next(iter(verdict.fields.values()), None) if isinstance(verdict, Permit) else None


def _answer_of(
    found: _Verdicts,
    groups: tuple[Group, ...],
    situation: Situation,
    *,
    way: Way,
    contracts: Contracts,
) -> Answer | None:
    """What the operation makes of its judgement; None when that hangs on what the record does not hold."""
    operation = situation.around.operation
    outcome = found.outcome
    if operation in _WHOLE and outcome is not Outcome.PERMIT:
        outcome = found.whole
    if outcome in {Outcome.PERMIT, Outcome.PARTIAL}:
        later = _refused_later(way, situation, contracts)
        if later is None:
            return None
        if later:
            return Answer(Outcome.DENY, (), later)
    shown = _shown(found, groups) if operation in _SHOWING else ()
    return Answer(outcome, shown, found.rules)


def _refused_later(way: Way, situation: Situation, contracts: Contracts) -> tuple[str, ...] | None:
    """Rules outside the policies that refuse what these permit; None when the record does not tell."""
    then, contract = contracts
    operation = situation.around.operation
    extra = tuple(rule for rule in situation.extra_rules if rule not in {_COMBINED, _SELECTIVE})
    if operation == Operation.VERIFY:
        bound = way.facts.get(FactId.CUSTOMER_BOUND)
        unbound = bound is None or not bound.met
        if unbound and len(situation.fields) < contract.verification.needed:
            extra += (_COMBINED,)
    if operation == Operation.SEARCH:
        most, was = contract.search.most_hits, then.search.most_hits
        too_many = _SELECTIVE in situation.extra_rules
        permitted = situation.outcome == Outcome.PERMIT
        if situation.hits > most or (too_many and most <= was):
            extra += (_SELECTIVE,)
        elif too_many or (permitted and most < was):
            return None
    return extra


def _shown(found: _Verdicts, groups: tuple[Group, ...]) -> tuple[tuple[str, str], ...]:
    """How each field is shown, where any is."""
    if not any(found.permits):
        return ()
    shown = [
        (name, (how or Presentation.WITHHELD).value)
        for group, how in zip(groups, found.permits, strict=True)
        for name in group.fields
    ]
    return tuple(sorted(shown))
