"""What a new version of a contract changes, in words: what is wider, what is narrower. Pure.

It reads the two contracts, not the policies; whoever publishes sees it, and so can the client.
"""

from __future__ import annotations

from dataclasses import fields as fields_of
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from holdfast.vocabulary.contract import Contract

WIDER: Final = "wider"
NARROWER: Final = "narrower"
OTHER: Final = "other"


class Change(NamedTuple):
    """One difference. ``kind`` is ``wider``, ``narrower`` or ``other``."""

    kind: str
    where: str
    text: str


def changes(before: Contract, after: Contract) -> tuple[Change, ...]:
    """Return what differs, wider things first."""
    found = [
        *_programmes(before, after),
        *_queues(before, after),
        *_reasons(before, after),
        *_search(before, after),
        *_limits(before, after),
        *_approval(before, after),
        *_lists(before, after),
        *_rules(before, after),
        *_pdp(before, after),
        *_names("freeze.exempt_reasons", before.freeze_exempt, after.freeze_exempt),
        *_actions(before, after),
        *_exports(before, after),
        *_sets("incident.notify", before.notify, after.notify),
    ]
    order = {WIDER: 0, NARROWER: 1, OTHER: 2}
    return tuple(sorted(found, key=lambda change: order[change.kind]))


def _names(
    where: str, before: Iterable[str], after: Iterable[str], *, more: str = WIDER
) -> Iterator[Change]:
    old, new = set(before), set(after)
    less = NARROWER if more == WIDER else WIDER
    for name in sorted(new - old):
        yield Change(more, where, f"{name} is new")
    for name in sorted(old - new):
        yield Change(less, where, f"{name} is gone")


def _programmes(before: Contract, after: Contract) -> Iterator[Change]:
    old = {p.id: p for p in before.grants}
    new = {p.id: p for p in after.grants}
    yield from _names("programme", old, new)
    for name in sorted(old.keys() & new.keys()):
        yield from _names(f"programme {name}, roles", old[name].roles, new[name].roles)


def _queues(before: Contract, after: Contract) -> Iterator[Change]:
    yield from _names("queue", before.queues, after.queues)
    for name in sorted(before.queues.keys() & after.queues.keys()):
        old, new = before.queues[name], after.queues[name]
        where = f"queue {name}"
        if old.programme != new.programme:
            yield Change(WIDER, where, f"moves from {old.programme} to {new.programme}")
        yield from _names(f"{where}, reasons", old.reasons, new.reasons)
        if old.reasons[0] != new.reasons[0]:
            yield Change(OTHER, where, f"the default reason is {new.reasons[0]}")
        yield from _number(f"{where}, longest", old.longest_s, new.longest_s)
        yield from _number(f"{where}, wrap_up", old.wrap_up_s, new.wrap_up_s)


def _reasons(before: Contract, after: Contract) -> Iterator[Change]:
    yield from _names("reason", before.reasons, after.reasons)
    for name in sorted(before.reasons.keys() & after.reasons.keys()):
        old, new = before.reasons[name], after.reasons[name]
        yield from _sets(f"reason {name}, fields", old.fields, new.fields)
        yield from _sets(f"reason {name}, updates", old.updates, new.updates)
        yield from _sets(f"reason {name}, masked", old.masked, new.masked, more=NARROWER)
        yield from _sets(f"reason {name}, approval", old.approval, new.approval, more=NARROWER)


def _sets(
    where: str,
    before: Mapping[str, Iterable[str]],
    after: Mapping[str, Iterable[str]],
    *,
    more: str = WIDER,
) -> Iterator[Change]:
    for collection in sorted(before.keys() | after.keys()):
        yield from _names(
            f"{where}.{collection}",
            before.get(collection, ()),
            after.get(collection, ()),
            more=more,
        )


def _search(before: Contract, after: Contract) -> Iterator[Change]:
    for collection in sorted(before.search.by.keys() | after.search.by.keys()):
        old, new = before.search.by.get(collection), after.search.by.get(collection)
        where = f"search.by.{collection}"
        if old is None or new is None:  # not named: every field that the schema indexes
            if old != new:
                yield Change(
                    WIDER if new is None else NARROWER,
                    where,
                    "is named" if new else "is no longer named",
                )
            continue
        yield from _names(where, old, new)
    yield from _sets("search.shows", before.search.shows, after.search.shows)
    questions = (before.verification.questions, after.verification.questions)
    yield from _sets("verification.questions", *questions)


def _limits(before: Contract, after: Contract) -> Iterator[Change]:
    for area in ("budgets", "verification", "search"):
        old, new = getattr(before, area), getattr(after, area)
        for field in fields_of(old):
            left, right = getattr(old, field.name), getattr(new, field.name)
            if isinstance(left, int):
                yield from _number(
                    f"{area}.{field.name}", left, right, fewer=field.name in _STRICTER_WHEN_MORE
                )


