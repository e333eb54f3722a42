"""What a client has agreed to, compiled from ``contract.toml``: data that judges read, without I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from holdfast.vocabulary.levels import AuthLevel, Operation

SECONDS_WRAP_UP = 120
SECONDS_LONGEST_CONTACT = 3600
HOURS_EXPORT = 72


@dataclass(frozen=True, slots=True)
class Programme:
    """A line of the client's business. Who is assigned to it in one of ``roles`` may work its contacts."""

    id: str
    label: str = ""
    roles: tuple[str, ...] = ("agent", "lead")
    clause: str = ""


@dataclass(frozen=True, slots=True)
class Reason:
    """A call type: the field set that it needs. ``masked`` names fields shown behind their mask for this reason.

    All four maps are collection → field names; ``approval`` names fields that need a second person's approval.
    """

    id: str
    label: str
    fields: dict[str, frozenset[str]]
    masked: dict[str, frozenset[str]] = field(default_factory=dict)
    updates: dict[str, frozenset[str]] = field(default_factory=dict)  # fields that may be changed
    clause: str = ""
    approval: dict[str, frozenset[str]] = field(default_factory=dict)


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
    """Limits of search (SPINE 11). ``by`` and ``shows`` are collection → field names.

    A collection that ``by`` does not name may be searched by every field that its schema indexes for search. ``shows``
    are the fields of a hit, always masked and never above C1; without them a hit shows the masked C1 fields of the
    contact's reason.
    """

    most_hits: int = 5
    values_per_contact: int = 3
    miss_costs: int = 3
    by: dict[str, frozenset[str]] = field(default_factory=dict)
    shows: dict[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Budgets:
    """Per person and client; every number is a count in its sliding window."""

    customers_hour: int = 20
    customers_day: int = 90
    sensitive_fields_day: int = 60  # C3 and C4 fields
    searches_day: int = 200  # distinct values, a miss costs more


@dataclass(frozen=True, slots=True)
class Action:
    """Something done to a customer's account, here or in another system: a reset, a change of payout (SPINE 16).

    ``matches`` is how many different questions the caller must have answered in the same contact; ``proof_fields`` are
    those that count (empty: all questions of the contract). ``changes`` is collection → fields that the action changes
    in the vault, ``targets`` are the systems that may be told to do it. ``level`` is the least that the person must
    stand behind it with.
    """

    id: str
    label: str
    reasons: tuple[str, ...]
    matches: int = 2
    proof_fields: frozenset[str] = frozenset()
    approval: bool = False
    changes: dict[str, frozenset[str]] = field(default_factory=dict)
    targets: tuple[str, ...] = ()
    level: AuthLevel = AuthLevel.STEP_UP
    per_customer_day: int = 1
    clause: str = ""


@dataclass(frozen=True, slots=True)
class Approval:
    """Who may be the second person, and how often in a shift of twelve hours (SPINE 15).

    ``roles`` are those of an assignment to the programme concerned. With ``other_line`` the approver stands neither
    above nor below the requester. ``on_call`` are staff ids of client users who may approve a break-glass.
    """

    roles: tuple[str, ...] = ("lead", "security")
    per_pair: int = 3
    per_approver: int = 12
    other_line: bool = False
    on_call: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Export:
    """What may leave the house in a file, to whom and why (SPINE 16).

    ``fields`` and ``masked`` are collection → field names; ``recipients`` maps ids to X25519 public keys. The file is
    deleted ``hours`` after it was asked for.
    """

    id: str
    label: str
    fields: dict[str, frozenset[str]]
    recipients: dict[str, str]
    reasons: tuple[str, ...]
    rows_at_most: int
    masked: dict[str, frozenset[str]] = field(default_factory=dict)
    hours: int = HOURS_EXPORT
    clause: str = ""


@dataclass(frozen=True, slots=True)
class ContractRule:
    """A refusal that the contract adds to the house's own. It can only narrow; all its conditions must hold.

    An empty condition holds always. ``effect`` is ``deny``, ``step_up``, ``approve`` or ``mask``.
    """

    id: str
    effect: str
    label: str  # the condition that must hold, in plain words
    remedy: str
    clause: str = ""
    operations: tuple[str, ...] = ()
    programmes: tuple[str, ...] = ()
    collections: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    classes_from: int = 0  # applies to fields of this class and above
    except_roles: tuple[str, ...] = ()


PdpValue = str | int | bool


@dataclass(frozen=True, slots=True)
class PdpRule:
    """A rule about the client's own systems (AuthZEN). All its conditions must hold; an empty one holds always.

    ``effect`` is ``permit`` or ``forbid``; a forbid wins. ``subject``, ``resource`` and ``action`` are property → the
    values that meet it; a property that was not sent meets nothing.
    """

    id: str
    effect: str
    resource_type: str
    actions: tuple[str, ...] = ()
    subject_type: str = ""
    subjects: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    subject: dict[str, tuple[PdpValue, ...]] = field(default_factory=dict)
    resource: dict[str, tuple[PdpValue, ...]] = field(default_factory=dict)
    action: dict[str, tuple[PdpValue, ...]] = field(default_factory=dict)
    unless_subject: dict[str, tuple[PdpValue, ...]] = field(default_factory=dict)
    clause: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """A test of the contract by its own author: a situation, and how it must be judged."""

    name: str
    expect: str  # permit | masked | step_up | approval | deny | hidden
    operation: str
    programme: str
    queue: str
    reason: str
    collection: str
    fields: tuple[str, ...] = ()
    roles: tuple[str, ...] = ("agent",)
    level: str = "bearer"
    unmet: tuple[str, ...] = ()  # facts that do not hold; all others do
    unknown: tuple[str, ...] = ()
    action: str = ""  # of an act
    because: str = ""  # id of a rule that must be among the reasons


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
    approval: Approval = Approval()
    networks: tuple[str, ...] = ()  # CIDR ranges from which a look may come; empty: any
    employers: tuple[str, ...] = ()  # approved employers; empty: any
    client_key: str = ""  # Ed25519 vkey by which the client signs its contract; empty: unsigned
    clauses: dict[str, str] = field(default_factory=dict)  # key of the contract → clause
    digest: str = ""
    grants: tuple[Programme, ...] = ()  # who may work which programme
    rules: tuple[ContractRule, ...] = ()
    cases: tuple[Case, ...] = ()
    pdp: tuple[PdpRule, ...] = ()
    freeze_exempt: frozenset[str] = frozenset()  # reasons of contacts that go on while it is frozen
    second_person: frozenset[str] = frozenset()  # acts (vocabulary.acts) that take an approval
    actions: dict[str, Action] = field(default_factory=dict)
    exports: dict[str, Export] = field(default_factory=dict)
    # collection → fields that may be kept of an erased customer, to tell them of a breach
    notify: dict[str, frozenset[str]] = field(default_factory=dict)

    @cached_property
    def programmes(self) -> frozenset[str]:
        """All programmes of the client."""
        return frozenset(programme.id for programme in self.grants)

    def roles_for(self, programme: Programme, operation: Operation) -> tuple[str, ...]:
        """The roles of an assignment to ``programme`` that may do ``operation`` there."""
        return self.approval.roles if operation is Operation.APPROVE else programme.roles
