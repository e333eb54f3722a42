"""Taking on a client, and putting a version of its contract in force. Each leaves a leaf in the client's log.

:func:`draft` does what takes time (compiling, validating, checking the signature) before any transaction;
:func:`add_client` and :func:`publish_contract` only write.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.kit.canonical import length_prefixed
from holdfast.kit.db import Round
from holdfast.kit.errors import Conflict, Denied, InvalidInput, NotFound
from holdfast.kit.ids import new_id, random_bytes
from holdfast.spine.decision.changes import NARROWER, OTHER, changes
from holdfast.spine.decision.contract import compile_contract
from holdfast.spine.decision.freezing import standing_of
from holdfast.spine.decision.policies import ClientPolicies, compile_policies
from holdfast.spine.decision.signature import check_signature, read_signature
from holdfast.spine.decision.store import (
    ADD_CLIENT,
    ADD_CONTRACT,
    CLIENT,
    CLIENT_IS_OUTDATED,
    CLIENTS,
    CONTRACT,
    CONTRACTS,
    USE_CONTRACT,
)
from holdfast.spine.identity.references import reference_of
from holdfast.spine.ledger.recorder import append
from holdfast.spine.ledger.sequencer import sure_us
from holdfast.vocabulary.ids import HOUSE_LOG, LEAF, client_log
from holdfast.vocabulary.leaves import Leaf, LeafType

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from holdfast.kit.db import Query, Work
    from holdfast.spine.decision.changes import Change
    from holdfast.vocabulary.contract import Contract
    from holdfast.vocabulary.schema import CollectionSchema

SALT_BYTES: Final = 16
MOST_CHANGES_TOLD: Final = 64
_LABEL: Final = b"holdfast/contract/v1"


@dataclass(frozen=True, slots=True)
class Draft:
    """A contract that could be put in force: compiled, valid, its signature checked if one came with it."""

    text: str
    policies: ClientPolicies
    signature: bytes = b""
    against: Contract | None = None  # the version in force that it would replace

    @property
    def contract(self) -> Contract:
        """The compiled contract."""
        return self.policies.contract

    @property
    def changes(self) -> tuple[Change, ...]:
        """What it changes; nothing of a first version, before which nothing could be seen."""
        return () if self.against is None else changes(self.against, self.contract)

    @property
    def widens(self) -> bool:
        """Whether more might be seen by it. What is neither wider nor narrower might be."""
        return any(change.kind != NARROWER for change in self.changes)


class By(NamedTuple):
    """Who does it: the person, how to find their reference in a log, and the second person who approved it or ""."""

    person: str
    reference: Callable[[str], Work[str]]
    second: str = ""


class InForce(NamedTuple):
    """A version that took effect."""

    client: str
    version: int
    policies: str
    signed: bool
    changed: bool = True  # False: it was in force already


class Listed(NamedTuple):
    """A client as lists show it."""

    client: str
    name: str
    state: str
    contract_version: int
    fence: int
    added_us: int
    frozen_until_us: int
    signature: str  # of the contract in force; "" when the client did not sign it


class Version(NamedTuple):
    """A published version of a contract."""

    version: int
    digest: str
    policies: str
    signed: bool
    published_us: int
    by: str


def draft(
    text: str,
    *,
    signature: bytes = b"",
    schemas: Mapping[str, CollectionSchema] | None = None,
    in_force: Contract | None = None,
) -> Draft:
    """Compile and check a contract. ``in_force`` is the client's present one, None for a new client.

    A contract that names a signing key must be signed with it when the client is new; a later version must be signed
    with the key that the version in force names, so that only its holder can change or drop it. Raises
    :class:`InvalidInput` for a contract that does not compile, :class:`Denied` for a missing or bad signature.
    """
    contract = compile_contract(text, schemas)
    if in_force is not None and contract.client != in_force.client:
        raise InvalidInput(
            f"this is the contract of {contract.client}, not of {in_force.client}",
            field="client.id",
        )
    key = contract.client_key if in_force is None else in_force.client_key
    signed = read_signature(signature) if signature else b""
    if key and not signed:
        raise Denied(
            "the client signs its contracts, and no signature came with this one",
            remedy="Give the client's signature over this file with --signature.",
            code="not_signed",
        )
    if signed:
        if not key:
            raise InvalidInput(
                "a signature came with the contract, but no signing key is known",
                field="client.signing_key",
                remedy="Name the client's key in [client] signing_key.",
            )
        check_signature(key, signed, text)
    return Draft(text, compile_policies(contract), signed, in_force)


def add_client(made: Draft, by: By, *, vkey: str, now_us: int) -> Work[InForce]:
    """Take the client on under its first contract; :class:`Conflict` when there is such a client.

    ``vkey`` is the key by which the client's log is signed. The client's keys are made before, additively.
    """
    contract = made.contract
    client = contract.client
    _check_version(contract, 1)
    (added,) = yield Round(data=(ADD_CLIENT(client=client, name=contract.name, added_us=now_us),))
    if not added:
        raise Conflict(
            f"there is a client {client} already",
            remedy=f"A new version of its contract: `holdfast policy publish {client} --contract FILE`.",
            code="client_exists",
        )
    leaves = []
    for log in (HOUSE_LOG, client_log(client)):
        body = {"by": (yield from by.reference(log)), "client": client, "vkey": vkey}
        leaf = Leaf(LeafType.CLIENT_ADDED, new_id(LEAF, now_us), now_us, body)
        leaves.append(append(log, leaf))
    yield Round(data=tuple(leaves))
    return (yield from _put_in_force(made, by, before=0, now_us=now_us))


def publish_contract(made: Draft, by: By, *, now_us: int) -> Work[InForce]:
    """Put a new version in force; the fence rises, so that every process reads it before its next decision.

    What it changes against the version that it was drafted on is told to the client. The very contract that is in force
    already changes nothing. Raises what :func:`next_after` raises.
    """
    before = yield from next_after(made, now_us=now_us)
    if not before.changed:
        return before
    told = changes_told(made.changes)
    return (yield from _put_in_force(made, by, before=before.version, now_us=now_us, told=told))


def next_after(made: Draft, *, now_us: int) -> Work[InForce]:
    """Return the version that a draft would follow; its ``changed`` is False when the draft is in force already.

    Raises :class:`NotFound` for an unknown client, :class:`Denied` for a frozen one without its signature, and
    :class:`Conflict` when another version is in force by now, or the contract names a version that is not the next one.
    """
    client = made.contract.client
    present, current = yield Round(data=(CLIENT(client=client), CONTRACT(client=client)))
    if not present or not current:
        raise NotFound(f"there is no client {client}", remedy="`holdfast client add` takes one on.")
    if not made.signature and standing_of(present[0]).is_frozen((yield from sure_us(now_us))):
        raise Denied(
            f"client {client} is frozen; until that ends its contract changes by the client's signature only",
            remedy="Wait until the freeze ends, or give the client's signature with --signature.",
            code="client_frozen",
        )
    before = InForce(client, present[0][2], current[0][2], bool(made.signature))
    outdated = present[0][1] == CLIENT_IS_OUTDATED  # then the very same text is confirmed anew
    if current[0][1] == made.contract.digest and not outdated:
        return before._replace(changed=False)
    if made.against is None or current[0][1] != made.against.digest:
        raise _meanwhile()
    _check_version(made.contract, before.version + 1)
    return before


def changes_told(found: tuple[Change, ...]) -> list[str]:
    """What a leaf, and the second person, are told of changes: ``kind|where|what``, names of the contract only."""
    lines = [f"{change.kind}|{change.where}|{change.text}" for change in found]
    if len(lines) <= MOST_CHANGES_TOLD:
        return lines
    rest = len(lines) - MOST_CHANGES_TOLD + 1
    return [*lines[: MOST_CHANGES_TOLD - 1], f"{OTHER}|contract|{rest} further changes"]


def _meanwhile() -> Conflict:
    return Conflict("another version was published meanwhile", remedy="Look, and try again.")


def _check_version(contract: Contract, expected: int) -> None:
    if contract.version not in {0, expected}:
        raise Conflict(
            f"the contract says it is version {contract.version}, but the next one is {expected}",
            remedy=f"Set contract_version = {expected} in [client], or leave it out if the client does not sign.",
            code="contract_version",
        )


def _put_in_force(
    made: Draft, by: By, *, before: int, now_us: int, told: Sequence[str] = ()
) -> Work[InForce]:
    contract, client, version = made.contract, made.contract.client, before + 1
    salt = random_bytes(SALT_BYTES)
    log = client_log(client)
    reference = yield from by.reference(log)
    second = (yield from reference_of(by.second, log)) if by.second else ""
    leaf = Leaf(
        LeafType.CONTRACT_PUBLISHED,
        new_id(LEAF, now_us),
        now_us,
        {
            "by": reference,
            "contract": commitment(made.text, salt),
            "contract_version": version,
            "policies": made.policies.digest,
            "signed": bool(made.signature),
            "changes": list(told),
            "second": second,
        },
    )
    use = USE_CONTRACT(client=client, version=version, before=before, name=contract.name)
    (used,) = yield Round(data=(use,))
    if not used:
        raise _meanwhile()
    row = _row(made, version=version, salt=salt, by=by.person, now_us=now_us)
    yield Round(data=(row, append(log, leaf)))
    return InForce(client, version, made.policies.digest, bool(made.signature))


def _row(made: Draft, *, version: int, salt: bytes, by: str, now_us: int) -> Query:
    return ADD_CONTRACT(
        client=made.contract.client,
        version=version,
        text=made.text,
        digest=made.contract.digest,
        salt=salt,
        signature=made.signature.hex(),
        policies_digest=made.policies.digest,
        published_us=now_us,
        by=by,
    )


def commitment(text: str, salt: bytes) -> str:
    """What the leaf carries of a contract: SHA-256 over label, salt and text, length-prefixed, hexadecimal."""
    return sha256(length_prefixed(_LABEL, salt, text.encode())).hexdigest()


def contract_in_force(client: str) -> Work[tuple[str, int]]:
    """Return text and version of the client's contract; :class:`NotFound` for an unknown client."""
    (rows,) = yield Round(data=(CONTRACT(client=client),))
    if not rows:
        raise NotFound(
            f"there is no client {client}",
            remedy="`holdfast client list` shows the clients.",
            code="no_client",
        )
    return rows[0][0], rows[0][3]


def clients() -> Work[tuple[Listed, ...]]:
    """Return all clients, by id."""
    (rows,) = yield Round(data=(CLIENTS(),))
    return tuple(Listed(*row) for row in rows)


def versions(client: str) -> Work[tuple[Version, ...]]:
    """Return the published versions of the client's contract, oldest first."""
    (rows,) = yield Round(data=(CONTRACTS(client=client),))
    return tuple(
        Version(number, digest, policies, bool(signature), at_us, by)
        for number, digest, policies, signature, at_us, by in rows
    )
