"""What a judgement says of one group of fields: a permit, a step-up, an approval to ask for, or a denial.

A verdict is never true or false: ``if verdict`` raises (and mypy reports it), so a denial can not pass as a value that
happens to be truthy. A :class:`Permit` is made in :mod:`holdfast.spine.decision.judge` only; the vault decrypts what
one names, and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple, NoReturn

from holdfast.vocabulary.levels import Audience, AuthLevel, Operation, Presentation

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_MADE_BY_THE_JUDGE: Final = object()
_WEAKEST: Final = {Presentation.WITHHELD: 0, Presentation.MASKED: 1, Presentation.CLEAR: 2}


class RuleReason(NamedTuple):
    """One rule as a reader may see it: the condition, how the fact stands, what to do about it."""

    rule: str  # id of the rule: "contact.live"
    state: str  # met | unmet | unknown
    fact: str  # id of the fact that it asks
    value: str  # the fact's value, a few words, never personal data
    remedy_text: str
    remedy_href: str = ""
    audience: Audience = Audience.SELF
    clause: str = ""  # of the client's contract
    label: str = ""  # the condition in plain words
    effect: str = "deny"


class _Verdict:
    __slots__ = ()

    def __bool__(self) -> NoReturn:
        msg = f"a {type(self).__name__} is not true or false; match on its type"
        raise TypeError(msg)


@dataclass(frozen=True, slots=True, repr=False)
class Permit(_Verdict):
    """The right to open these fields of one customer, as shown, for one operation of one decision.

    ``customer`` is empty in the permit of a search until :meth:`for_customer` names a hit.
    """

    client: str
    customer: str
    collection: str
    operation: Operation
    fields: Mapping[str, Presentation]
    made_by: object

    def __post_init__(self) -> None:
        if self.made_by is not _MADE_BY_THE_JUDGE:
            msg = "a Permit is made by the judge only"
            raise TypeError(msg)

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}: {how.value}" for name, how in self.fields.items())
        return f"Permit({self.operation} {self.collection} {{{shown}}})"

    def __reduce__(self) -> NoReturn:
        msg = "a Permit does not leave the process, and is not copied"
        raise TypeError(msg)

    def for_customer(self, customer: str) -> Permit:
        """Name the hit of a search. ``ValueError`` for any other permit: it names its customer already."""
        if self.operation is not Operation.SEARCH or self.customer or not customer:
            msg = "only the permit of a search can still be given a customer, once"
            raise ValueError(msg)
        return replace(self, customer=customer)

    def masked(self, fields: Iterable[str]) -> Permit:
        """Return a narrower permit: only ``fields`` of these, and at most masked."""
        kept = {name: self.fields[name] for name in fields if name in self.fields}
        narrowed = {
            name: min(how, Presentation.MASKED, key=_WEAKEST.__getitem__)
            for name, how in kept.items()
        }
        return replace(self, fields=MappingProxyType(narrowed))


@dataclass(frozen=True, slots=True)
class StepUp(_Verdict):
    """It would be permitted if the person stood behind the request as strongly as ``level``."""

    reasons: tuple[RuleReason, ...]
    level: AuthLevel = AuthLevel.STEP_UP


@dataclass(frozen=True, slots=True)
class NeedsApproval(_Verdict):
    """It would be permitted if a second, independent person approved."""

    reasons: tuple[RuleReason, ...]


@dataclass(frozen=True, slots=True)
class Denial(_Verdict):
    """It is refused; nothing that the person alone can do now changes that."""

    reasons: tuple[RuleReason, ...]


Verdict = Permit | StepUp | NeedsApproval | Denial


def make_permit(
    client: str,
    customer: str,
    collection: str,
    *,
    operation: Operation,
    fields: Mapping[str, Presentation],
) -> Permit:
    """Make a permit. Called by the judge and by nobody else (``tests/architecture`` looks).

    ``fields`` are copied, unless they are a view that the judge shares among permits for the same fields.
    """
    shared = fields if type(fields) is MappingProxyType else MappingProxyType(dict(fields))
    return Permit(client, customer, collection, operation, shared, _MADE_BY_THE_JUDGE)
