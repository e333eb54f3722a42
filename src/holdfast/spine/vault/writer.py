"""Many records into the vault: idempotent, in batches of which each stands or falls whole.

::

    with BatchWriter(house, client, schema, operation=op, by=reference) as writer:
        for rows in batches:                # Sequence[Mapping[field name, text]], a thousand or so
            result = writer.write(rows)     # BatchResult(new, changed, unchanged, suppressed, rejected)

``preview(rows)`` says the same and writes nothing. ``operation`` is the id of the whole import and ``by`` the acting
person's reference in the client's log: both stand in the leaf of each batch.

The order (SPINE 18, 20): read and seal outside any transaction → one transaction of ``keys``, additions only → one of
``data`` with the leaf, SQL only → what was superseded is removed from ``keys`` with the next batch. Killed anywhere, a
second run ends in the same state: a row counts when ``data`` has committed, and keys left behind are taken over or
swept.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from holdfast.kit.clock import monotonic_s
from holdfast.kit.db import Round
from holdfast.kit.db.shell import drive
from holdfast.kit.errors import InvalidInput, Unavailable
from holdfast.kit.ids import new_id, random_bytes
from holdfast.kit.log import logger
from holdfast.spine.decision.freezing import require_open
from holdfast.spine.ledger.recorder import append
from holdfast.spine.vault import store
from holdfast.spine.vault.blindindex import suppression_mac
from holdfast.spine.vault.commitments import SALT_BYTES, commit_manifests
from holdfast.spine.vault.drafting import Counts, Drafts, Known, Tools, draft
from holdfast.spine.vault.hierarchy import DekRow, ensure_client_keys
from holdfast.spine.vault.keyring import store as keyring
from holdfast.spine.vault.load import tombstone_mac
from holdfast.spine.vault.packing import RecordRow
from holdfast.spine.vault.rows import Reader, ReadRow, Rejected
from holdfast.spine.vault.sealing import plan_of
from holdfast.spine.vault.sweep import STALE_US, copy_is_begun
from holdfast.vocabulary.ids import LEAF, client_log
from holdfast.vocabulary.leaves import Leaf, LeafType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import TracebackType

    from holdfast.kit.db import Statement, Work
    from holdfast.kit.db.ports import Connection
    from holdfast.spine.vault.drafting import Parameters
    from holdfast.spine.vault.ports import Stores, VaultHouse
    from holdfast.vocabulary.schema import CollectionSchema

MOST_ROWS: Final = 250  # in one transaction: a writer's lock is held for a few milliseconds
KIND: Final = "import"
SLOW_S: Final = 0.1
_MOST_TRIES: Final = 8
log = logger(__name__)


class BatchResult(NamedTuple):
    """What became of the rows of one call; ``rejected`` names each by its number in the call, from 0."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    suppressed: int = 0
    rejected: tuple[Rejected, ...] = ()


