"""Importing a client's file into a collection: resumable, idempotent, in constant memory.

The order of a run: look at the whole file → find the fields' columns → for each thousand rows: reject what cannot
be read, let the vault write the rest in transactions of its own, make the rejects durable, then say in
``classification_import`` how far it has come. Killed anywhere, the next run on the same file goes on there; rows
that were in already are unchanged rows, so the end state is the same. (The batch at which it was killed may then be
counted as unchanged.)
"""

from __future__ import annotations

import fcntl
import os
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from holdfast.kit.clock import monotonic_s
from holdfast.kit.db import Round
from holdfast.kit.disk import Room
from holdfast.kit.errors import Conflict, InvalidInput, NotFound
from holdfast.kit.ids import new_id
from holdfast.procedures.classification.services import store
from holdfast.procedures.classification.services.declaring import known_client
from holdfast.procedures.classification.services.fields import Columns
from holdfast.procedures.classification.services.reading import inspect
from holdfast.procedures.classification.services.rejects import Reject, RejectsFile
from holdfast.procedures.classification.services.rows import BATCH_ROWS, open_rows
from holdfast.procedures.classification.services.seen import Seen
from holdfast.spine.administration.scene import administer, digest_of, enter
from holdfast.spine.decision.freezing import require_open
from holdfast.spine.ledger.recorder import append
from holdfast.spine.vault.load import load_collection
from holdfast.spine.vault.normalise import normalise
from holdfast.spine.vault.writer import BatchWriter
from holdfast.vocabulary.acts import Act
from holdfast.vocabulary.ids import LEAF, OPERATION, client_log
from holdfast.vocabulary.leaves import Leaf, LeafType

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from holdfast.kit.db import Work
    from holdfast.procedures.classification.services.reading import Source
    from holdfast.procedures.classification.services.rows import Batch
    from holdfast.spine.house import House
    from holdfast.spine.vault.writer import BatchResult
    from holdfast.vocabulary.schema import CollectionSchema


class Told(Protocol):
    """What a long import tells while it runs."""

    def advance(self, count: int) -> None:
        """``count`` more rows are settled."""
        ...

    def total(self, count: int | None) -> None:
        """The file has about ``count`` rows."""
        ...


class Target(NamedTuple):
    """Where an import goes."""

    client: str
    collection: str


@dataclass(frozen=True, slots=True)
class Options:
    """How a file is read, and what is done with it."""

    encoding: str = ""
    headerless: bool = False
    dry_run: bool = False
    rejects: Path | None = None
    batch_rows: int = BATCH_ROWS  # lines that are read, written and settled at a time


@dataclass
class Outcome:
    """What an import did, or would do. ``reasons`` counts rejects by field and reason; no value stands in it."""

    schema: CollectionSchema
    source: Source
    operation: str
    resumed_at: int = 0
    position: int = 0  # rows of the file that are settled, blank ones included
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    suppressed: int = 0
    rejected: int = 0
    rejects: Path | None = None
    left_out: tuple[str, ...] = ()
    warnings: list[str] = field(default_factory=list)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    seconds: float = 0.0

    def add(self, result: BatchResult) -> None:
        """Count a batch."""
        self.new += result.new
        self.changed += result.changed
        self.unchanged += result.unchanged
        self.suppressed += result.suppressed


def import_file(
    house: House, target: Target, path: Path, *, options: Options, told: Told
) -> Outcome:
    """Import ``path``, or say what that would do; the acting person is an administrator.

    Raises :class:`NotFound` (client, collection, file), :class:`InvalidInput` (no table, a missing or doubled column, a
    mixed encoding), :class:`Conflict` (another import into the collection runs, the file changes meanwhile),
    :class:`Denied` (the client is frozen: from the next batch on) and :class:`Unavailable`; what is in by then stays
    in, and the next run goes on.
    """
    begun_s = monotonic_s()
    schema = house.read(_schema(house, target))
    source = inspect(path, encoding=options.encoding, headerless=options.headerless)
    columns = Columns(source, schema)
    told.total(source.rows_if(0, 0))
    run = _DryRun if options.dry_run else _Run
    outcome = run(house, target, columns, options).go(told)
    source.refuse_changed()
    outcome.left_out = columns.left_out
    outcome.warnings = columns.warnings()
    outcome.seconds = monotonic_s() - begun_s
    return outcome


