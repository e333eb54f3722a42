"""A commit that waits for a standby which never confirms it: whoever ends the wait, it is no answer."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import closing, contextmanager

import pytest

from holdfast.edges.checks.server import must_survive_failover, survives_failover
from holdfast.kit.config import load_settings
from holdfast.kit.db.opening import connect
from holdfast.kit.db.postgres_async import AsyncConnection, writing_async
from holdfast.kit.db.shell import writing
from holdfast.kit.db.statements import statement
from holdfast.kit.errors import Unavailable
from support.cluster import cluster
from support.served import NEEDS_SERVER, granted_house

pytestmark = NEEDS_SERVER
WRITE = statement("test.write", "INSERT INTO ledger_due (what, first_us) VALUES (:what, 1)")
LIMIT_S = 30


def until(what):
    deadline = time.monotonic() + LIMIT_S
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@contextmanager
def wanting(names):
    """The server wants these standbys to confirm each commit."""
    _set(f"SET synchronous_standby_names = '{names}'", names)
    try:
        yield
    finally:
        _set("RESET synchronous_standby_names", "")


def _set(what, seen):
    with cluster().connect() as connection:
        connection.execute(f"ALTER SYSTEM {what}")
        connection.execute("SELECT pg_reload_conf()")
    until(lambda: _named() == seen)


def _named():
    with cluster().connect() as connection:  # a session takes note of it when it begins
        ((name,),) = connection.execute("SHOW synchronous_standby_names").fetchall()
    return name


def end_the_wait_of(pid):
    with cluster().connect() as connection:
        asked = "SELECT 1 FROM pg_stat_activity WHERE pid = %s AND wait_event = 'SyncRep'"
        until(lambda: connection.execute(asked, (pid,)).fetchall())
        connection.execute("SELECT pg_cancel_backend(%s)", (pid,))


@pytest.fixture
def store():
    return load_settings(granted_house(), {}).data


def test_a_commit_that_only_the_primary_has_is_no_answer(store):
    with closing(connect(store)) as connection, wanting("nobody"):
        ending = threading.Thread(target=end_the_wait_of, args=(connection.raw.info.backend_pid,))
        ending.start()
        with pytest.raises(Unavailable, match="standby"), writing(connection):
            connection.execute(WRITE(what="sync"))
        ending.join()
        assert not connection.in_transaction


def test_nor_on_the_path_of_requests(store):
    async def write():
        one = await AsyncConnection.connect(store.url.reveal(), autocommit=True)
        ending = threading.Thread(target=end_the_wait_of, args=(one.info.backend_pid,))
        ending.start()
        try:
            with pytest.raises(Unavailable, match="standby"):
                async with writing_async(one):
                    await one.ask([WRITE(what="async")])
        finally:
            await one.close()
            ending.join()

    with wanting("nobody"):
        asyncio.run(write())


def test_whoever_names_two_servers_is_told_when_none_confirms():
    home = granted_house()
    settings = load_settings(home, _several(home))
    assert len(list(survives_failover(settings))) == 2
    assert {one.severity.value for one in must_survive_failover(settings)} == {"error"}
    with wanting("nobody"):
        assert list(survives_failover(settings)) == []


def _several(home):
    settings = load_settings(home, {})
    found = {}
    for key, store in (
        ("HOLDFAST_DATABASE_URL", settings.data),
        ("HOLDFAST_KEYS_URL", settings.keys),
    ):
        url = store.url.reveal()
        before, _, database = url.rpartition("/")
        port = before.rpartition(":")[2]
        found[key] = f"{before},127.0.0.1:{port}/{database}?target_session_attrs=read-write"
    return found
