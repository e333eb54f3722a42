"""A client's policies: the house's guards, the grants and rules of the client's contract, parsed once.

Grants are data: one ``permit`` per programme says which roles may work it, and a person's assignment is membership.
Everything else is a ``forbid`` that says one thing a person can understand.
"""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from holdfast.kit.canonical import length_prefixed
from holdfast.kit.db import Round
from holdfast.kit.errors import HoldfastError, IntegrityBroken, InvalidInput, NotFound
from holdfast.spine.decision.contract import compile_contract
from holdfast.spine.decision.engine import Engine, annotated, parsed, quoted, validate
from holdfast.spine.decision.narrow import narrow
from holdfast.spine.decision.pdp import Pdp
from holdfast.spine.decision.question import Look, asking
from holdfast.spine.decision.rules import Rule, Stage, read_rules
from holdfast.spine.decision.store import CLIENT, CONTRACT, FENCES
from holdfast.spine.decision.toml import nearest
from holdfast.vocabulary.contract import Contract

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.kit.db import Row, Work
    from holdfast.spine.decision.engine import Answer, Slice
    from holdfast.spine.decision.question import Group
    from holdfast.vocabulary.contract import ContractRule, Programme

MOST_POLICIES: Final = 60  # asked for one operation: a judgement's time grows with their number
_LAST_COMPILED: Final = 8
GUARDS: Final = {
    Stage.VISIBILITY: ("visibility",),
    Stage.PERMISSION: ("permission", "budgets", "reason", "act", "provisional"),
}
ALL_WORK: Final = "work"  # the action in the schema that contains all operations
WORK: Final = (
    "search",
    "reveal",
    "verify",
    "update",
    "act",
    "reason",
    "provisional",
    "outage",
)
#: All that is judged. Who may work a programme may not thereby approve: that is a grant of its own.
OPERATIONS: Final = (*WORK, "approve")


@lru_cache(maxsize=8)
def guards_text(stage: Stage) -> str:
    """The house's guards of one stage."""
    folder = files("holdfast.spine.decision").joinpath("guards")
    return "\n".join(folder.joinpath(f"{name}.cedar").read_text("utf-8") for name in GUARDS[stage])


@lru_cache(maxsize=1)
def schema_text() -> str:
    """The schema that every policy and every request must fit."""
    folder = files("holdfast.spine.decision").joinpath("guards")
    return folder.joinpath("schema.cedarschema").read_text("utf-8")


def digest_of(*texts: str) -> str:
    """SHA-256 over length-prefixed texts, hexadecimal."""
    return sha256(length_prefixed(*(text.encode() for text in texts))).hexdigest()


def group_of(action: str) -> str:
    """The action that contains ``action`` in the schema; itself where none does."""
    return ALL_WORK if action in WORK else action