def _approval(before: Contract, after: Contract) -> Iterator[Change]:
    old, new = before.approval, after.approval
    yield from _names("approval.roles", old.roles, new.roles)
    yield from _names("approval.on_call", old.on_call, new.on_call)
    yield from _number("approval.per_pair", old.per_pair, new.per_pair)
    yield from _number("approval.per_approver", old.per_approver, new.per_approver)
    if old.other_line != new.other_line:
        kind = NARROWER if new.other_line else WIDER
        yield Change(kind, "approval.other_line", f"is {str(new.other_line).lower()}")


#: Numbers of which more is stricter.
_STRICTER_WHEN_MORE: Final = frozenset({"needed", "miss_costs"})


def _number(where: str, before: int, after: int, *, fewer: bool = False) -> Iterator[Change]:
    if before != after:
        wider = (after > before) is not fewer
        yield Change(WIDER if wider else NARROWER, where, f"{before} → {after}")


def _lists(before: Contract, after: Contract) -> Iterator[Change]:
    for where in ("networks", "employers"):
        old, new = set(getattr(before, where)), set(getattr(after, where))
        if old == new:
            continue
        if not old or not new:  # an empty list allows all
            yield Change(NARROWER if new else WIDER, where, "only those named" if new else "any")
            continue
        yield from _names(where, old, new)
    yield from _names(
        "administration.second_person", before.second_person, after.second_person, more=NARROWER
    )
    if before.client_key != after.client_key:
        yield Change(OTHER, "client.signing_key", "another key signs from the next version on")


def _rules(before: Contract, after: Contract) -> Iterator[Change]:
    old = {rule.id: rule for rule in before.rules}
    new = {rule.id: rule for rule in after.rules}
    yield from _names("rule", old, new, more=NARROWER)
    for name in sorted(old.keys() & new.keys()):
        if old[name] != new[name]:
            yield Change(OTHER, f"rule {name}", "reads otherwise")


def _actions(before: Contract, after: Contract) -> Iterator[Change]:
    yield from _names("action", before.actions, after.actions)
    for name in sorted(before.actions.keys() & after.actions.keys()):
        old, new = before.actions[name], after.actions[name]
        where = f"action {name}"
        yield from _names(f"{where}, reasons", old.reasons, new.reasons)
        yield from _names(f"{where}, targets", old.targets, new.targets)
        yield from _sets(f"{where}, changes", old.changes, new.changes)
        yield from _number(f"{where}, proof.matches", old.matches, new.matches, fewer=True)
        yield from _number(f"{where}, per_customer_day", old.per_customer_day, new.per_customer_day)
        yield from _proof_fields(where, old.proof_fields, new.proof_fields)
        if old.level != new.level:
            stricter = new.level > old.level
            text = f"{old.level.name.lower()} → {new.level.name.lower()}"
            yield Change(NARROWER if stricter else WIDER, f"{where}, level", text)
        if old.approval != new.approval:
            text = "a second person approves" if new.approval else "nobody approves any more"
            yield Change(NARROWER if new.approval else WIDER, where, text)


def _proof_fields(where: str, before: frozenset[str], after: frozenset[str]) -> Iterator[Change]:
    if bool(before) is not bool(after):  # none named: every question counts
        text = "only those named" if after else "any question"
        yield Change(NARROWER if after else WIDER, f"{where}, proof.fields", text)
    else:
        yield from _names(f"{where}, proof.fields", before, after)


def _pdp(before: Contract, after: Contract) -> Iterator[Change]:
    """Rules about the client's own systems: one that reads otherwise counts as wider, since it may be."""
    old, new = ({rule.id: rule for rule in one.pdp} for one in (before, after))
    for effect, more in (("permit", WIDER), ("forbid", NARROWER)):
        gone, here = ({n for n, r in one.items() if r.effect == effect} for one in (old, new))
        yield from _names(f"pdp, {effect}", gone, here, more=more)
    for name in sorted(old.keys() & new.keys()):
        if old[name] != new[name] and old[name].effect == new[name].effect:
            yield Change(WIDER, f"pdp {name}", "reads otherwise")


def _exports(before: Contract, after: Contract) -> Iterator[Change]:
    yield from _names("export", before.exports, after.exports)
    for name in sorted(before.exports.keys() & after.exports.keys()):
        old, new = before.exports[name], after.exports[name]
        where = f"export {name}"
        yield from _sets(f"{where}, fields", old.fields, new.fields)
        yield from _sets(f"{where}, masked", old.masked, new.masked, more=NARROWER)
        yield from _names(f"{where}, reasons", old.reasons, new.reasons)
        yield from _names(f"{where}, recipients", old.recipients, new.recipients)
        for who in sorted(old.recipients.keys() & new.recipients.keys()):
            if old.recipients[who] != new.recipients[who]:
                yield Change(WIDER, f"{where}, recipients", f"{who} has another key")
        yield from _number(f"{where}, rows_at_most", old.rows_at_most, new.rows_at_most)
        yield from _number(f"{where}, hours", old.hours, new.hours)