class BatchWriter:
    """Writes records of one collection."""

    def __init__(
        self, house: VaultHouse, client: str, schema: CollectionSchema, *, operation: str, by: str
    ) -> None:
        self._house = house
        self._client = client
        self._schema = schema
        self._operation = operation
        self._by = by
        self._owed: list[
            tuple[Statement, Parameters]
        ] = []  # removals for the next transaction of keys
        self._slow: list[float] = []  # seconds of the transactions above SLOW_S

    def __enter__(self) -> Self:
        """Open the stores and the client's keys."""
        with ExitStack() as opening:
            self._stores: Stores = opening.enter_context(self._house.stores())
            data, keys = self._stores.data, self._stores.keys
            drive(require_open(self._client, self._house.clock.now_us()), data, keys)
            drive(ensure_client_keys(self._house.root, self._client), data, keys)
            opened = self._house.keks.opened(
                self._client, keys.execute(keyring.KEKS(client=self._client))
            )
            reader = Reader(opened, self._schema)
            self._tools = Tools(opened, reader, plan_of(self._schema), self._schema.name)
            self._open = opening.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Pay what is owed, if all went well, and close."""
        with self._open:
            if kind is None and self._owed:
                self._settle()
        if self._slow:
            log.warning("slow_writes", count=len(self._slow), longest_s=round(max(self._slow), 3))

    def write(self, rows: Sequence[Mapping[str, str]]) -> BatchResult:
        """Write a batch; when it returns, its leaf is durable. :class:`Unavailable` if a store stays busy."""
        read, rejected = self._read(rows)
        counts = Counts()
        for part in _parts(read):
            drafts = self._write(part)
            counts = counts.plus(drafts.counts)
            rejected += drafts.rejected
        return BatchResult(*counts, tuple(sorted(rejected)))

    def preview(self, rows: Sequence[Mapping[str, str]]) -> BatchResult:
        """Say what :meth:`write` would do now; nothing is written. Rows that repeat a record key count once."""
        read, rejected = self._read(rows)
        newest = list({row.record_token: row for row in read}.values())
        drafts = draft(self._tools, newest, self._known(newest), now_us=self._house.clock.now_us())
        return BatchResult(*drafts.counts, tuple(sorted([*rejected, *drafts.rejected])))

    def _read(self, rows: Sequence[Mapping[str, str]]) -> tuple[list[ReadRow], list[Rejected]]:
        read: list[ReadRow] = []
        rejected: list[Rejected] = []
        for number, row in enumerate(rows):
            try:
                read.append(self._tools.reader.read(number, row))
            except InvalidInput as wrong:
                rejected.append(Rejected(number, wrong.field, wrong.message))
        return read, rejected

    def _write(self, batch: list[ReadRow]) -> Drafts:
        for _ in range(_MOST_TRIES):
            drafts = draft(
                self._tools, batch, self._known(batch), now_us=self._house.clock.now_us()
            )
            if not drafts.writes:
                return drafts
            if self._add_keys(drafts):
                if self._commit(drafts):
                    self._owe(drafts)
                    return drafts
                self._withdraw(drafts)
        raise Unavailable(
            "another writer keeps changing the same records",
            remedy="Run the import again when it is done.",
        )

    def _known(self, batch: Sequence[ReadRow]) -> Known:
        work = _load(self._tools, batch)
        return drive(work, self._stores.data, self._stores.keys)

    def _add_keys(self, drafts: Drafts) -> bool:
        """Add to the keys store; False, with nothing added, if another writer was there first."""
        keys = self._stores.keys
        marker = keyring.ADD_OPERATION(
            client=self._client,
            id=drafts.operation,
            customer="",
            record="",
            at_us=self._house.clock.now_us(),
        )
        erased = keyring.TOMBSTONES(
            client=self._client, macs=[tombstone_mac(customer) for customer in drafts.relied_on]
        )
        payable = self._payable()
        with self._transaction(keys) as undo:
            for statement, parameters in payable:
                keys.execute_many(statement, parameters)
            keys.execute(marker)
            taken = (
                (drafts.relied_on and keys.execute(erased))
                or _many(keys, keyring.MANY_IMPORT_KEYS, drafts.import_keys)
                or _many(keys, keyring.MANY_DEKS, drafts.deks)
                or _many(keys, keyring.TAKE_OVER_IMPORT_KEY, drafts.taken_import_keys)
                or _many(keys, keyring.TAKE_OVER_DEK, drafts.taken_deks)
            )
            if taken:
                undo()
                return False
            keys.execute_many(keyring.MANY_REFERENCES, drafts.references)
            keys.execute_many(keyring.ADD_INDEX, drafts.index)
            keys.execute_many(keyring.ADD_HEAD, drafts.heads)
        if payable:
            self._owed = []
        return True

    def _commit(self, drafts: Drafts) -> bool:
        """Write to the data store with the leaf; False, with nothing written, if another writer was there first."""
        data = self._stores.data
        salt = random_bytes(SALT_BYTES)
        manifests = commit_manifests(salt, drafts.manifests)
        live = store.LIVE(client=self._client, ids=sorted(drafts.relied_on))
        with self._transaction(data) as undo:
            changed_meanwhile = (
                (drafts.relied_on and data.execute(live)[0][0] != len(drafts.relied_on))
                or _many(data, store.MANY_CUSTOMERS, drafts.customers)
                or _many(data, store.MANY_RECORDS, drafts.records)
                or _many(data, store.MANY_CHANGES, drafts.changes)
            )
            if changed_meanwhile:
                undo()
                return False
            now_us = self._house.clock.now_us()
            drive(require_open(self._client, now_us), data, self._stores.keys)
            if now_us - drafts.begun_us > STALE_US:  # a sweep may have removed what was prepared
                undo()
                return False
            done = store.ADD_OPERATION(
                client=self._client, id=drafts.operation, kind=KIND, salt=salt, at_us=now_us
            )
            data.execute(done)
            data.execute(append(client_log(self._client), self._leaf(drafts, manifests, now_us)))
        return True

    def _leaf(self, drafts: Drafts, manifests: str, now_us: int) -> Leaf:
        body = {
            "by": self._by,
            "collection": self._schema.name,
            "operation": self._operation,
            "new": drafts.counts.new,
            "changed": drafts.counts.changed,
            "manifests": manifests,
        }
        return Leaf(LeafType.RECORDS_IMPORTED, new_id(LEAF, now_us), now_us, body)

    def _owe(self, drafts: Drafts) -> None:
        old: Parameters = [
            (client, customer, record, version, operation)
            for version, _, operation, client, customer, record, _ in drafts.changes
        ]
        if old:
            self._owed.append((keyring.DROP_OLD_INDEX, old))
            self._owed.append((keyring.DROP_OLD_HEADS, old))
        self._owed.append((keyring.DROP_OPERATION, [(self._client, drafts.operation)]))

    def _withdraw(self, drafts: Drafts) -> None:
        """Remove what was prepared in vain. Keys that another writer has taken over meanwhile are no longer ours."""
        prepared: Parameters = [(row[0], *row[1:3], row[5]) for row in drafts.heads]
        import_keys: Parameters = [(*row[:3], row[5]) for row in drafts.import_keys]
        made: Parameters = [
            (client, customer, drafts.operation) for client, customer, _ in drafts.customers
        ]
        referred: Parameters = [(client, customer) for client, customer, _ in drafts.customers]
        vain: list[tuple[Statement, Parameters]] = [
            (keyring.DROP_PREPARED_INDEX, prepared),
            (keyring.DROP_PREPARED_HEAD, prepared),
            (keyring.DROP_PREPARED_IMPORT_KEY, import_keys),
            (keyring.DROP_PREPARED_DEKS, made),
            (keyring.DROP_PREPARED_REFERENCE, referred),
            (keyring.DROP_OPERATION, [(self._client, drafts.operation)]),
        ]
        self._remove(vain)

    def _payable(self) -> list[tuple[Statement, Parameters]]:
        """What may be removed now. While a copy is begun that is nothing; what stays unpaid, the sweep finds."""
        begun = copy_is_begun(self._house.clock.now_us())
        return [] if self._owed and self._stores.data.execute(begun) else self._owed

    def _settle(self) -> None:
        self._remove(self._payable())
        self._owed = []

    def _remove(self, removals: list[tuple[Statement, Parameters]]) -> None:
        with self._transaction(self._stores.keys):
            for statement, parameters in removals:
                self._stores.keys.execute_many(statement, parameters)

    @contextmanager
    def _transaction(self, connection: Connection) -> Iterator[Callable[[], None]]:
        """Begin, and commit at the end; what is yielded rolls back instead."""
        connection.begin()
        begun_s = monotonic_s()
        try:
            yield connection.rollback
            if connection.in_transaction:
                connection.commit()
        except BaseException:
            connection.rollback()
            raise
        took_s = monotonic_s() - begun_s
        if took_s > SLOW_S:
            self._slow.append(took_s)


def _parts(rows: Sequence[ReadRow]) -> Iterator[list[ReadRow]]:
    """Cut so that no record key stands twice in a part: the later row then changes what the earlier wrote."""
    part: list[ReadRow] = []
    seen: set[bytes] = set()
    for row in rows:
        if len(part) == MOST_ROWS or row.record_token in seen:
            yield part
            part, seen = [], set()
        part.append(row)
        seen.add(row.record_token)
    if part:
        yield part


def _load(tools: Tools, batch: Sequence[ReadRow]) -> Work[Known]:
    """Ask both stores what they know of a batch."""
    client, collection = tools.keys.client, tools.collection
    customer_tokens = list({row.customer_token for row in batch})
    some, customers, records = yield Round(
        data=(store.SUPPRESSES_ANY(client=client),),
        keys=(
            keyring.IMPORT_KEYS(client=client, collection="", tokens=customer_tokens),
            keyring.IMPORT_KEYS(
                client=client, collection=collection, tokens=[row.record_token for row in batch]
            ),
        ),
    )
    known = Known(
        customers={bytes(token): customer for token, customer, _ in customers},
        records={bytes(token): (customer, record) for token, customer, record in records},
    )
    if some:
        macs = [suppression_mac(tools.keys, t) for t in customer_tokens if t not in known.customers]
        (found,) = yield Round(data=(store.SUPPRESSED(client=client, macs=macs),))
        known.suppressed = frozenset(bytes(row[0]) for row in found)
    if known.customers:
        yield from _load_customers(tools, known)
    return known


def _load_customers(tools: Tools, known: Known) -> Work[None]:
    client = tools.keys.client
    customers = sorted(known.customers.values())
    holding = sorted({customer for customer, _ in known.records.values()})
    states, rows, deks = yield Round(
        data=(
            store.CUSTOMER_STATES(client=client, ids=customers),
            store.RECORDS_OF(client=client, customers=holding, collection=tools.collection),
        ),
        keys=(keyring.DEKS_OF(client=client, customers=customers),),
    )
    known.states = dict(states)
    known.rows = {row[0]: RecordRow(*row) for row in rows}
    for customer, *dek in deks:  # ordered by version: the newest stays
        known.deks.setdefault(customer, {})[dek[0]] = DekRow(*dek)


def _many(connection: Connection, statement: Statement, parameters: Parameters) -> bool:
    """Run a statement for each; True if one of them changed nothing, for then another writer was there first."""
    if not parameters:
        return False
    return connection.execute_many(statement, parameters) != len(parameters)
