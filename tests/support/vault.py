"""A real house with one client and a collection, and the short ways that vault tests take through it."""

from __future__ import annotations

from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

from holdfast.kit.config import load_settings
from holdfast.kit.db import Round, Statement
from holdfast.kit.db.shell import drive, in_transaction
from holdfast.kit.ids import new_id
from holdfast.spine.decision.verdict import Permit, make_permit
from holdfast.spine.house import House, open_house
from holdfast.spine.vault.blindindex import customer_token
from holdfast.spine.vault.hierarchy import ClientKeys, client_keys, ensure_client_keys
from holdfast.spine.vault.keyring import store as keyring
from holdfast.spine.vault.load import load_records
from holdfast.spine.vault.records import LoadedRecord, open_fields
from holdfast.spine.vault.roots import ROOT_FILE, FileRoot
from holdfast.spine.vault.schema import compile_schema
from holdfast.spine.vault.update import update_record
from holdfast.spine.vault.writer import BatchResult, BatchWriter
from holdfast.vocabulary.levels import Handling, Operation, Presentation
from support.stores import FakeClock, copy_house, raw, template

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from holdfast.kit.db import Query, Rows
    from holdfast.kit.db.ports import Ask, Connection
    from holdfast.vocabulary.schema import CollectionSchema

CLIENT = "bank-01"
OTHER_CLIENT = "telco-01"
SCHEMA_TOML = """
owner = "Data protection, Bank 01"
customer_ref = "customer_no"
record_key = "account_no"
region = "PH"

[fields.customer_no]
type = "account"
class = "C2"
handling = "clear"

[fields.account_no]
type = "account"
class = "C2"
handling = "masked"

[fields.name]
type = "name"
class = "C1"
handling = "clear"
index = "search"
index_bits = 16

[fields.phone]
type = "phone"
class = "C1"
handling = "masked"
index = "search"

[fields.email]
type = "email"
class = "C1"
handling = "clear"
index = "search"

[fields.dob]
type = "date_of_birth"
class = "C3"
handling = "verify_only"

[fields.national_id]
type = "national_id"
class = "C3"
handling = "masked"
index = "bind"

[fields.card]
type = "card"
class = "C4"
handling = "reference"

[fields.balance]
type = "decimal"
class = "C2"
handling = "clear"
"""
CARDS = ("4111111111111111", "5555555555554444", "4012888888881881", "378282246310005")


@lru_cache(maxsize=8)
def schema_of(text: str = SCHEMA_TOML, name: str = "accounts") -> CollectionSchema:
    """A compiled schema, compiled once per run."""
    return compile_schema(text, name=name)


def row(number: int = 1, **changes: str) -> dict[str, str]:
    """A row of the client's file; numbers from reserved ranges."""
    return {
        "customer_no": f"C-{number:06d}",
        "account_no": f"ACC{number:09d}",
        "name": f"Ana Cruz {'abcdefghij'[number % 10]}",
        "phone": f"+1202555{100 + number % 100:04d}",
        "email": f"ana{number}@example.com",
        "dob": f"1990-02-{1 + number % 28:02d}",
        "national_id": f"900-12-{number:04d}",
        "card": CARDS[number % len(CARDS)],
        "balance": f"{number}.50",
    } | changes


class Vault:
    """One house with one client. ``schema`` is that of its collection."""

    def __init__(self, home: Path, clock: FakeClock | None = None, *, client: str = CLIENT) -> None:
        self.home = home
        self.clock = clock or FakeClock()
        self.client = client
        self.schema = schema_of()
        self.house = self.opened()

    def opened(self) -> House:
        """Open the house as another process would."""
        return open_house(load_settings(self.home, {}), self.clock)

    def reopen(self) -> None:
        """Forget everything that this process knows."""
        self.house.close()
        self.house = self.opened()

    def close(self) -> None:
        self.house.close()

    # ── writing ─────────────────────────────────────────────────────────────────────────────────────────────
    @contextmanager
    def writer(
        self, schema: CollectionSchema | None = None, house: Any = None
    ) -> Iterator[BatchWriter]:
        operation = new_id("op", self.clock.now_us())
        given = schema or self.schema
        with BatchWriter(
            house or self.house, self.client, given, operation=operation, by="p_x"
        ) as writer:
            yield writer

    def write(
        self, *rows: Mapping[str, str], schema: CollectionSchema | None = None
    ) -> BatchResult:
        self.clock.advance(1)
        with self.writer(schema) as writer:
            return writer.write(rows)

    def update(self, number: int = 1, **values: str) -> str:
        """Change fields of the only record of a customer; returns the operation."""
        operation = new_id("op", self.clock.now_us())
        self.clock.advance(1000)
        (loaded,) = self.load(self.customer(number))
        permit = self.permit(loaded.row.customer, *values, operation=Operation.UPDATE)
        work = update_record(
            permit, loaded, self.schema, values, operation=operation, now_us=self.clock.now_us()
        )
        self.house.transact(work)
        return operation

    # ── reading ─────────────────────────────────────────────────────────────────────────────────────────────
    @property
    def keys(self) -> ClientKeys:
        return self.house.read(client_keys(self.house.keks, self.client, 0))

    def customer(self, number: int = 1) -> str:
        """The id of the customer with this number."""
        token = customer_token(self.keys, row(number)["customer_no"])
        return str(self.ask_keys(keyring.CUSTOMER_BY_TOKEN, client=self.client, token=token)[0][0])

    def load(self, customer: str, collection: str = "") -> list[LoadedRecord]:
        return self.house.read(load_records(self.keys, customer, collection or self.schema.name))

    def permit(
        self,
        customer: str,
        *fields: str,
        operation: Operation = Operation.REVEAL,
        clear: bool = True,
    ) -> Permit:
        """A permit for fields, each shown as plainly as its handling allows."""
        shown = {
            name: Presentation.CLEAR
            if clear and self.schema.by_name[name].handling in {Handling.CLEAR, Handling.REFERENCE}
            else Presentation.MASKED
            for name in fields
        }
        return make_permit(
            self.client, customer, self.schema.name, operation=operation, fields=shown
        )

    def showable(self) -> list[str]:
        return [
            spec.name for spec in self.schema.fields if spec.handling is not Handling.VERIFY_ONLY
        ]

    def reveal(self, number: int = 1, *fields: str) -> dict[str, str]:
        """Fields (all that may be shown) of the only record of a customer."""
        customer = self.customer(number)
        (loaded,) = self.load(customer)
        opened = open_fields(
            self.permit(customer, *(fields or self.showable())), loaded, self.schema
        )
        return {name: value.reveal() for name, value in opened.items()}

    # ── looking into the stores ─────────────────────────────────────────────────────────────────────────────
    def ask_keys(self, statement: Statement, **params: Any) -> list[tuple[Any, ...]]:
        def work():
            (rows,) = yield Round(keys=(statement(**params),))
            return rows

        return self.house.read(work())

    def sql(self, text: str, *params: Any, store: str = "data") -> list[tuple[Any, ...]]:
        """Run SQL as somebody does who has the files."""
        with self.house.stores() as stores:
            connection = getattr(stores, store)
            return raw(connection, text, params)

    def leaves(self) -> list[bytes]:
        return [
            bytes(entry)
            for (entry,) in self.sql("SELECT entry FROM ledger_pending ORDER BY at_us, leaf")
        ]


