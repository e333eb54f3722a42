"""What stands beside a policy: which fact it asks, when it is told to whom, and what to do about it.

The annotations of a ``forbid`` in ``guards/*.cedar`` and of the rules compiled from a contract are read into a
:class:`Rule` once. They are checked here, so that a misspelt one is found at start-up and in every test.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.kit.errors import InvalidInput
from holdfast.vocabulary.facts import FactId
from holdfast.vocabulary.levels import AuthLevel

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Effect(StrEnum):
    """What a rule does when its condition does not hold, strongest first."""

    DENY = "deny"
    APPROVE = "approve"  # unless a second person approved
    STEP_UP = "step_up"  # unless the person confirms who they are
    MASK = "mask"  # in clear; masked is fine


class Stage(StrEnum):
    """Whether a rule decides if the customer is visible at all, or what may be done (SPINE 2)."""

    VISIBILITY = "visibility"
    PERMISSION = "permission"


class Rule(NamedTuple):
    """One explainable condition. ``tier`` orders what is told when nothing may be seen: lower tiers first."""

    id: str
    effect: Effect
    stage: Stage
    fact: FactId
    label: str
    remedy: str
    tier: int = 0
    href: str = ""
    clause: str = ""
    level: AuthLevel = (
        AuthLevel.STEP_UP
    )  # the level that would meet it, for conditions about the level
    cover: str = ""  # id of the rule that is told in its place to those who may not know this one
    procedure: str = ""


_REQUIRED: Final = frozenset({"id", "procedure", "effect", "stage", "fact", "label", "remedy"})
_OPTIONAL: Final = frozenset({"tier", "href", "clause", "level", "cover"})


def rule_of(notes: Mapping[str, str]) -> Rule:
    """Read the annotations of one ``forbid``; :class:`InvalidInput` names what is missing, unknown or misspelt."""
    ident = notes.get("id", "(no id)")
    missing = sorted(_REQUIRED - notes.keys())
    odd = sorted(notes.keys() - _REQUIRED - _OPTIONAL)
    if missing or odd:
        what = [f"lacks @{name}" for name in missing] + [f"has unknown @{name}" for name in odd]
        raise InvalidInput(f"rule {ident} {', '.join(what)}", field=ident)
    try:
        return Rule(
            id=ident,
            effect=Effect(notes["effect"]),
            stage=Stage(notes["stage"]),
            fact=FactId(notes["fact"]),
            label=notes["label"],
            remedy=notes["remedy"],
            tier=int(notes.get("tier", "0")),
            href=notes.get("href", ""),
            clause=notes.get("clause", ""),
            level=AuthLevel(int(notes.get("level", "2"))),
            cover=notes.get("cover", ""),
            procedure=notes["procedure"],
        )
    except ValueError as error:
        raise InvalidInput(f"rule {ident}: {error}", field=ident) from error


def read_rules(policies: Iterable[tuple[str, dict[str, str]]]) -> tuple[Rule | None, ...]:
    """Read the rules of a policy set, position by position; ``None`` where a ``permit`` stands.

    :class:`InvalidInput` when two have the same id, or one covers a rule that does not exist.
    """
    read = tuple(rule_of(notes) if effect == "forbid" else None for effect, notes in policies)
    by_id: dict[str, Rule] = {}
    for rule in read:
        if rule is None:
            continue
        if by_id.setdefault(rule.id, rule) is not rule:
            raise InvalidInput(f"two rules are called {rule.id}", field=rule.id)
    for rule in by_id.values():
        if rule.cover and rule.cover not in by_id:
            raise InvalidInput(
                f"rule {rule.id} covers {rule.cover}, which does not exist", field=rule.id
            )
    return read
