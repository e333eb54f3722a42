"""From what a feed says to what we know: names become our ids, identifiers become references (SPINE 22).

This runs outside the write transaction. It writes additively to the ``keys`` store: a new contact's reference, which
counts only once the contact stands in ``data`` (SPINE 18). After it nothing of a batch holds a customer's identifier or
a contact's own id.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.kit.db import Round
from holdfast.kit.errors import IntegrityBroken, InvalidInput, NotFound
from holdfast.kit.ids import new_reference
from holdfast.spine.actions.store import QUARANTINED_OF
from holdfast.spine.purpose.merge import OF_PERSON, ContactEvent
from holdfast.spine.purpose.store import ADD_CONTACT_REF, CONTACT_REFS
from holdfast.spine.signals.events import Refusal, Rejected
from holdfast.spine.signals.store import CONFIRMED, CUSTOMER_REFS, INDEX_HITS, PERSONS_NAMED
from holdfast.spine.vault.blindindex import binding_tokens
from holdfast.spine.vault.load import customer_reference
from holdfast.spine.vault.packing import IndexHit, RecordRow, index_confirms
from holdfast.vocabulary.ids import CONTACT_REF

if TYPE_CHECKING:
    from holdfast.kit.db import Query, Rows, Work
    from holdfast.spine.purpose.merge import Timing
    from holdfast.spine.signals.batch import Arrived, VerifiedBatch
    from holdfast.spine.signals.events import Event, Hint
    from holdfast.spine.signals.known import Known
    from holdfast.vocabulary.contract import Queue

MOST_PER_TRANSACTION: Final = 200
_MOST_HITS: Final = 10_000
_EXACT_BITS: Final = (
    128  # a shorter token is shared by several customers: it cannot tell which one calls
)

Token = tuple[str, int, bytes]  # collection, number of the field, blind index token
Hits = Mapping[Token, set[str]]  # token → customers whose present record has it


class Resolved(NamedTuple):
    """One event in our own terms. With ``refusal`` it opens nothing and only closes what it closes."""

    line: int
    event: ContactEvent
    when: Timing
    digest: bytes
    refusal: Rejected | None
    site: str = ""


class Prepared(NamedTuple):
    """A batch that is ready to be written by SQL alone."""

    batch: VerifiedBatch  # without its events
    resolved: Sequence[Resolved]
    rejected: Sequence[Rejected]
    customer_refs: Mapping[str, str]  # customer → what the client's log calls them

    def parts(self) -> Iterator[Prepared]:
        """Split it so that no write transaction is long; the first part carries the lines refused so far."""
        size = MOST_PER_TRANSACTION
        yield self._replace(resolved=self.resolved[:size])
        for start in range(size, len(self.resolved), size):
            yield self._replace(resolved=self.resolved[start : start + size], rejected=())


def prepare(batch: VerifiedBatch, known: Known, *, sure_us: int | None = None) -> Work[Prepared]:
    """Resolve all names and identifiers of a batch.

    ``sure_us`` is the time by which a changed value may be old enough: now, unless the clock is in doubt.
    """
    tokens = {
        arrived.line: _tokens(arrived.event.customer, known)
        for arrived in batch.arrived
        if arrived.event.customer is not None
    }
    people = yield from _people(batch)
    refs = yield from _contact_refs(batch)
    sure_us = batch.received_us if sure_us is None else sure_us
    hits = yield from _hits(batch.feed.client, tokens.values(), sure_us)
    names = _Names(batch.feed.programmes, known, people, refs)
    resolved: list[Resolved] = []
    rejected = list(batch.rejected)
    for arrived in batch.arrived:
        found = names.resolve(arrived, _customer_of(tokens.get(arrived.line, ()), hits))
        if isinstance(found, Rejected):
            rejected.append(found)
        else:
            resolved.append(found)
    named = yield from _customer_refs(batch.feed.client, {r.event.customer for r in resolved})
    return Prepared(
        batch._replace(arrived=(), rejected=()),
        [_without_erased(one, named) for one in resolved],
        rejected,
        named,
    )


def _customer_refs(client: str, customers: Collection[str]) -> Work[dict[str, str]]:
    """Return what the client's log calls each customer; one whose keys are destroyed by now is left out."""
    asked = sorted(customer for customer in customers if customer)
    (rows,) = yield Round(keys=(CUSTOMER_REFS(client=client, customers=asked),))
    refs: dict[str, str] = dict(rows)
    for customer in asked:
        if customer not in refs:
            with suppress(NotFound):
                refs[customer] = yield from customer_reference(client, customer)
    return refs