@lru_cache(maxsize=1)
def _founded() -> Path:
    """A migrated house with its root, its signing keys and two clients' keys; made once per process."""
    folder = Path(mkdtemp(prefix="holdfast-vault-"))
    copy_house(template(), folder)
    FileRoot.create(folder / ROOT_FILE)
    house = open_house(load_settings(folder, {}), FakeClock())
    house.found_signing_keys()
    for client in (CLIENT, OTHER_CLIENT):
        house.read(ensure_client_keys(house.root, client))
    house.close()
    return folder


def new_vault(home: Path, *, client: str = CLIENT, clock: FakeClock | None = None) -> Vault:
    """A fresh copy of a founded house."""
    if not (home / ROOT_FILE).exists():
        copy_house(_founded(), home)
    return Vault(home, clock, client=client)


class Killed(BaseException):
    """The process died here."""


class Mortal:
    """A connection that dies before its ``left``-th write: nothing runs on it, or on its twin, after that."""

    def __init__(self, connection: Connection, life: list[int]) -> None:
        self._connection = connection
        self._life = life

    def _spend(self, text: str) -> None:
        if self._life[0] <= 0:
            raise Killed
        if text.startswith(("INSERT", "UPDATE", "DELETE", "COMMIT", "WIPE")):
            self._life[0] -= 1
            if self._life[0] <= 0:
                raise Killed

    def execute(self, query: Query) -> Rows:
        self._spend(query.statement.text)
        return self._connection.execute(query)

    def execute_all(self, queries: Sequence[Query]) -> list[Rows]:
        return [self.execute(query) for query in queries]

    def execute_many(self, statement: Statement, parameters: Sequence[Any]) -> int:
        written = 0
        for one in parameters:
            self._spend(statement.text)
            written += self._connection.execute_many(statement, [one])
        return written

    def asking(self) -> Ask:
        return self.execute_all

    def commit(self) -> None:
        self._spend("COMMIT")
        self._connection.commit()

    def wipe(self, *, anew: bool = False, tables: Collection[str] = ()) -> None:
        self._spend("WIPE")
        self._connection.wipe(anew=anew, tables=tables)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


class MortalStores:
    """Both stores, with one life."""

    def __init__(self, stores: Any, life: list[int]) -> None:
        self.data = Mortal(stores.data, life)
        self.keys = Mortal(stores.keys, life)


class MortalHouse:
    """A house whose process dies before its ``lives``-th write, wherever that is; reads are free."""

    def __init__(self, house: House, lives: int) -> None:
        self._house = house
        self._life = [lives]

    @property
    def is_alive(self) -> bool:
        return self._life[0] > 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._house, name)

    @contextmanager
    def stores(self) -> Iterator[MortalStores]:
        with self._house.stores() as stores:
            yield MortalStores(stores, self._life)

    def transact(self, work: Any) -> Any:
        with self.stores() as stores:
            return in_transaction(work, stores.data, stores.keys)

    def read(self, work: Any) -> Any:
        with self.stores() as stores:
            return drive(work, stores.data, stores.keys)


__all__ = [
    "CLIENT",
    "OTHER_CLIENT",
    "Killed",
    "MortalHouse",
    "Vault",
    "new_vault",
    "row",
    "schema_of",
]
