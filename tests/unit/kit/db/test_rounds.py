"""A round to PostgreSQL: its queries are sent together, and are answered as if they were sent one by one."""

from __future__ import annotations

import asyncio
from contextlib import closing

import psycopg
import pytest

from holdfast.kit.db import Round, statement
from holdfast.kit.db.address import parse_address
from holdfast.kit.db.opening import connect
from holdfast.kit.db.postgres import parameters
from holdfast.kit.db.postgres_async import AsyncConnection, drive_async, writing_async
from support.cluster import cluster
from support.served import NEEDS_SERVER
from support.stores import raw

pytestmark = NEEDS_SERVER
ADD = statement("test.add", "INSERT INTO line (n) VALUES (:n) RETURNING n")
QUIET = statement("test.quiet", "INSERT INTO line (n) VALUES (:n)")
TOTAL = statement("test.total", "SELECT SUM(:n) FROM line WHERE n = 3")
LINES = statement("test.lines", "SELECT n FROM line WHERE n IN (:ns*) ORDER BY n")


@pytest.fixture
def url(tmp_path):
    url = cluster().make(f"r{abs(hash(tmp_path)):x}")
    with closing(connect(parse_address(url, tmp_path))) as connection:
        raw(connection, "CREATE TABLE line (n BIGINT PRIMARY KEY)")
    return url


def run(url, *works):
    """Run each work in a transaction of its own, all on one connection; return what came of them."""

    async def each():
        async with await opened(url) as connection:
            return [await _came_of(work, connection) for work in works]

    return asyncio.run(each())


async def opened(url):
    return await AsyncConnection.connect(**parameters(url), autocommit=True)


async def _came_of(work, connection):
    try:
        async with writing_async(connection):
            return await drive_async(work, connection, connection)
    except psycopg.Error as error:
        return type(error)


def asking(*queries):
    return (yield Round(data=queries))


def test_rows_come_back_in_the_order_of_the_queries(url):
    queries = (ADD(n=2), QUIET(n=1), LINES(ns=[1, 2, 3]), ADD(n=3), LINES(ns=[1, 2, 3]))
    answers = [[(2,)], [], [(1,), (2,)], [(3,)], [(1,), (2,), (3,)]]
    assert run(url, asking(*queries)) == [answers]


def test_a_query_that_fails_takes_its_round_back_and_spares_the_connection(url):
    fails = asking(ADD(n=1), ADD(n=2), ADD(n=1), ADD(n=3))
    looks = asking(LINES(ns=[1, 2, 3]), ADD(n=4))
    assert run(url, fails, looks) == [psycopg.errors.UniqueViolation, [[], [(4,)]]]


def test_a_round_may_be_larger_than_what_the_server_takes_before_it_is_read(url):
    many = range(20_000)
    queries = [LINES(ns=[n] * 12) for n in many]
    assert run(url, asking(ADD(n=1)), asking(*queries)) == [
        [[(1,)]],
        [[(1,)] if n == 1 else [] for n in many],
    ]


def test_sums_of_whatever_size_are_whole_numbers(url):
    sums = [0, 1, -1, 9_999, 10_000, 10_000_000, -(10**12) - 1, 2**62, -(2**62)]
    asks = [TOTAL(n=n) for n in sums]
    assert run(url, asking(ADD(n=2**62), ADD(n=3), *asks))[0][2:] == [[(n,)] for n in sums]


def test_a_value_of_a_type_that_no_store_holds_is_refused(url):
    with pytest.raises(TypeError, match="complex"):
        run(url, asking(ADD(n=1j)))


def test_who_gives_a_round_up_leaves_nothing_behind_on_the_server(url):
    async def give_up():
        async with await opened(url) as one, await opened(url) as other:
            one.begin()
            await one.ask([ADD(n=1)])
            other.begin()
            waiting = asyncio.ensure_future(other.ask([ADD(n=1)]))
            await until(lambda: waits(url))
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            assert other.closed
            await until(lambda: not waits(url))
            await one.commit_within(30)

    asyncio.run(asyncio.wait_for(give_up(), 60))


async def until(what):
    for _ in range(3000):
        if what():
            return
        await asyncio.sleep(0.01)
    raise AssertionError(what)


def waits(url):
    """Whether a session waits for another's row."""
    asked = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    with psycopg.connect(url) as connection:
        return connection.execute(asked).fetchall()
