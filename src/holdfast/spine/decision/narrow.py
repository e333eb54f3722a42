"""A policy set narrowed to one operation: the same answers, for less (docs/decisions/0013).

Three things are taken out, none of which can change an answer to a request for this operation:

* policies whose scope names other operations only;
* the test of the operation in those that remain, which always holds;
* facts that none of them asks for.

What is not understood stays as it is. ``tests/properties/test_narrowing.py`` asks both sets the same questions.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

Json = dict[str, Any]
_ALL: Final = {"op": "All"}
_SETS: Final = frozenset({"met", "unknown"})


class Narrowed(NamedTuple):
    """Policies of one operation, by their position in the whole set. ``facts`` are all that they ask, None: any."""

    policies: Json
    facts: frozenset[str] | None


def narrow(policies: Json, action: str, *, group: str) -> Narrowed:
    """Narrow Cedar's JSON policies to ``action``; ``group`` is the action that contains all others."""
    kept = {}
    for name, policy in policies["staticPolicies"].items():
        covers = _covers(policy["action"], action, group)
        if covers is not False:
            kept[name] = {**policy, "action": _ALL} if covers else policy
    return Narrowed({**policies, "staticPolicies": kept}, _facts(list(kept.values())))


def _covers(scope: Json, action: str, group: str) -> bool | None:
    """Whether the scope of a policy holds for the action; None when it is not understood."""
    named = scope.get("entities", [scope["entity"]] if "entity" in scope else None)
    if scope == _ALL:
        return True
    if scope.get("op") not in {"==", "in"} or named is None:
        return None
    ids = [entity.get("id") if entity.get("type") == "Action" else None for entity in named]
    if None in ids:
        return None
    if scope["op"] == "in" and group in ids:
        return True
    return action in ids


def _facts(policies: list[Json]) -> frozenset[str] | None:
    """The facts asked for by ``context.met.contains("…")`` and its like; None if the sets are used in another way."""
    asked: set[str] = set()
    uses = 0
    stack: list[Any] = list(policies)
    while stack:
        here = stack.pop()
        if isinstance(here, list):
            stack.extend(here)
        elif isinstance(here, dict):
            fact = _asked(here)
            if fact is not None:
                asked.add(fact)
                uses -= 1
            uses += _is_set(here)
            stack.extend(here.values())
    return frozenset(asked) if uses == 0 else None


def _asked(node: Json) -> str | None:
    """The literal of ``context.met.contains("literal")``."""
    contains = node.get("contains")
    if not isinstance(contains, dict) or not _is_set(contains.get("left")):
        return None
    value = contains.get("right", {}).get("Value")
    return value if isinstance(value, str) else None


def _is_set(node: Any) -> bool:
    """Whether the node is ``context.met`` or ``context.unknown``, written with a dot or in any other way."""
    if not isinstance(node, dict):
        return False
    return any(isinstance(v, dict) and v.get("attr") in _SETS for v in node.values())