def _without_erased(resolved: Resolved, named: Mapping[str, str]) -> Resolved:
    customer = resolved.event.customer
    if not customer or customer in named:
        return resolved
    return resolved._replace(event=resolved.event._replace(customer=""))


def _people(batch: VerifiedBatch) -> Work[dict[str, str]]:
    """Return name → person for every name that means exactly one who works for the feed's client.

    A name is ``per_…``, a staff id, or ``employer/staff id``.
    """
    names = {a.event.person for a in batch.arrived if a.event.person}
    staff_ids = {name.rpartition("/")[2] for name in names}
    named = PERSONS_NAMED(
        client=batch.feed.client,
        persons=sorted(names),
        staff_ids=sorted(staff_ids),
        now_us=batch.received_us,
    )
    (rows,) = yield Round(data=(named,))
    meant: dict[str, set[str]] = defaultdict(set)
    for person, staff_id, employer in rows:
        for name in (person, staff_id, f"{employer}/{staff_id}"):
            meant[name].add(person)
    return {name: next(iter(persons)) for name, persons in meant.items() if len(persons) == 1}


def _contact_refs(batch: VerifiedBatch) -> Work[dict[str, str]]:
    """Return our reference for each contact of the batch; new ones get one."""
    client = batch.feed.client
    externals = sorted({a.event.contact for a in batch.arrived if a.event.contact})
    (rows,) = yield Round(keys=(CONTACT_REFS(client=client, externals=externals),))
    refs: dict[str, str] = dict(rows)
    missing = [external for external in externals if external not in refs]
    if missing:
        writes = tuple(
            ADD_CONTACT_REF(client=client, external=external, ref=new_reference(CONTACT_REF))
            for external in missing
        )
        asked = CONTACT_REFS(client=client, externals=missing)
        (rows,) = yield Round(keys_writes=writes, keys=(asked,))
        refs.update(dict(rows))
    return refs


def _tokens(hint: Hint | None, known: Known) -> tuple[Token, ...] | None:
    """Return the blind index tokens to look for; None when the client has no such identifier."""
    if hint is None:
        return ()
    ((field, value),) = hint.by.items()
    schemas = [
        schema
        for schema in known.schemas
        if hint.collection in {None, schema.name}
        and (spec := schema.by_name.get(field)) is not None
        and spec.index_bits >= _EXACT_BITS
    ]
    try:
        return tuple(binding_tokens(known.keys, schemas, field, value)) or None
    except (
        InvalidInput
    ):  # a withheld number, say: it tells nobody, and that is no mistake of the sender's
        return ()


