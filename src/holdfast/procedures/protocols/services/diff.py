"""Which real decisions a new contract would change: the records of some days, opened, and judged by both contracts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.kit.clock import DAY_US, rfc3339
from holdfast.kit.db import Round
from holdfast.kit.errors import IntegrityBroken, InvalidInput
from holdfast.kit.ids import first_id, new_id
from holdfast.procedures.protocols.services.contracts import Stand
from holdfast.spine.administration.scene import administer
from holdfast.spine.decision import records, store
from holdfast.spine.decision.contract import compile_contract
from holdfast.spine.decision.policies import compile_policies
from holdfast.spine.decision.publish import contract_in_force
from holdfast.spine.ledger.recorder import append
from holdfast.spine.replay.compare import Comparison
from holdfast.spine.replay.derived import asks_age
from holdfast.spine.replay.situation import read, situation_of
from holdfast.spine.vault.hierarchy import client_keys, kept_record_key
from holdfast.spine.vault.load import load_collections
from holdfast.vocabulary.acts import Act
from holdfast.vocabulary.ids import DECISION, LEAF, client_log
from holdfast.vocabulary.leaves import Leaf, LeafType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.kit.db import Rows, Work
    from holdfast.kit.secret import Secret
    from holdfast.spine.house import House
    from holdfast.spine.replay.compare import Compared
    from holdfast.spine.replay.situation import Slim
    from holdfast.spine.vault.hierarchy import ClientKeys
    from holdfast.vocabulary.contract import Contract

PAGE: Final = 1_000
NO_KEY: Final = "key of its month"
NOT_OPENED: Final = "record does not verify"


class Asked(NamedTuple):
    """What is to be compared: decisions since a moment, at most ``most`` examples of each change."""

    since_us: int
    days: int
    most: int


@dataclass
class Row:
    """Decisions that would change alike: from one outcome to another."""

    operation: str
    before: str
    after: str
    direction: str
    count: int = 0
    rules: Counter[str] = field(default_factory=Counter)
    fields: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)


@dataclass
class Difference:
    """What would be otherwise. ``untold`` counts decisions that cannot be judged again, by what the record lacks."""

    client: str
    in_force: int
    policies: str
    since_us: int
    decisions: int = 0
    situations: int = 0
    unchanged: int = 0
    otherwise_already: int = 0  # the contract in force gives another answer than was given then
    rows: dict[tuple[str, ...], Row] = field(default_factory=dict)
    untold: Counter[str] = field(default_factory=Counter)
    untold_decisions: int = 0

    @property
    def changed(self) -> int:
        """How many would come out otherwise."""
        return sum(row.count for row in self.rows.values())

    def add(self, record: Slim, compared: Compared, most: int) -> None:
        """Count one decision."""
        self.decisions += 1
        if not compared.told:
            self.lacks(compared.gaps)
            return
        assert compared.before is not None
        assert compared.after is not None
        self.otherwise_already += compared.before.outcome.value != record.outcome
        if not compared.changed:
            self.unchanged += 1
            return
        key = (
            record.operation,
            compared.before.outcome.value,
            compared.after.outcome.value,
            compared.direction,
        )
        row = self.rows.get(key)
        if row is None:
            row = self.rows[key] = Row(*key)
        row.count += 1
        row.rules.update(compared.rules)
        row.fields.update(compared.fields)
        if len(row.examples) < most:
            row.examples.append(record.decision)

    def lacks(self, gaps: tuple[str, ...]) -> None:
        """Count one that cannot be judged again."""
        self.untold_decisions += 1
        self.untold.update(gaps or ("more than the record holds",))


def difference(house: House, client: str, text: str, asked: Asked) -> Difference:
    """Compare the contract in force with the one in ``text``, over the decisions since ``asked.since_us``.

    Collections are read as they are declared now. One leaf in the client's log says how many decisions were opened; it
    is written before anything is told. Raises :class:`InvalidInput` for a contract that does not compile or is another
    client's, and :class:`Denied` to whom decisions are none of their business.
    """
    stand = house.read(_stand(house, client))
    other = compile_policies(compile_contract(text, stand.schemas or None))
    if other.contract.client != client:
        raise InvalidInput(
            f"this is the contract of {other.contract.client}, not of {client}", field="client.id"
        )
    in_force = compile_policies(stand.contract)
    past = _Past(house, client, stand)
    comparison = Comparison(in_force, other, schemas=stand.schemas, then=past.contract)
    aged = asks_age((*past.all(), other.contract))
    found = Difference(client, stand.version, other.digest, asked.since_us)
    for record in _records(house, client, asked.since_us, found):
        compared = comparison.compare(situation_of(record, aged=aged))
        found.add(record, compared, asked.most)
    found.situations = comparison.judged
    house.transact(_tell(house, found))
    return found


def since_us(house: House, days: int) -> int:
    """The moment ``days`` before now."""
    return house.clock.now_us() - days * DAY_US


def _stand(house: House, client: str) -> Work[Stand]:
    yield from administer(house, Act.DECISIONS_COMPARE, clients=(client,))
    text, version = yield from contract_in_force(client)
    schemas = yield from load_collections(client)
    contract = compile_contract(text, version=version)
    return Stand(text, version, contract, {schema.name: schema for schema in schemas})


class _Past:
    """The contracts under which the decisions were made."""

    def __init__(self, house: House, client: str, stand: Stand) -> None:
        self._house = house
        self._client = client
        self._known: dict[int, Contract | None] = {stand.version: stand.contract}

    def contract(self, version: int) -> Contract | None:
        """The contract of a version, or None when it is not kept."""
        if version not in self._known:
            self._known[version] = self._house.read(self._load(version))
        return self._known[version]

    def _load(self, version: int) -> Work[Contract | None]:
        ask = store.CONTRACT_VERSION(client=self._client, version=version)
        (rows,) = yield Round(data=(ask,))
        return compile_contract(rows[0][0], version=version) if rows else None

    def all(self) -> tuple[Contract, ...]:
        """Every version up to the one in force."""
        newest = max(self._known)
        kept = (self.contract(version) for version in range(1, newest + 1))
        return tuple(one for one in kept if one is not None)


def _records(house: House, client: str, since: int, found: Difference) -> Iterator[Slim]:
    """Open the client's decision records since a moment, page by page; what does not open is counted."""
    keys = house.read(_keys(house, client))
    months: dict[str, Secret[bytes] | None] = {}
    after = first_id(DECISION, since)
    while True:
        page = house.read(_page(client, after))
        for ident, month, leaf, sealed in page:
            if month not in months:
                months[month] = house.read(kept_record_key(keys, month))
            key = months[month]
            after = ident
            if key is None:
                found.decisions += 1
                found.lacks((NO_KEY,))
                continue
            try:
                data = records.open_bytes(bytes(sealed), key, client=client, record=leaf)
                yield read(data)
            except IntegrityBroken:
                found.decisions += 1
                found.lacks((NOT_OPENED,))
        if len(page) < PAGE:
            return


def _page(client: str, after: str) -> Work[Rows]:
    ask = store.RECORDS_FROM(client=client, after=after, limit=PAGE)
    (rows,) = yield Round(data=(ask,))
    return rows


def _keys(house: House, client: str) -> Work[ClientKeys]:
    (rows,) = yield Round(data=(store.CLIENT(client=client),))
    return (yield from client_keys(house.keks, client, rows[0][3]))


def _tell(house: House, found: Difference) -> Work[None]:
    scene = yield from administer(house, Act.DECISIONS_COMPARE, clients=(found.client,))
    log, now_us = client_log(found.client), scene.now_us
    body = {
        "by": (yield from scene.acting.reference(log)),
        "decisions": found.decisions,
        "since": rfc3339(found.since_us),
        "policies": found.policies,
        "changed": found.changed,
    }
    leaf = Leaf(LeafType.POLICY_COMPARED, new_id(LEAF, now_us), now_us, body)
    yield Round(data=(append(log, leaf),))
