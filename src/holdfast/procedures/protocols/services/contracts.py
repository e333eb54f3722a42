"""Checking, testing and publishing a client's contract."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.kit.errors import InvalidInput, NotFound
from holdfast.spine.administration.scene import administer, digest_of, enter
from holdfast.spine.decision.cases import Result, run_cases
from holdfast.spine.decision.changes import Change, changes
from holdfast.spine.decision.contract import compile_contract
from holdfast.spine.decision.policies import compile_policies
from holdfast.spine.decision.publish import (
    By,
    InForce,
    changes_told,
    clients,
    contract_in_force,
    draft,
    next_after,
    publish_contract,
)
from holdfast.spine.vault.load import load_collections
from holdfast.vocabulary.acts import Act

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.kit.db import Work
    from holdfast.spine.decision.policies import ClientPolicies
    from holdfast.spine.decision.publish import Draft
    from holdfast.spine.house import House
    from holdfast.vocabulary.contract import Contract
    from holdfast.vocabulary.schema import CollectionSchema


@dataclass(frozen=True, slots=True)
class Stand:
    """What a client has now: its contract in force and its collections."""

    text: str
    version: int
    contract: Contract
    schemas: Mapping[str, CollectionSchema]


@dataclass(frozen=True, slots=True)
class Checked:
    """A contract that compiles: its policies, what it would change, and how its own cases came out.

    ``in_force`` is the version that applies now (0: none), ``looked_up`` whether names of fields were looked up in the
    client's collections.
    """

    policies: ClientPolicies
    in_force: int
    looked_up: bool
    changes: tuple[Change, ...]
    results: tuple[Result, ...]

    @property
    def contract(self) -> Contract:
        """The contract."""
        return self.policies.contract

    @property
    def failed(self) -> tuple[Result, ...]:
        """Cases that were judged otherwise than they expect."""
        return tuple(r for r in self.results if not r.passed and not r.skipped)


def client_ids(house: House) -> Work[tuple[str, ...]]:
    """Return the ids of all clients, for somebody who may read contracts."""
    yield from administer(house, Act.CONTRACT_READ)
    return tuple(one.client for one in (yield from clients()))


def stand_of(house: House, client: str) -> Work[Stand]:
    """Load what a client has; :class:`NotFound` for an unknown one."""
    yield from administer(house, Act.CONTRACT_READ, clients=(client,))
    text, version = yield from contract_in_force(client)
    schemas = yield from load_collections(client)
    by_name = {schema.name: schema for schema in schemas}
    return Stand(text, version, compile_contract(text, version=version), by_name)


def check_contract(text: str, stand: Stand | None) -> Checked:
    """Compile a contract, say what it would change against ``stand``, and run its cases. Pure.

    Raises :class:`InvalidInput` with key and line for what does not compile. Names of fields are looked up when the
    client has collections.
    """
    schemas = stand.schemas if stand is not None else {}
    contract = compile_contract(text, schemas or None)
    if stand is not None and contract.client != stand.contract.client:
        raise InvalidInput(
            f"this is the contract of {contract.client}, not of {stand.contract.client}",
            field="client.id",
        )
    policies = compile_policies(contract)
    return Checked(
        policies=policies,
        in_force=stand.version if stand is not None else 0,
        looked_up=bool(schemas),
        changes=changes(stand.contract, contract) if stand is not None else (),
        results=run_cases(policies, schemas),
    )


def prepared(text: str, signature: bytes, stand: Stand) -> tuple[Checked, Draft]:
    """Check a contract that is to be published; a failing case refuses it.

    Raises :class:`InvalidInput` when it does not compile or a case fails, :class:`Denied` without a good signature of
    a client that signs.
    """
    checked = check_contract(text, stand)
    if checked.failed:
        names = ", ".join(f'"{result.case.name}"' for result in checked.failed)
        raise InvalidInput(
            f"the contract's own tests fail: {names}",
            field="test",
            remedy="`holdfast policy test --contract FILE` shows how each was judged.",
        )
    made = draft(text, signature=signature, schemas=stand.schemas or None, in_force=stand.contract)
    return checked, made


def published(house: House, made: Draft) -> Work[InForce]:
    """Put the contract in force as the acting person; one that lets more be seen takes a second person."""
    entered = yield from enter(house, Act.CONTRACT_PUBLISH)
    # What could not be published anyway is not worth a second person's time.
    yield from next_after(made, now_us=house.clock.now_us())
    before = made.against.digest if made.against is not None else ""
    scene = yield from entered.judge(
        clients=(made.contract.client,),
        widens=made.widens,
        digest=digest_of(before, made.contract.digest),
        summary={"contract": made.contract.digest, "changes": changes_told(made.changes)},
    )
    by = By(scene.acting.person, scene.acting.reference, scene.second)
    return (yield from publish_contract(made, by, now_us=scene.now_us))


def unknown_client(error: NotFound) -> bool:
    """Tell whether nothing stands yet that a contract could be compared with: no house, or no such client."""
    return error.code in {"no_house", "no_client"}
