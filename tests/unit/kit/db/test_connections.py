"""What a connection to a store promises, whichever database it stands in."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack, closing
from importlib import import_module
from pkgutil import walk_packages
from select import select

import pytest

import holdfast
from holdfast.kit.db import Round, Statement, statement
from holdfast.kit.db.address import parse_address
from holdfast.kit.db.exchange import LOADS
from holdfast.kit.db.opening import connect, is_there
from holdfast.kit.db.shell import drive, in_transaction, writing
from holdfast.kit.db.statements import in_order
from holdfast.kit.errors import HoldfastError, Unavailable
from support.cluster import binaries, cluster
from support.server import environment
from support.stores import MIGRATE, raw

needs_server = pytest.mark.skipif(
    binaries() is None, reason="PostgreSQL is absent; `make setup-services` installs it"
)
STORAGES = ["sqlite", pytest.param("postgresql", marks=needs_server)]
ADD = statement("test.add", "INSERT INTO line (n, text, raw) VALUES (:n, :text, :raw)")
KEEP = statement("test.keep", "INSERT INTO line (n) VALUES (:n) ON CONFLICT (n) DO NOTHING")
LINES = statement("test.lines", "SELECT n, text, raw FROM line WHERE n IN (:ns*) ORDER BY n")
TOTAL = statement("test.total", "SELECT SUM(n), COUNT(*) FROM line")

KEY = b"an erased customer's key"
ONE = statement("test.one", "SELECT n FROM line WHERE n = :n", lock="FOR UPDATE")


@pytest.fixture(params=STORAGES)
def store(request, tmp_path):
    """The address of an empty store with one table."""
    if request.param == "sqlite":
        address = parse_address("sqlite:///one.sqlite3", tmp_path)
    else:
        name = f"c{abs(hash(tmp_path)):x}"
        address = parse_address(cluster().make(name), tmp_path)
    binary = "BLOB" if request.param == "sqlite" else "BYTEA"
    with closing(connect(address)) as connection:
        raw(connection, f"CREATE TABLE line (n BIGINT PRIMARY KEY, text TEXT, raw {binary})")
    return address


class Needle:
    longest = len(KEY)

    def stand_in(self, window):
        return KEY in window


@pytest.fixture
def connection(store):
    with closing(connect(store)) as one:
        yield one


def line(n, text="a", content=b"\x00\xff"):
    return ADD(n=n, text=text, raw=content)


def total(connection):
    return connection.execute(TOTAL())[0]


def test_what_goes_in_comes_out_as_it_was(connection):
    connection.execute(line(2**62, "ä%:n", b"\x00\xff"))
    ((number, text, content),) = connection.execute(LINES(ns=[2**62]))
    assert (number, text, bytes(content)) == (2**62, "ä%:n", b"\x00\xff")


def test_sums_are_whole_numbers(connection):
    connection.execute_all([line(1), line(2)])
    assert total(connection) == (3, 2)
    assert all(type(value) is int for value in total(connection))


def test_lists_and_repeated_names_are_bound(connection):
    connection.execute_all([line(n) for n in range(1, 5)])
    assert [row[0] for row in connection.execute(LINES(ns=[2, 4, 9]))] == [2, 4]
    assert connection.execute(LINES(ns=[])) == []


def test_many_are_counted_as_they_were_written(connection):
    assert connection.execute_many(KEEP, [(1,), (2,), (1,)]) == 2
    assert connection.execute_many(ADD, [{"n": 3, "text": "b", "raw": b""}]) == 1
    assert connection.execute_many(KEEP, []) == 0
    assert total(connection) == (6, 3)


def test_a_statement_is_a_transaction_of_its_own_until_one_is_begun(store, connection):
    connection.execute(line(1))
    assert not connection.in_transaction
    with closing(connect(store)) as other:
        assert total(other)[1] == 1
        connection.begin()
        assert connection.in_transaction
        connection.execute(line(2))
        assert total(other)[1] == 1, "nobody sees what is not committed"
        connection.commit()
        assert total(other)[1] == 2


def test_what_is_rolled_back_was_never_there(connection):
    with pytest.raises(ZeroDivisionError):
        fail_while_writing(connection)
    assert not connection.in_transaction
    assert total(connection)[1] == 0
    connection.rollback()


def fail_while_writing(connection):
    with writing(connection):
        connection.execute(line(1))
        raise ZeroDivisionError


def test_a_savepoint_undoes_one_operation_of_several(connection):
    with writing(connection):
        for number in (1, 2):
            connection.save()
            connection.execute(line(number))
            if number == 2:
                connection.undo()
            connection.release()
    assert total(connection) == (1, 1)


def test_a_statement_that_fails_leaves_a_connection_that_works(connection):
    connection.execute(line(1))
    with pytest.raises(Exception, match=r"(?i)unique"), writing(connection):
        connection.execute_all([line(2), line(1)])
    assert total(connection) == (1, 1)


def test_a_lock_stands_in_the_text_of_the_server_alone(connection):
    connection.execute(line(1))
    assert connection.execute(ONE(n=1)) == [(1,)]
    assert ONE(n=1).statement.locking("FOR SHARE").lock == "FOR SHARE"


def test_a_work_runs_to_its_end_on_two_connections(store, connection):
    def work():
        (rows,) = yield Round(data=(LINES(ns=[1]),))
        _, here, there = yield Round(data=(line(1), TOTAL()), keys=(TOTAL(),))
        return rows, here[0][1], there[0][1]

    with closing(connect(store)) as keys:
        assert in_transaction(work(), connection, keys) == ([], 1, 0)
        assert drive(iter_of(TOTAL()), connection, keys) == [(1, 1)]
        drive(writes_keys(), connection, keys)
        assert total(connection) == (8, 2)


def writes_keys():
    yield Round(keys_writes=(line(7),))


def iter_of(query):
    (rows,) = yield Round(data=(query,))
    return rows


def test_what_an_error_leaves_behind_is_written(connection):
    def fails():
        yield Round(data=(line(1),))
        raise Remembered

    with pytest.raises(Remembered):
        in_transaction(fails(), connection, connection)
    assert total(connection) == (9, 1)


class Remembered(HoldfastError):
    def __init__(self):
        super().__init__("remembered", code="remembered")
        self.aftermath = lambda: iter_of(line(9))


def test_what_was_deleted_is_nowhere_once_it_is_wiped(connection):
    connection.execute(line(1, content=KEY))
    connection.wipe()
    assert connection.holds(Needle())
    raw(connection, "DELETE FROM line")
    connection.wipe(anew=True)
    assert not connection.holds(Needle())


@needs_server
def test_another_store_of_the_server_may_go_on_to_name_what_was_wiped_from_this_one(tmp_path):
    stores = [parse_address(cluster().make(f"w{n}{abs(hash(tmp_path)):x}"), tmp_path) for n in "ab"]
    with ExitStack() as opened:
        one, other = (opened.enter_context(closing(connect(store))) for store in stores)
        for connection in (one, other):
            raw(connection, "CREATE TABLE line (n BIGINT PRIMARY KEY, text TEXT, raw BYTEA)")
            connection.execute(line(1, content=KEY))
        raw(one, "DELETE FROM line")
        assert one.holds(Needle())
        one.wipe()
        raw(other, "UPDATE line SET n = n + 1")
        assert not one.holds(Needle())
        assert other.holds(Needle())


def test_a_store_says_what_it_has(store, connection):
    assert is_there(store)
    assert "line" in connection.tables()
    assert connection.size_bytes() > 0


def test_a_server_that_is_not_there_is_told(tmp_path):
    with pytest.raises(Unavailable, match="does not answer"):
        connect(parse_address("postgres://app@127.0.0.1:1/data", tmp_path))


@pytest.fixture(scope="module")
def migrated(tmp_path_factory):
    """Connections to both stores of a house on PostgreSQL."""
    home = tmp_path_factory.mktemp("migrated")
    addresses = [cluster().make(f"p{abs(hash(home)):x}_{name}") for name in ("data", "keys")]
    keys = ("database_url", "keys_url")
    text = "\n".join(f'{k} = "{a}"' for k, a in zip(keys, addresses, strict=True))
    (home / "holdfast.toml").write_text(text)
    subprocess.run([sys.executable, "-c", MIGRATE], env=environment(home), check=True)
    with ExitStack() as opened:
        yield [
            opened.enter_context(closing(connect(parse_address(address, home))))
            for address in addresses
        ]


#: What stands outside of the portable subset, by the server's own catalogue; the lint of migrations reads no SQL.
BEYOND = {
    "triggers": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal",
    "deferred checks": "SELECT conname FROM pg_constraint WHERE condeferrable",
    "exclusion constraints": "SELECT conname FROM pg_constraint WHERE contype = 'x'",
    "indexes of another kind": """SELECT c.relname FROM pg_class c JOIN pg_am a ON a.oid = c.relam
        WHERE c.relkind = 'i' AND c.relnamespace = current_schema()::regnamespace AND a.amname <> 'btree'""",
    "generated columns": "SELECT attname FROM pg_attribute WHERE attgenerated <> ''",
    "stored procedures": "SELECT proname FROM pg_proc WHERE pronamespace = current_schema()::regnamespace",
    "inheritance and partitions": "SELECT inhrelid::regclass FROM pg_inherits",
}


@needs_server
@pytest.mark.parametrize("what", BEYOND)
def test_migrations_make_plain_tables(migrated, what):
    assert [raw(store, BEYOND[what]) for store in migrated] == [[], []]


@needs_server
def test_the_server_numbers_few_rows(migrated):
    text = "SELECT sequencename FROM pg_sequences WHERE schemaname = current_schema()"
    numbered = {name for store in migrated for (name,) in raw(store, text)}
    own = {name for name in numbered if not name.startswith(("django_", "auth_"))}
    factors = "mfa_authenticator_id_seq"  # a library's
    assert own == {"ledger_pending_id_seq", "keyring_index_id_seq", factors}


@needs_server
def test_every_statement_is_one_that_the_server_knows(migrated):
    """The portable subset, by trial: each is prepared where its tables are."""
    found = {one.name: one for module in _stores() for one in _statements(module)}
    assert len(found) > 400
    refused = {name: why for name, one in found.items() if (why := _refusal(migrated, one))}
    assert refused.keys() == {
        "classification_seen",  # of SQLite's private temporary store
        "classification_add_seen",
        "decision.charge",  # adds up a number whose type only the driver says
    }, refused


def _stores():
    """Modules that hold SQL; a lint lets it stand nowhere else."""
    for found in walk_packages(holdfast.__path__, "holdfast."):
        if found.name.endswith(".store") or ".store." in found.name:
            yield import_module(found.name)


def _statements(module):
    return (one for one in vars(module).values() if isinstance(one, Statement))


def _refusal(stores, one):
    """What the server says against preparing a statement, in the store that has its tables."""
    refusals = []
    for store in stores:
        try:
            raw(store, f"PREPARE one AS {in_order(one.text, one.lock)[0]}")
        except Exception as error:  # noqa: BLE001  whatever the server says
            refusals.append(str(error))
            continue
        told = store.raw.pgconn.describe_prepared(b"one")
        raw(store, "DEALLOCATE one")
        kinds = {told.ftype(at) for at in range(told.nfields)}
        return "" if kinds <= LOADS.keys() else f"columns of the types {kinds - LOADS.keys()}"
    return " / ".join(refusals)


@pytest.fixture
def severed(tmp_path):
    """A connection to PostgreSQL, and what ends it on the server, as a failover or a timeout does."""
    database = cluster().make(f"c{abs(hash(tmp_path)):x}")
    with (
        closing(connect(parse_address(database, tmp_path))) as one,
        closing(connect(parse_address(database, tmp_path))) as other,
    ):
        raw(one, "CREATE TABLE line (n BIGINT PRIMARY KEY, text TEXT, raw BYTEA)")

        def sever() -> None:
            raw(other, f"SELECT pg_terminate_backend({one.raw.info.backend_pid}, 5000)")

        yield one, sever


@needs_server
def test_a_connection_that_broke_is_opened_anew_by_what_comes_next(severed):
    connection, sever = severed
    connection.execute(line(1))
    sever()
    assert total(connection) == (1, 1), "what only reads is asked again"
    sever()
    with writing(connection):
        connection.execute(line(2))
    sever()
    connection.begin_reading()
    assert total(connection) == (3, 2)
    connection.commit()


@needs_server
def test_what_was_begun_on_a_connection_that_broke_is_never_done_by_halves(severed):
    connection, sever = severed
    connection.begin()
    connection.execute(line(1))
    sever()
    for number in (2, 3):
        with pytest.raises(Unavailable):
            connection.execute(line(number))
    with pytest.raises(Unavailable):
        connection.commit()
    assert connection.in_transaction
    connection.rollback()
    assert not connection.in_transaction
    assert total(connection) == (None, 0)


@needs_server
def test_a_commit_that_nobody_answered_is_a_refusal_and_is_not_tried_again(severed):
    connection, sever = severed
    connection.begin()
    connection.execute(line(1))
    sever()
    with pytest.raises(Unavailable):
        connection.commit()
    connection.rollback()
    assert total(connection) == (None, 0)


@needs_server
def test_a_write_that_nobody_answered_is_a_refusal(severed):
    connection, sever = severed
    sever()
    with pytest.raises(Unavailable):
        connection.execute(line(1))
    connection.execute(line(1))
    assert total(connection) == (1, 1)


@needs_server
@pytest.mark.parametrize("lines", [1, 3])
def test_the_server_gives_up_what_a_frozen_process_holds(severed, lines):
    """After one statement, and after several in one round trip."""
    connection, _ = severed
    kept = "SELECT current_setting('idle_in_transaction_session_timeout'), current_setting('lock_timeout')"
    assert raw(connection, kept) == [("10s", "5s")]
    raw(connection, "SET idle_in_transaction_session_timeout = '100ms'")
    connection.begin()
    connection.execute_all([line(number) for number in range(lines)])
    assert select([connection.raw.fileno()], [], [], 30)[0], "the server says that it has given up"
    with pytest.raises(Unavailable):
        connection.commit()
    connection.rollback()
    assert total(connection) == (None, 0)