def _schema(house: House, target: Target) -> Work[CollectionSchema]:
    yield from enter(house, Act.IMPORT)
    yield from known_client(target.client)
    yield from require_open(target.client, house.clock.now_us())
    schema = yield from load_collection(*target)
    if schema is None:
        raise NotFound(
            f"client {target.client} has no collection {target.collection}",
            remedy=f"Declare it: holdfast collection add {target.client} {target.collection} --schema schema.toml",
        )
    return schema


class _Run:
    """An import that writes."""

    def __init__(self, house: House, target: Target, columns: Columns, options: Options) -> None:
        self._house = house
        self._target = target
        self._columns = columns
        self._options = options
        self._key = columns.schema.by_name[columns.schema.record_key]

    def go(self, told: Told) -> Outcome:
        """Run to the end of the file."""
        with self._alone():
            by, outcome, counted = self._house.transact(self._start())
            rejects = RejectsFile(outcome.rejects or self._rejects_path(outcome), size=counted)
            outcome.reasons.update(
                (one.field, _without_line(one.reason)) for one in rejects.counted()
            )
            try:
                self._read_all(outcome, rejects, by=by, told=told)
            finally:
                rejects.close()
            self._house.transact(self._finish(by, outcome))
        outcome.rejects = rejects.path if outcome.rejected else None
        return outcome

    def _read_all(self, outcome: Outcome, rejects: RejectsFile, *, by: str, told: Told) -> None:
        writer = BatchWriter(
            self._house,
            self._target.client,
            outcome.schema,
            operation=outcome.operation,
            by=by,
        )
        seen = Seen()
        try:
            size = self._options.batch_rows
            with writer, open_rows(outcome.source, size=size) as batches:
                for batch in batches:
                    self._batch(batch, outcome, rejects, (writer, seen))
                    told.advance(batch.read)
                    told.total(outcome.source.rows_if(outcome.position, batch.end))
        finally:
            seen.close()

    def _batch(
        self,
        batch: Batch,
        outcome: Outcome,
        rejects: RejectsFile,
        tools: tuple[BatchWriter, Seen],
    ) -> None:
        writer, seen = tools
        rows = self._columns.rows(batch)
        doubles = self._doubles(rows, batch.lines, seen)
        settled = (
            outcome.resumed_at - outcome.position
        )  # rows of this batch that an earlier run has settled
        outcome.position += batch.read
        if settled >= batch.read:
            return
        kept = [number for number, line in enumerate(batch.lines) if line not in doubles]
        result = self._write(writer, rows if len(kept) == len(rows) else [rows[n] for n in kept])
        outcome.add(result)
        found = [Reject(bad.line, bad.field, bad.reason) for bad in batch.bad]
        found += [
            Reject(line, self._key.name, f"has the record key of line {first} and other values")
            for line, first in doubles.items()
        ]
        found += [
            Reject(batch.lines[kept[number]], name, reason)
            for number, name, reason in result.rejected
        ]
        found.sort()
        outcome.rejected += len(found)
        outcome.reasons.update((one.field, _without_line(one.reason)) for one in found)
        self._settle(outcome, rejects, found)

    def _doubles(
        self, rows: Sequence[Mapping[str, str]], lines: Sequence[int], seen: Seen
    ) -> dict[int, int]:
        key, spec = self._key.name, self._key
        marks = []
        for row, line in zip(rows, lines, strict=True):
            try:
                kept = normalise(spec, row.get(key, "")).kept
            except InvalidInput:
                continue  # the vault rejects it, with the reason
            if kept:
                marks.append(seen.mark(kept, tuple(row.values()), line))
        return seen.doubles(marks)

    # ── what differs in a dry run ───────────────────────────────────────────────────────────────────────────
    def _write(self, writer: BatchWriter, rows: Sequence[Mapping[str, str]]) -> BatchResult:
        self._house.require_room(Room.PLENTY)
        return writer.write(rows)

    def _settle(self, outcome: Outcome, rejects: RejectsFile, found: list[Reject]) -> None:
        rejects.write(found)
        self._house.transact(self._settled(outcome, rejects.size))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the collection's lock: two imports into one collection would tread on each other's progress."""
        path = self._folder() / f"{self._target.collection}.lock"
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise Conflict(
                f"another import into {self._target.client}/{self._target.collection} is running",
                remedy="Wait for its end.",
                code="import_running",
            ) from None
        try:
            yield
        finally:
            os.close(descriptor)

    def _start(self) -> Work[tuple[str, Outcome, int]]:
        """Take up an interrupted import of the same file under the same schema, or begin one."""
        house, columns = self._house, self._columns
        scene = yield from administer(
            house,
            Act.IMPORT,
            clients=(self._target.client,),
            digest=digest_of(*self._target, columns.source.digest, columns.schema.digest),
            summary={"collection": self._target.collection, "file": columns.source.digest},
        )
        by = yield from scene.acting.reference(client_log(self._target.client))
        (rows,) = yield Round(data=(store.IMPORT(**self._target._asdict()),))
        source, schema = columns.source, columns.schema
        if rows and rows[0][:2] == (source.digest, schema.digest) and self._goes_on(rows[0]):
            return by, self._taken_up(rows[0]), rows[0][10]
        now_us = house.clock.now_us()
        outcome = Outcome(schema, source, new_id(OPERATION, now_us))
        yield Round(
            data=(
                store.START_IMPORT(
                    **self._target._asdict(),
                    file=source.digest,
                    schema=schema.digest,
                    operation=outcome.operation,
                    rejects=str(self._rejects_path(outcome)),
                    now_us=now_us,
                ),
            )
        )
        return by, outcome, 0

    def _goes_on(self, row: tuple[Any, ...]) -> bool:
        """Whether the rejects of the interrupted run are where this one would write on."""
        rejects, counted = row[9], row[10]
        wanted = self._options.rejects
        if wanted is not None and str(wanted.absolute()) != rejects:
            return False
        try:
            return bool(counted == 0 or Path(rejects).stat().st_size >= counted)
        except OSError:
            return False

    def _taken_up(self, row: tuple[Any, ...]) -> Outcome:
        outcome = Outcome(self._columns.schema, self._columns.source, row[2], resumed_at=row[3])
        outcome.new, outcome.changed, outcome.unchanged, outcome.suppressed, outcome.rejected = row[
            4:9
        ]
        outcome.rejects = Path(row[9])
        return outcome

    def _settled(self, outcome: Outcome, rejects_bytes: int) -> Work[None]:
        yield Round(
            data=(
                store.SETTLE_IMPORT(
                    **self._target._asdict(),
                    operation=outcome.operation,
                    position=outcome.position,
                    new=outcome.new,
                    changed=outcome.changed,
                    unchanged=outcome.unchanged,
                    suppressed=outcome.suppressed,
                    rejected=outcome.rejected,
                    rejects_bytes=rejects_bytes,
                    now_us=self._house.clock.now_us(),
                ),
            )
        )

    def _finish(self, by: str, outcome: Outcome) -> Work[None]:
        now_us = self._house.clock.now_us()
        body = {
            "by": by,
            "collection": self._target.collection,
            "operation": outcome.operation,
            "new": outcome.new,
            "changed": outcome.changed,
            "unchanged": outcome.unchanged,
            "rejected": outcome.rejected,
            "suppressed": outcome.suppressed,
        }
        leaf = Leaf(LeafType.IMPORT_FINISHED, new_id(LEAF, now_us), now_us, body)
        yield Round(
            data=(
                store.END_IMPORT(**self._target._asdict(), operation=outcome.operation),
                append(client_log(self._target.client), leaf),
            )
        )

    def _folder(self) -> Path:
        return self._house.home / "imports" / self._target.client

    def _rejects_path(self, outcome: Outcome) -> Path:
        if self._options.rejects is not None:
            return self._options.rejects.absolute()
        return self._folder() / f"{self._target.collection}.{outcome.operation}.rejects.csv"


class _DryRun(_Run):
    """An import that only says what it would do. Rejects are listed if a file for them was named."""

    def go(self, told: Told) -> Outcome:
        """Run to the end of the file; nothing is written to the house."""
        outcome = Outcome(self._columns.schema, self._columns.source, "")
        rejects = RejectsFile(self._rejects_path(outcome))
        try:
            self._read_all(outcome, rejects, by="", told=told)
        finally:
            rejects.close()
        outcome.rejects = self._options.rejects if outcome.rejected else None
        return outcome

    def _write(self, writer: BatchWriter, rows: Sequence[Mapping[str, str]]) -> BatchResult:
        return writer.preview(rows)

    def _settle(self, outcome: Outcome, rejects: RejectsFile, found: list[Reject]) -> None:  # noqa: ARG002
        if self._options.rejects is not None:
            rejects.write(found)


def _without_line(reason: str) -> str:
    return (
        "has the record key of an earlier line and other values"
        if " of line " in reason
        else reason
    )
