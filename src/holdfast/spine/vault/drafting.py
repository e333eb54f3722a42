"""A batch of rows turned into what two transactions will write: pure CPU, before any of them begins (SPINE 20).

``draft(tools, batch, known, now_us=…) -> Drafts``: which rows are new, changed, unchanged, suppressed or rejected,
and all that is to be written, sealed, as parameters of the statements in the two ``store`` modules.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from holdfast.kit.crypto.mac import equal
from holdfast.kit.ids import new_id, new_ids, new_reference, random_bytes
from holdfast.spine.vault import tokens
from holdfast.spine.vault.blindindex import suppression_mac
from holdfast.spine.vault.cipher import check_manifest, open_sealed, place
from holdfast.spine.vault.hierarchy import NEW_DEK_RANDOM_BYTES
from holdfast.spine.vault.packing import Place, unpack
from holdfast.spine.vault.rows import Rejected
from holdfast.spine.vault.sealing import Whole, fingerprint, seal_records
from holdfast.vocabulary.ids import CUSTOMER, CUSTOMER_REF, OPERATION, RECORD
from holdfast.vocabulary.levels import CustomerState

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from holdfast.spine.vault.hierarchy import ClassKey, ClientKeys, DekRow
    from holdfast.spine.vault.packing import Body, RecordRow, SealedRecord
    from holdfast.spine.vault.rows import Reader, ReadRow
    from holdfast.spine.vault.sealing import Plan

Parameters = list[tuple[object, ...]]


class Tools(NamedTuple):
    """What is the same for all batches of an import."""

    keys: ClientKeys
    reader: Reader
    plan: Plan
    collection: str


@dataclass(slots=True)
class Known:
    """What both stores know of the rows of a batch."""

    customers: dict[bytes, str] = field(default_factory=dict)  # import key → customer
    records: dict[bytes, tuple[str, str]] = field(
        default_factory=dict
    )  # import key → customer, record
    states: dict[str, str] = field(default_factory=dict)  # of customers that are committed
    rows: dict[str, RecordRow] = field(default_factory=dict)  # by record
    deks: dict[str, dict[int, DekRow]] = field(default_factory=dict)  # customer → class → newest
    suppressed: frozenset[bytes] = frozenset()


class Counts(NamedTuple):
    """What became of rows."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    suppressed: int = 0

    def plus(self, other: Counts) -> Counts:
        """Return the sums."""
        return Counts(*(mine + its for mine, its in zip(self, other, strict=True)))


@dataclass(slots=True)
class Drafts:
    """What a batch writes."""

    operation: str
    begun_us: int
    counts: Counts = field(default_factory=Counts)
    rejected: list[Rejected] = field(default_factory=list)
    # the keys store
    import_keys: Parameters = field(default_factory=list)
    deks: Parameters = field(default_factory=list)
    references: Parameters = field(default_factory=list)
    index: Parameters = field(default_factory=list)
    heads: Parameters = field(default_factory=list)
    taken_import_keys: Parameters = field(default_factory=list)
    taken_deks: Parameters = field(default_factory=list)
    # the data store
    customers: Parameters = field(default_factory=list)
    records: Parameters = field(default_factory=list)
    changes: Parameters = field(default_factory=list)
    relied_on: set[str] = field(default_factory=set)  # must be live still at the commit
    manifests: list[tuple[str, bytes]] = field(default_factory=list)  # record, digest of its head

    @property
    def writes(self) -> bool:
        """Whether there is anything to write."""
        return bool(self.records or self.changes)


class _Holder:
    """A customer of the batch, and those of the data keys that were opened or made."""

    __slots__ = ("class_keys", "customer", "deks", "taken_over")

    def __init__(self, customer: str, deks: Mapping[int, DekRow], *, taken_over: bool) -> None:
        self.customer = customer
        self.deks = deks
        self.class_keys: dict[int, ClassKey] = {}
        self.taken_over = taken_over


class _Write(NamedTuple):
    """A record that is to be sealed; the references that it holds now, if it was there before."""

    row: ReadRow
    holder: _Holder
    where: Place
    before: Mapping[int, tokens.Kept] = {}