class RuleSet:
    """Policies with what is told about each: ``rules`` by position in the text, None for a grant.

    The engine is asked a set narrowed to the operation, made on first use; it gives the same answers.
    """

    def __init__(self, text: str, clauses: Mapping[str, str]) -> None:
        self.text = text
        self.policies = parsed(text)
        self.rules: tuple[Rule | None, ...] = tuple(
            rule and rule._replace(clause=rule.clause or clause_of(rule.id, clauses))
            for rule in read_rules(annotated(self.policies))
        )
        self._narrowed: dict[str, tuple[Engine, frozenset[str] | None]] = {}

    def __len__(self) -> int:
        return len(self.rules)

    def ask(self, action: str, held: Slice, look: object) -> Answer:
        """Put one request to the engine; see :meth:`holdfast.spine.decision.engine.Engine.ask`."""
        engine, facts = self._narrowed.get(action) or self._narrow(action)
        if facts is not None and isinstance(look, Look):
            look = asking(look, facts)
        return engine.ask(action, held, look)

    def _narrow(self, action: str) -> tuple[Engine, frozenset[str] | None]:
        if action not in OPERATIONS:
            return Engine(self.policies, schema_text()), None
        narrowed = narrow(self.policies, action, group=group_of(action))
        made = Engine(narrowed.policies, schema_text()), narrowed.facts
        self._narrowed[action] = made
        return made

    def prepare(self) -> None:
        """Make the engines of all operations now, not when the first of each is asked."""
        for action in OPERATIONS:
            if action not in self._narrowed:
                self._narrow(action)

    def most_for_one_operation(self) -> tuple[str, int]:
        """Return the operation to which most policies apply, and how many do (docs/decisions/0017)."""
        counts = {
            name: len(narrow(self.policies, name, group=group_of(name)).policies["staticPolicies"])
            for name in OPERATIONS
        }
        most = max(counts, key=counts.__getitem__)
        return most, counts[most]

    def forget(self) -> None:
        """Drop what the engines remember of their answers."""
        for engine, _ in self._narrowed.values():
            engine.forget()

    def fired(self, answer: Answer) -> list[Rule]:
        """The rules that refused; empty when no grant matched."""
        found = [self.rules[position] for position in answer.fired]
        return [rule for rule in found if rule is not None]


class ClientPolicies:
    """One client's contract and policies, ready to judge. Safe to share between threads.

    ``whole`` is what permits. ``visibility`` is the first stage alone, with the same grants: asked after a refusal, it
    tells whether the customer may be known at all.
    """

    def __init__(self, contract: Contract, extra: str = "") -> None:
        grants = "\n".join(_grant(contract.client, programme) for programme in contract.grants)
        approvers = "\n".join(_approvers(contract, programme) for programme in contract.grants)
        added = "\n".join(_rule(contract.client, rule) for rule in contract.rules)
        first = _text(guards_text(Stage.VISIBILITY), grants, approvers)
        self.contract = contract
        self.text = _text(first, guards_text(Stage.PERMISSION), added, extra)
        self.schema_digest = digest_of(schema_text())
        self.pdp = Pdp(contract.pdp)
        outside = (self.pdp.text, self.pdp.schema) if contract.pdp else ()
        self.digest = digest_of(self.text, schema_text(), *outside)
        # What an approval is bound to: field sets and masks stand in the contract, not in the policies' text.
        self.bound = digest_of(self.digest, contract.digest)
        self.whole = RuleSet(self.text, contract.clauses)
        self.visibility = RuleSet(first, contract.clauses)
        self.by_id: dict[str, Rule] = {rule.id: rule for rule in self.whole.rules if rule}
        self.groups: dict[tuple[object, ...], tuple[Group, ...]] = {}  # kept by the path

    def __len__(self) -> int:
        return len(self.whole)


def clause_of(rule: str, clauses: Mapping[str, str]) -> str:
    """The contract's clause behind a rule: named for the rule itself, or for its area (``budget``, ``contact`` …)."""
    return clauses.get(rule) or clauses.get(rule.partition(".")[0], "")


def _text(*parts: str) -> str:
    return "\n".join(part for part in parts if part)


def compile_policies(contract: Contract, *, extra: str = "") -> ClientPolicies:
    """Compile and validate a client's policies; ``extra`` is more policy text of the house's own.

    Raises :class:`InvalidInput` when the strict validator objects, when a rule's annotations are wrong, or when there
    are more than :data:`MOST_POLICIES` for one operation.
    """
    policies = ClientPolicies(contract, extra)
    found = validate(policies.text, schema_text())
    if found:
        raise InvalidInput(f"the compiled policies are not valid: {'; '.join(found)}")
    if any(
        rule is not None and rule.stage is Stage.PERMISSION for rule in policies.visibility.rules
    ):
        raise InvalidInput("a rule of the permission stage stands among the visibility guards")
    _check_names(policies)
    operation, count = policies.whole.most_for_one_operation()
    if count > MOST_POLICIES:
        raise InvalidInput(
            f"{count} policies apply to {operation}; {MOST_POLICIES} are the most",
            field="rule",
            remedy="Join programmes, or rules that say nearly the same.",
        )
    return policies