def _hits(client: str, asked: Iterable[tuple[Token, ...] | None], sure_us: int) -> Work[Hits]:
    """Look tokens up. A hit counts when the record's present version confirms it and its customer is live.

    A value that was changed a short while ago proves nothing: it names nobody.
    """
    by_field: dict[tuple[str, int], set[bytes]] = defaultdict(set)
    for tokens in asked:
        for collection, field, token in tokens or ():
            by_field[collection, field].add(token)
    if not by_field:
        return {}
    answers = yield Round(keys=tuple(_lookup(client, at, found) for at, found in by_field.items()))
    rows = [
        ((*at, bytes(token)), IndexHit(*entry))
        for at, answer in zip(by_field, answers, strict=True)
        for token, *entry in _unless_too_many(answer)
    ]
    customers = sorted({entry.customer for _, entry in rows})
    records, quarantined = yield Round(
        data=(
            CONFIRMED(client=client, customers=customers),
            QUARANTINED_OF(client=client, customers=customers, now_us=sure_us),
        )
    )
    young = {tuple(row) for row in quarantined}
    present = {row[0]: RecordRow(*row) for row in records}
    hits: dict[Token, set[str]] = defaultdict(set)
    for found, entry in rows:
        if (entry.customer, *found[:2]) in young:
            continue  # whoever had the number changed a day ago must not be known by it (SPINE 16)
        record = present.get(entry.record)
        with suppress(
            IntegrityBroken
        ):  # a record that cannot be read says nothing here; a look at it will tell
            if record and index_confirms(record, found[1], entry):
                hits[found].add(entry.customer)
    return hits


def _lookup(client: str, at: tuple[str, int], tokens: Collection[bytes]) -> Query:
    collection, field = at
    return INDEX_HITS(
        client=client, collection=collection, field=field, tokens=sorted(tokens), limit=_MOST_HITS
    )


def _unless_too_many(rows: Rows) -> Rows:
    return rows if len(rows) < _MOST_HITS else []  # cut off: what is left could look unique


def _customer_of(tokens: tuple[Token, ...] | None, hits: Hits) -> str | None:
    """Return the one customer meant, ``""`` if nobody or several are, None if there is no such identifier."""
    if tokens is None:
        return None
    found = set[str]().union(*(hits.get(token, ()) for token in tokens))
    return next(iter(found)) if len(found) == 1 else ""


class _Names:
    """What the names in events mean for one client, at one moment."""

    def __init__(
        self,
        programmes: frozenset[str],
        known: Known,
        people: Mapping[str, str],
        refs: Mapping[str, str],
    ) -> None:
        self._programmes = programmes
        self._contract = known.contract
        self._people = people
        self._refs = refs

    def resolve(self, arrived: Arrived, customer: str | None) -> Resolved | Rejected:
        """Put an event in our own terms; rejected whole if it is out of scope or about nobody."""
        said = arrived.event
        queue = self._contract.queues.get(said.queue)
        programme = queue.programme if queue else said.programme
        if self._programmes and programme and programme not in self._programmes:
            return Rejected(arrived.line, Refusal.OTHER_PROGRAMME, "queue")
        event = ContactEvent(
            id=said.id,
            type=said.type,
            occurred_us=arrived.occurred_us,
            contact=self._refs.get(said.contact, ""),
            programme=programme if queue else "",
            queue=said.queue if queue else "",
            reason=said.reason,
            person=self._people.get(said.person, ""),
            customer=customer or "",
            channel=said.channel,
        )
        wrong = self._wrong(said, queue, known_identifier=customer is not None)
        refusal = Rejected(arrived.line, *wrong) if wrong else None
        if refusal and said.type in OF_PERSON:
            return refusal
        return Resolved(arrived.line, event, arrived.when, arrived.digest, refusal, said.site)

    def _wrong(
        self, said: Event, queue: Queue | None, *, known_identifier: bool
    ) -> tuple[Refusal, str] | None:
        if said.queue and queue is None:
            return Refusal.UNKNOWN_QUEUE, "queue"
        if said.programme and said.programme not in (
            {queue.programme} if queue else self._contract.programmes
        ):
            return Refusal.UNKNOWN_QUEUE, "programme"
        if said.reason and said.reason not in (queue.reasons if queue else self._contract.reasons):
            return Refusal.UNKNOWN_REASON, "reason"
        if said.person and said.person not in self._people:
            return Refusal.UNKNOWN_PERSON, "person"
        return None if known_identifier else (Refusal.UNKNOWN_IDENTIFIER, "customer.by")