def draft(tools: Tools, batch: Sequence[ReadRow], known: Known, *, now_us: int) -> Drafts:
    """Decide on each row and seal what is to be written. No two rows of ``batch`` have the same record key."""
    return _Drafting(tools, known, now_us, most=len(batch)).run(batch)


class _Drafting:
    """One batch. Rows of the same customer share its data keys."""

    def __init__(self, tools: Tools, known: Known, now_us: int, *, most: int) -> None:
        self._keys, self._reader, self._plan, self._collection = tools
        self._client = self._keys.client
        self._known = known
        self._now_us = now_us
        self._out = Drafts(new_id(OPERATION, now_us), now_us)
        self._holders: dict[bytes, _Holder] = {}
        self._counts = [0, 0, 0, 0]
        self._customer_ids = _pool(CUSTOMER, now_us, most)
        self._record_ids = _pool(RECORD, now_us, most)
        self._references = self._plan.references
        self._writes: list[_Write] = []

    def run(self, batch: Sequence[ReadRow]) -> Drafts:
        for row in batch:
            held = self._known.records.get(row.record_token)
            holder = self._holder(row, held)
            if holder is None:
                continue
            stored = self._known.rows.get(held[1]) if held else None
            if stored is None:
                self._new(row, holder, held)
            else:
                self._compare(row, holder, stored)
        if self._writes:
            self._seal()
        self._out.counts = Counts(*self._counts)
        return self._out

    def _holder(self, row: ReadRow, held: tuple[str, str] | None) -> _Holder | None:
        """Return the row's customer, made if need be; None when the row is suppressed or rejected."""
        holder = self._holders.get(row.customer_token)
        if holder is None:
            customer = self._known.customers.get(row.customer_token)
            state = self._known.states.get(customer) if customer else None
            if self._is_suppressed(row, state):
                self._counts[3] += 1
                return None
            if held and held[0] != customer:
                self._reject(row)
                return None
            holder = self._committed(customer) if customer and state else self._made(row, customer)
            self._holders[row.customer_token] = holder
        elif held and held[0] != holder.customer:
            self._reject(row)
            return None
        return holder

    def _is_suppressed(self, row: ReadRow, state: str | None) -> bool:
        if state is not None:
            return state != CustomerState.LIVE
        suppressed = self._known.suppressed
        return bool(suppressed) and suppression_mac(self._keys, row.customer_token) in suppressed

    def _reject(self, row: ReadRow) -> None:
        reason = "the record key is that of another customer's record"
        self._out.rejected.append(Rejected(row.number, "", reason))

    def _committed(self, customer: str) -> _Holder:
        return _Holder(customer, self._known.deks.get(customer, {}), taken_over=False)

    def _made(self, row: ReadRow, left_behind: str | None) -> _Holder:
        out = self._out
        customer = left_behind or next(self._customer_ids)
        out.customers.append((self._client, customer, self._now_us))
        out.references.append((self._client, customer, new_reference(CUSTOMER_REF)))
        if left_behind is None:
            out.import_keys.append(
                (self._client, "", row.customer_token, customer, "", out.operation)
            )
            return _Holder(customer, {}, taken_over=False)
        out.taken_import_keys.append(
            (out.operation, self._client, "", row.customer_token, customer)
        )
        holder = _Holder(customer, self._known.deks.get(customer, {}), taken_over=True)
        for dek in holder.deks.values():
            taken = (
                out.operation,
                self._client,
                customer,
                dek.data_class,
                dek.version,
                dek.wrapped,
            )
            out.taken_deks.append(taken)
        return holder

    def _new(self, row: ReadRow, holder: _Holder, held: tuple[str, str] | None) -> None:
        out = self._out
        if held is None:
            record = next(self._record_ids)
            key = (
                self._client,
                self._collection,
                row.record_token,
                holder.customer,
                record,
                out.operation,
            )
            out.import_keys.append(key)
        else:
            record = held[1]
            taken = (
                out.operation,
                self._client,
                self._collection,
                row.record_token,
                holder.customer,
            )
            out.taken_import_keys.append(taken)
        where = Place(self._collection, holder.customer, record, 1)
        self._writes.append(_Write(row, holder, where))
        self._counts[0] += 1

    def _compare(self, row: ReadRow, holder: _Holder, stored: RecordRow) -> None:
        body = unpack(stored.body)
        if body.fingerprint_class in holder.deks:
            key = self._class_key(holder, body.fingerprint_class)
            if equal(fingerprint(key, self._plan, row.normals), body.fingerprint):
                self._counts[2] += 1
                return
        where = Place(self._collection, holder.customer, stored.id, stored.version + 1)
        before = self._references_in(body, holder, stored) if self._references else {}
        self._writes.append(_Write(row, holder, where, before))
        self._counts[1] += 1

    def _seal(self) -> None:
        """Seal what is to be written, all of it at once (``sealing.seal_records``)."""
        writes = self._writes
        self._open_keys()
        wholes = [
            Whole(one.holder.class_keys, one.where, one.row.normals, one.before) for one in writes
        ]
        for write, sealed in zip(
            writes, seal_records(self._keys, wholes, plan=self._plan), strict=True
        ):
            self._write(write, sealed)

    def _write(self, write: _Write, sealed: SealedRecord) -> None:
        out, client, operation = self._out, self._client, self._out.operation
        collection, customer, record, version = write.where
        if version == 1:
            added = (client, customer, record, collection, version, sealed.body, operation)
            out.records.append(added)
        else:
            changed = (version, sealed.body, operation, client, customer, record, version - 1)
            out.changes.append(changed)
        out.index += [
            (client, collection, number, token, customer, record, version, operation)
            for number, token in self._reader.index_tokens(write.row.normals)
        ]
        out.heads.append((client, customer, record, version, sealed.digest, operation))
        out.manifests.append((record, sealed.digest))
        if self._known.states.get(customer):
            out.relied_on.add(customer)

    def _open_keys(self) -> None:
        """Open all data keys that the customers have, and make those of the classes that one has none of."""
        out, client = self._out, self._client
        missing = [
            (holder, data_class)
            for holder in {id(one.holder): one.holder for one in self._writes}.values()
            for data_class, _ in self._plan.by_class
            if data_class not in holder.class_keys and not self._opened(holder, data_class)
        ]
        made = self._keys.new_class_keys(
            [(holder.customer, data_class) for holder, data_class in missing],
            random_bytes(NEW_DEK_RANDOM_BYTES * len(missing)),
        )
        for (holder, data_class), (key, dek) in zip(missing, made, strict=True):
            holder.class_keys[data_class] = key
            out.deks.append((client, holder.customer, *dek, out.operation))

    def _opened(self, holder: _Holder, data_class: int) -> bool:
        held = data_class in holder.deks
        if held:
            self._class_key(holder, data_class)
        return held

    def _class_key(self, holder: _Holder, data_class: int) -> ClassKey:
        key = holder.class_keys.get(data_class)
        if key is None:
            key = self._keys.open_class_key(holder.customer, holder.deks[data_class])
            holder.class_keys[data_class] = key
        return key

    def _references_in(
        self, body: Body, holder: _Holder, stored: RecordRow
    ) -> dict[int, tokens.Kept]:
        at = place(self._keys.suite, self._client, stored.customer, stored.id)
        kept: dict[int, tokens.Kept] = {}
        for section in body.sections:
            held = [one for one in section.fields if one[0] in self._references]
            if held and section.data_class in holder.deks:
                key = self._class_key(holder, section.data_class)
                check_manifest(key, at, section.manifest, section.fields)
                opened = open_sealed(key, at, held)
                kept |= {
                    one[0]: tokens.unpack(content)
                    for one, content in zip(held, opened, strict=True)
                }
        return kept


def _pool(prefix: str, now_us: int, most: int) -> Iterator[str]:
    """Yield new ids; none are drawn before the first is needed."""
    yield from new_ids(prefix, now_us, most)