def _check_names(policies: ClientPolicies) -> None:
    """Refuse rules that a contract names and that do not exist: behind a clause, or as the reason of a case."""
    grants = {f"grant.{programme.id}" for programme in policies.contract.grants}
    for n, case in enumerate(policies.contract.cases, 1):
        rules = policies.by_id.keys() | grants
        if case.because and case.because not in rules:
            raise InvalidInput(
                f'contract.toml: test[{n}].because: there is no rule "{case.because}"{nearest(case.because, rules)}',
                field=f"test[{n}].because",
            )
    known = {part for rule in policies.by_id for part in (rule, rule.partition(".")[0])}
    for name in policies.contract.clauses:
        if name not in known:
            raise InvalidInput(
                f'contract.toml: clauses.{name}: there is no rule or area "{name}"{nearest(name, known)}',
                field=f"clauses.{name}",
            )


def _grant(client: str, programme: Programme) -> str:
    roles = " || ".join(f"principal in Role::{quoted(role)}" for role in programme.roles)
    return (
        f'@id({quoted(f"grant.{programme.id}")}) @procedure("access") @clause({quoted(programme.clause)})\n'
        f'permit (principal, action in Action::"work", resource == Programme::{quoted(f"{client}/{programme.id}")})\n'
        f"when {{ principal in resource && ({roles}) }};\n"
    )


def _approvers(contract: Contract, programme: Programme) -> str:
    roles = " || ".join(f"principal in Role::{quoted(role)}" for role in contract.approval.roles)
    name = quoted(f"{contract.client}/{programme.id}")
    return (
        f'@id({quoted(f"approvers.{programme.id}")}) @procedure("access")\n'
        f'permit (principal, action == Action::"approve", resource == Programme::{name})\n'
        f"when {{ principal in resource && ({roles}) }};\n"
    )


_ALREADY_MET: Final = {
    "step_up": "context.level < 2",
    "approve": "!context.approved",
    "mask": "context.clear",
}


def _rule(client: str, rule: ContractRule) -> str:
    conditions = []
    if rule.classes_from:
        conditions.append(f"context.class >= {rule.classes_from}")
    for attribute, values in (("collection", rule.collections), ("reason", rule.reasons)):
        if values:
            conditions.append(_one_of(f"context.{attribute}", values))
    if rule.programmes:
        named = [f"resource == Programme::{quoted(f'{client}/{name}')}" for name in rule.programmes]
        conditions.append(f"({' || '.join(named)})")
    if rule.effect in _ALREADY_MET:
        conditions.append(_ALREADY_MET[rule.effect])
    excepted = [f"principal in Role::{quoted(role)}" for role in rule.except_roles]
    # The waiver is no fact that anybody puts: with it, the explanation can ask what would be without this rule.
    waived = f"context.met.contains({quoted(waiver(rule.id))})"
    ident = quoted(f"contract.{rule.id}")
    return (
        f'@id({ident}) @procedure("protocols") @effect({quoted(rule.effect)}) @stage("permission")\n'
        + ('@href("/v1/approvals")\n' if rule.effect == "approve" else "")
        + f'@fact("contract_rule") @label({quoted(rule.label)}) @remedy({quoted(rule.remedy)})\n'
        f"@clause({quoted(rule.clause)})\n"
        f"forbid (principal, {_scope(rule.operations, rule.effect)}, resource)\n"
        + (f"when {{ {' && '.join(conditions)} }}\n" if conditions else "")
        + f"unless {{ {' || '.join([*excepted, waived])} }};\n"
    )


def waiver(rule: str) -> str:
    """The id under which the condition of a contract's rule would stand in the set ``met``."""
    return f"rule:{rule}"


_OF_WORK: Final = frozenset({"approve", "mask"})


