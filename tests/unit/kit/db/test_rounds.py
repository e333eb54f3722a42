"""A round to PostgreSQL: its queries are sent together, and are answered as if they were sent one by one."""

from __future__ import annotations

import asyncio
from contextlib import closing

import psycopg
import pytest

from holdfast.kit.db import Round, statement
from holdfast.kit.db.address import parse_address
from holdfast.kit.db.opening import connect
from holdfast.kit.db.postgres import adapt, parameters
from holdfast.kit.db.postgres_async import drive_async, writing_async
from support.cluster import cluster
from support.served import NEEDS_SERVER
from support.stores import raw

pytestmark = NEEDS_SERVER
ADD = statement("test.add", "INSERT INTO line (n) VALUES (:n) RETURNING n")
QUIET = statement("test.quiet", "INSERT INTO line (n) VALUES (:n)")
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
        kwargs = {**parameters(url), "autocommit": True, "prepare_threshold": 1}
        async with await psycopg.AsyncConnection.connect(**kwargs) as connection:
            adapt(connection)
            return [await _came_of(work, connection) for work in works]

    return asyncio.run(each())


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


def test_the_driver_has_the_step_that_is_put_off():
    assert callable(psycopg.AsyncPipeline._communicate_gen)
