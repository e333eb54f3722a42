"""What is known of an act before it is judged: the action in the contract, the proof, what was done today. Pure.

Proof is a list of decisions, not of claims (SPINE 16). A decision counts if it is a verification of the same contact,
by the same person, of the same customer, and matched; its fields count once each, and not while their value is younger
than two days.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdfast.vocabulary.facts import FactId, FactState, FactValue
from holdfast.vocabulary.levels import AuthLevel, Operation

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from holdfast.spine.decision.records import Content
    from holdfast.vocabulary.contract import Action

MATCH: Final = "match"


def action_facts(
    action: Action | None, reason: str, *, target: str = ""
) -> dict[FactId, FactValue]:
    """What the contract says of an action for a reason; ``None`` is an action that it does not name.

    ``target`` is the system asked for, empty for the action's own.
    """
    level = action.level if action is not None else AuthLevel.POSSESSION
    here = action is not None and reason in action.reasons and target in {"", *action.targets}
    word = level.name.lower()
    return {
        FactId.ACTION_OF_REASON: _known(here, "allowed" if here else "not for this reason"),
        FactId.ACTION_PLAIN: _known(level < AuthLevel.STEP_UP, word),
        FactId.ACTION_KEYLESS: _known(level < AuthLevel.POSSESSION, word),
    }


def day_fact(action: Action | None, permitted: int) -> FactValue:
    """Whether the action may be done once more for this customer; ``permitted`` counts the last 24 hours."""
    left = action is not None and permitted < action.per_customer_day
    return _known(left, "not done too often" if left else "done often enough in the last 24 hours")


class Proof:
    """What the decisions given as proof are worth for one act."""

    def __init__(self, *, person: str, contact: str, customer: str) -> None:
        self._person = person
        self._contact = contact
        self._customer = customer
        self._matched: set[tuple[str, str]] = set()  # collection and field
        self._wrong: list[str] = []

    def take(self, asked: Iterable[str], found: Mapping[str, Content]) -> None:
        """Weigh decisions; ``found`` holds, by id, those that exist and were made by this very person."""
        for ident in dict.fromkeys(asked):
            wrong = self._why_not(found.get(ident))
            if wrong:
                self._wrong.append(wrong)
            else:
                record = found[ident]
                where = record.asked.collection
                self._matched |= {
                    (where, name) for name, how in record.fields.items() if how == MATCH
                }

    def _why_not(self, record: Content | None) -> str:
        """Why a decision proves nothing; of what is not the person's own in this contact, no more is told."""
        if (
            record is None
            or record.operation != Operation.VERIFY.value
            or record.person != self._person
            or not self._contact
            or record.contact != self._contact
        ):
            return "a decision that is no verification of yours in this contact"
        if not self._customer or record.customers != (self._customer,):
            return "a verification of another customer"
        if MATCH not in record.fields.values():
            return "a verification that did not match"
        return ""

    def fact(self, action: Action | None, young: Collection[tuple[str, str]]) -> FactValue:
        """Whether the proof is enough for ``action``: nothing false among it, and questions enough that count.

        ``young`` are collections and fields of the customer whose values are younger than two days.
        """
        if self._wrong:
            return _known(False, self._wrong[0])
        counted = {name for _, name in self._matched - set(young)}
        if action is not None and action.proof_fields:
            counted &= action.proof_fields
        needed = action.matches if action is not None else 1
        word = f"{len(counted)} of {needed} questions"
        if len(counted) < needed and not self._matched.isdisjoint(young):
            word += "; an answer that was changed in the last two days does not count"
        return _known(len(counted) >= needed, word)


def _known(met: bool, value: str) -> FactValue:  # noqa: FBT001  the one thing that it says
    return FactValue(FactState.KNOWN, met, value)