def _scope(operations: tuple[str, ...], effect: str) -> str:
    named = [f'Action::"{name}"' for name in WORK if name in operations]
    if named:
        return f"action in [{', '.join(named)}]"
    # Asked of the approver as well, a rule that wants an approval could never be met.
    return f'action in Action::"{ALL_WORK}"' if effect in _OF_WORK else "action"


def _one_of(attribute: str, values: tuple[str, ...]) -> str:
    return f"({' || '.join(f'{attribute} == {quoted(value)}' for value in values)})"


@lru_cache(maxsize=1)
def no_client() -> ClientPolicies:
    """Policies of a client that does not exist: no grant, so that every question is refused as for a hidden one."""
    return compile_policies(Contract(client="", name="", version=0, queues={}, reasons={}))


class PolicyCache:
    """Compiled policies per client, valid while the client's fence stands (SPINE 5).

    The fence rises with whatever may narrow access, also where the contract stays the same; then the contract's row is
    read anew, and compiled anew only if it is another one.
    """

    def __init__(self) -> None:
        self._entries: dict[str, tuple[int, ClientPolicies]] = {}

    def get(self, client: str, fence: int) -> ClientPolicies | None:
        """Return what was compiled under this fence, or None."""
        entry = self._entries.get(client)
        return entry[1] if entry is not None and entry[0] == fence else None

    def put(self, client: str, fence: int, row: Row) -> ClientPolicies:
        """Take a ``CONTRACT`` row read under ``fence``; compile it unless it is the one that stands already."""
        text, digest = row[0], row[1]
        entry = self._entries.get(client)
        if entry is not None and entry[1].contract.digest == digest:
            policies = entry[1]
        else:
            policies = _compiled(client, text, digest, row[3])
        self._entries[client] = (fence, policies)
        return policies


def warm(cache: PolicyCache) -> Work[int]:
    """Compile what the cache lacks of any client, engines too; return how many clients' policies that were.

    For a process that serves, outside any transaction: compiling takes a tenth of a second and more, for which the
    writer's lock would be held otherwise. A client whose contract does not compile stays as it is: who asks for it is
    told. The fence is read before the contract, so that what is kept is never older than its fence says.
    """
    made = 0
    (rows,) = yield Round(data=(FENCES(),))
    for client, fence in rows:
        if cache.get(client, fence) is not None:
            continue
        (contract,) = yield Round(data=(CONTRACT(client=client),))
        with suppress(HoldfastError):
            policies = cache.put(client, fence, contract[0])
            policies.whole.prepare()
            policies.visibility.prepare()
            made += 1
    return made


def _compiled(client: str, text: str, digest: str, version: int) -> ClientPolicies:
    if sha256(text.encode()).hexdigest() == digest:
        policies = _of_text(text, version)
        if policies.contract.client == client:
            return policies
    raise IntegrityBroken(
        f"the stored contract of {client} is not the one published",
        remedy="Compare decision_contract with the client's log, and publish the right version.",
    )


@lru_cache(maxsize=_LAST_COMPILED)
def _of_text(text: str, version: int) -> ClientPolicies:
    """Compile a contract that was published; the last few are kept for other caches of this process.

    What comes of a text is the same in every house; a fence says what counts, never this memory.
    """
    return compile_policies(compile_contract(text, version=version))


def current_policies(cache: PolicyCache, client: str) -> Work[ClientPolicies]:
    """Return the client's policies as they stand in this transaction; :class:`NotFound` for an unknown client."""
    (rows,) = yield Round(data=(CLIENT(client=client),))
    if not rows:
        raise NotFound(f"there is no client {client!r}")
    fence = rows[0][3]
    found = cache.get(client, fence)
    if found is None:
        (rows,) = yield Round(data=(CONTRACT(client=client),))
        if not rows:
            raise NotFound(f"client {client!r} has no contract")
        found = cache.put(client, fence, rows[0])
    return found
