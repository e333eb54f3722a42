"""What a client has agreed to, compiled from ``contract.toml``: data that judges read, without I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

SECONDS_WRAP_UP = 120
SECONDS_LONGEST_CONTACT = 3600


@dataclass(frozen=True, slots=True)
class Reason:
    """A call type: the field set that it needs. ``masked`` names fields shown behind their mask for this reason."""

    id: str
    label: str
    fields: dict[str, frozenset[str]]  # collection → field names
    masked: dict[str, frozenset[str]] = field(default_factory=dict)
    updates: dict[str, frozenset[str]] = field(default_factory=dict)  # fields that may be changed
    clause: str = ""


@dataclass(frozen=True, slots=True)
class Queue:
    """A line of work with the reasons that may come in on it; the first is the default."""

    id: str
    programme: str
    reasons: tuple[str, ...]
    longest_s: int = SECONDS_LONGEST_CONTACT
    wrap_up_s: int = SECONDS_WRAP_UP


@dataclass(frozen=True, slots=True)
class Verification:
    """How a caller proves who they are: ``needed`` of ``questions`` (fields per collection) must match."""

    needed: int = 2
    questions: dict[str, tuple[str, ...]] = field(default_factory=dict)
    attempts_per_contact: int = 3
    attempts_per_day: int = 5


@dataclass(frozen=True, slots=True)
class Search:
    """Limits of search (SPINE 11)."""

    most_hits: int = 5
    values_per_contact: int = 3
    miss_costs: int = 3


@dataclass(frozen=True, slots=True)
class Budgets:
    """Per person and client; every number is a count in its sliding window."""

    customers_hour: int = 20
    customers_day: int = 90
    sensitive_fields_day: int = 60  # C3 and C4 fields
    searches_day: int = 200  # distinct values, a miss costs more


@dataclass(frozen=True)
class Contract:
    """One version of a client's contract."""

    client: str
    name: str
    version: int
    queues: dict[str, Queue]
    reasons: dict[str, Reason]
    verification: Verification = Verification()
    search: Search = Search()
    budgets: Budgets = Budgets()
    networks: tuple[str, ...] = ()  # CIDR ranges from which a look may come; empty: any
    employers: tuple[str, ...] = ()  # approved employers; empty: any
    client_key: str = ""  # Ed25519 vkey by which the client signs its contract; empty: unsigned
    clauses: dict[str, str] = field(default_factory=dict)  # key of the contract → clause
    digest: str = ""

    @cached_property
    def programmes(self) -> frozenset[str]:
        """All programmes named by the queues."""
        return frozenset(queue.programme for queue in self.queues.values())
