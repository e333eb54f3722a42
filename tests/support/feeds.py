"""A small house with one client, its people, customers and a registered feed that can sign."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec

from holdfast.kit.clock import SECOND_US, rfc3339
from holdfast.kit.db import Round, statement
from holdfast.kit.secret import Secret
from holdfast.spine.identity.people import ADD_EMPLOYER, add_person
from holdfast.spine.identity.store import ADD_ASSIGNMENT
from holdfast.spine.purpose import store
from holdfast.spine.purpose.contact import OPEN, Contact, contact_of, standing
from holdfast.spine.signals.batch import open_batch
from holdfast.spine.signals.envelope import FeedKey, sign
from holdfast.spine.signals.events import split
from holdfast.spine.signals.intake import Report, apply
from holdfast.spine.signals.known import Known
from holdfast.spine.signals.registry import (
    NewFeed,
    add_feed,
    add_key,
    check_feed,
    load_feed,
    make_digest_key,
    make_key,
    retire_key,
)
from holdfast.spine.signals.resolve import prepare
from holdfast.spine.vault.blindindex import index_token
from holdfast.spine.vault.hierarchy import Keks, client_keys, ensure_client_keys
from holdfast.spine.vault.packing import FORMAT, Body, Section
from holdfast.spine.vault.roots import FileRoot
from holdfast.vocabulary.contract import Contract, Programme, Queue, Reason
from holdfast.vocabulary.levels import DataClass, Handling, Role
from holdfast.vocabulary.schema import CollectionSchema, FieldSpec, FieldType, Index
from support.stores import ON_POSTGRES, SmallHouse, bytes_of, raw

if TYPE_CHECKING:
    from pathlib import Path

    from holdfast.kit.db import Rows, Work

CLIENT = "tel-01"
FEED = "tel-acd"
BILLING = Queue(id="billing", programme="care", reasons=("bill", "plan"))
CONTRACT = Contract(
    client=CLIENT,
    name="Telco 01",
    version=1,
    queues={
        "billing": BILLING,
        "lines": Queue(id="lines", programme="care", reasons=("plan",)),
        "sell": Queue(id="sell", programme="sales", reasons=("offer",)),
    },
    reasons={
        name: Reason(name, name, {"subscribers": frozenset({"name"})})
        for name in ("bill", "plan", "offer")
    },
    grants=(Programme("care"), Programme("sales")),
)


def _field(name: str, number: int, kind: FieldType, **more: Any) -> FieldSpec:
    return FieldSpec(name, number, kind, DataClass.C1, Handling.CLEAR, **more)


SUBSCRIBERS = CollectionSchema(
    name="subscribers",
    version=1,
    owner="data@tel.example",
    customer_ref="number",
    record_key="number",
    fields=(
        _field("number", 1, FieldType.ACCOUNT),
        _field("phone", 2, FieldType.PHONE, index=Index.SEARCH, region="US"),
        _field("account", 3, FieldType.ACCOUNT, index=Index.BIND),
        _field("name", 4, FieldType.NAME, index=Index.SEARCH, index_bits=16),
        _field("city", 5, FieldType.TEXT),
    ),
)
PHONES = {"+12025550101": "cus_ana", "+12025550102": "cus_ben"}

_CUSTOMER = statement(
    "test.customer",
    "INSERT INTO vault_customer (client, id, state, changed_us) VALUES (:client, :customer, 'live', 0)",
)
_RECORD = statement(
    "test.record",
    """INSERT INTO vault_record (client, customer, id, collection, version, body, operation)
    VALUES (:client, :customer, :record, 'subscribers', :version, :body, 'op_1')""",
)
_INDEX = statement(
    "test.index",
    """INSERT INTO keyring_index (client, collection, field, token, customer, record, version, operation)
    VALUES (:client, 'subscribers', :field, :token, :customer, :record, :version, 'op_1')""",
)


class FeedHouse(SmallHouse):
    """A house with the client ``tel-01``, agents ``ana``, ``ben`` and the feed ``tel-acd``."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.root = FileRoot(bytes(range(32)))
        keks = Keks(self.root)
        self.transact(ensure_client_keys(self.root, CLIENT))
        keys = self.read(client_keys(keks, CLIENT, 1))
        self.known = Known(CONTRACT, (SUBSCRIBERS,), keys)
        self.people = {name: self._person(name) for name in ("ana", "ben")}
        for phone, customer in PHONES.items():
            self.add_customer(customer, phone)
        self.add_feed(FEED)
        self.key = self.add_key(FEED)
        self.translate = split

    def _person(self, staff_id: str, *, client: str = CLIENT) -> str:
        """Somebody who works for the client."""
        now_us = self.clock.now_us()

        def work() -> Work[str]:
            yield Round(data=(ADD_EMPLOYER(id="house", name="House"),))
            person = yield from add_person(
                staff_id=staff_id, employer="house", roles=(Role.AGENT,), now_us=now_us
            )
            assigned = ADD_ASSIGNMENT(
                id=f"asg_{staff_id}",
                person=person,
                client=client,
                programme="care",
                queues="",
                roles="agent",
                starts_us=now_us,
                ends_us=None,
            )
            yield Round(data=(assigned,))
            return person

        return self.transact(work())

    def add_customer(
        self,
        customer: str,
        phone: str,
        *,
        version: int = 1,
        sealed: int = 0,
        indexed: int = 1,
        readable: bool = True,
    ) -> None:
        """Store a record at ``version``; its phone was ``sealed`` then or earlier, and ``indexed`` at another."""
        spec = SUBSCRIBERS.by_name["phone"]
        where = {"client": CLIENT, "customer": customer, "record": f"rec_{customer}"}
        phone_at = (spec.number, sealed or version, b"")
        body = msgspec.msgpack.encode(Body(FORMAT, 1, b"", [Section(1, 1, b"", [phone_at])]))

        def work() -> Work[None]:
            token = index_token(self.known.keys, "subscribers", spec, phone)
            yield Round(
                data=(
                    _CUSTOMER(client=CLIENT, customer=customer),
                    _RECORD(version=version, body=body if readable else b"", **where),
                ),
                keys_writes=(_INDEX(field=2, token=token, version=indexed, **where),),
            )

        self.transact(work())

    def add_feed(self, name: str, **scope: Any) -> None:
        new = check_feed(NewFeed(name, CLIENT, **scope), self.known, ("generic",))
        digest_key = make_digest_key(self.root, name)
        self.transact(add_feed(new, digest_key, by=_reference, now_us=self.clock.now_us()))

    def add_key(self, feed: str) -> FeedKey:
        now_us = self.clock.now_us()
        key, sealed = make_key(self.root, feed, now_us)
        self.transact(add_key(feed, key.kid, sealed, by=_reference, now_us=now_us))
        return key

    def retire(self, kid: str, feed: str = FEED) -> None:
        self.transact(retire_key(feed, kid, by=_reference, now_us=self.clock.now_us()))

    def advance(self, seconds: float) -> None:
        self.clock.advance(int(seconds * SECOND_US))

    def event(
        self, kind: str, contact: str = "CT-1", *, ago: float = 0, **more: Any
    ) -> dict[str, Any]:
        """A canonical event that happened ``ago`` seconds before now; None takes a field away."""
        at = rfc3339(self.clock.now_us() - int(ago * SECOND_US))
        self.count = getattr(self, "count", 0) + 1
        event = {
            "id": f"evt-{self.count}",
            "type": kind if "." in kind else f"contact.{kind}",
            "occurred_at": at,
            "client": CLIENT,
            "contact": contact,
            "queue": "billing",
            **({"person": "ana"} if kind == "connected" else {}),
            **more,
        }
        return {name: value for name, value in event.items() if value is not None}

    def header(
        self, body: bytes, *, feed: str = FEED, key: FeedKey | None = None, age: int = 0
    ) -> str:
        return sign(key or self.key, feed, self.clock.now_us() // SECOND_US - age, body)

    def send_body(self, body: bytes, header: str | None = None, *, feed: str = FEED) -> Report:
        """Send ``body`` as it is, signed unless ``header`` is given."""
        header = self.header(body, feed=feed) if header is None else header
        given, keys = self.read(load_feed(self.root, feed))
        batch = open_batch(
            given,
            keys,
            header,
            body,
            name=feed,
            now_us=self.clock.now_us(),
            translate=self.translate,
        )
        report = Report()
        for part in self.read(prepare(batch, self.known)).parts():
            report += self.transact(apply(part))
        return report

    def send(self, *events: dict[str, Any], **options: Any) -> Report:
        """Send events as NDJSON, signed now."""
        return self.send_body(body_of(*events), **options)

    def ask(self, query: Any, *, of_keys: bool = False) -> Rows:
        def work() -> Work[Rows]:
            (rows,) = yield Round(keys=(query,)) if of_keys else Round(data=(query,))
            return rows

        return self.read(work())

    def contact(self, external: str = "CT-1") -> Contact | None:
        rows = self.ask(store.CONTACT_REF(client=CLIENT, external=external), of_keys=True)
        if not rows:
            return None
        return contact_of(self.ask(store.CONTACT(client=CLIENT, ref=rows[0][0])))

    def is_open(self, external: str = "CT-1", person: str = "ana") -> bool:
        """Whether the contact gives this person anything now."""
        contact = self.contact(external)
        if contact is None or contact.person != self.people[person]:
            return False
        queue = CONTRACT.queues.get(contact.queue)
        return standing(contact, queue, self.clock.now_us()) in OPEN

    def leaves(self, kind: str) -> list[dict[str, Any]]:
        """Bodies of all leaves of a type that were appended so far."""
        rows = raw(self.data, "SELECT entry FROM ledger_pending ORDER BY id")
        return [leaf for (entry,) in rows if (leaf := json.loads(entry))["type"] == kind]

    def bytes_of_data(self) -> bytes:
        """All bytes of the data store, its write-ahead log included where it is of this store alone."""
        return bytes_of(self.data, log=not ON_POSTGRES)

    def count_rows(self, table: str) -> int:
        return raw(self.data, f"SELECT COUNT(*) FROM {table}")[0][0]


def body_of(*events: dict[str, Any]) -> bytes:
    return b"\n".join(json.dumps(event).encode() for event in events)


def another_key(kid: str = "fk_other") -> FeedKey:
    """A key that nobody registered."""
    return FeedKey(kid, Secret(b"guess"))


def _reference(log: str) -> Work[str]:
    yield Round()
    return f"p_of_{log}"
