"""One turn, one transaction: answers leave after the commit, and one failure does not spoil its neighbours."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from holdfast.edges.dataplane.cohort import ask_each
from holdfast.edges.dataplane.turn import COMPANY, MOST_PER_TURN, MOST_QUIETS, QUIET_S, Turns
from holdfast.kit.db import Round, statement
from holdfast.kit.db.ports import Connection
from holdfast.kit.db.sqlite import connect
from holdfast.kit.errors import Conflict, HoldfastError, Unavailable
from holdfast.spine.house import Stores
from support.stores import raw

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from holdfast.kit.db import Work

ADD = statement("add", "INSERT INTO line (text) VALUES (:text)")
COUNT = statement("count", "SELECT COUNT(*) FROM line")


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Stores]:
    data = connect(tmp_path / "data.sqlite3", busy_timeout_ms=0)
    raw(data, "CREATE TABLE line (text TEXT UNIQUE) STRICT")
    opened = Stores(data, connect(tmp_path / "keys.sqlite3", busy_timeout_ms=0))
    yield opened
    opened.close()


@pytest.fixture
def other(tmp_path: Path, stores: Stores) -> Iterator[Connection]:
    assert stores
    connection = connect(tmp_path / "data.sqlite3", busy_timeout_ms=0)
    yield connection
    connection.close()


def add(text: str) -> Work[int]:
    yield Round(data=(ADD(text=text),))
    (rows,) = yield Round(data=(COUNT(),))
    return int(rows[0][0])


def add_then_fail(text: str) -> Work[int]:
    yield Round(data=(ADD(text=text),))
    raise Conflict("no")


def lines(connection: Connection) -> set[str]:
    return {row[0] for row in raw(connection, "SELECT text FROM line")}


async def in_turn(stores: Stores, *works: Any) -> list[Any]:
    turns = Turns(stores, asyncio.get_running_loop())
    futures = [turns.submit(work) for work in works]
    return await asyncio.gather(*futures, return_exceptions=True)


def test_operations_of_one_turn_share_one_commit_and_see_each_other(stores: Stores) -> None:
    async def story() -> tuple[list[Any], int]:
        turns = Turns(stores, asyncio.get_running_loop())
        futures = [turns.submit(lambda n=n: add(f"line {n}")) for n in range(5)]
        return await asyncio.gather(*futures), turns.turns

    seen, turns = asyncio.run(story())
    assert seen == [1, 2, 3, 4, 5]
    assert turns == 1


def test_an_operation_that_fails_writes_nothing_and_its_neighbours_stand(
    stores: Stores, other: Connection
) -> None:
    results = asyncio.run(
        in_turn(stores, lambda: add("before"), lambda: add_then_fail("lost"), lambda: add("after"))
    )
    assert results[0] == 1
    assert isinstance(results[1], Conflict)
    assert results[2] == 2
    assert lines(other) == {"before", "after"}


def test_an_unforeseen_error_says_nothing_of_its_message(stores: Stores) -> None:
    def broken() -> Work[int]:
        yield Round(data=(COUNT(),))
        raise RuntimeError("4111 1111 1111 1111")

    (result,) = asyncio.run(in_turn(stores, broken))
    assert isinstance(result, HoldfastError)
    assert "4111" not in f"{result!r} {result} {result.__cause__!r} {result.__context__!r}"


def test_a_commit_that_fails_gives_no_answer_to_anyone(stores: Stores, other: Connection) -> None:
    # A deferred constraint is checked at COMMIT: the statement succeeds, the commit does not.
    raw(stores.data, "CREATE TABLE parent (id INTEGER PRIMARY KEY)")
    raw(
        stores.data,
        "CREATE TABLE child (p INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)",
    )
    orphan = statement("orphan", "INSERT INTO child (p) VALUES (:p)")

    def breaks_the_commit() -> Work[str]:
        yield Round(data=(orphan(p=7),))
        return "a value"

    results = asyncio.run(in_turn(stores, lambda: add("kept?"), breaks_the_commit))
    assert [type(result) for result in results] == [Unavailable, Unavailable]
    assert lines(other) == set()


def test_nothing_is_signed_before_the_commit_nor_without_it(
    stores: Stores, other: Connection
) -> None:
    raw(stores.data, "CREATE TABLE parent (id INTEGER PRIMARY KEY)")
    raw(
        stores.data,
        "CREATE TABLE child (p INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)",
    )
    orphan = statement("orphan", "INSERT INTO child (p) VALUES (:p)")
    signed: list[set[str]] = []

    def seals(results: list[Any]) -> list[Any]:
        signed.append(lines(other))
        return [f"signed {result}" for result in results]

    def breaks_the_commit() -> Work[str]:
        yield Round(data=(orphan(p=7),))
        return "a value"

    async def story() -> list[Any]:
        turns = Turns(stores, asyncio.get_running_loop(), seals=seals)
        first = await turns.submit(lambda: add("durable"))
        failed = await asyncio.gather(turns.submit(breaks_the_commit), return_exceptions=True)
        return [first, *failed]

    first, failed = asyncio.run(story())
    assert first == "signed 1"
    assert signed == [{"durable"}], "another connection saw the line before it was signed for"
    assert isinstance(failed, Unavailable)


def test_an_answer_that_cannot_be_signed_does_not_leave(stores: Stores) -> None:
    def seals(results: list[Any]) -> list[Any]:
        raise ValueError(results)

    async def story() -> list[Any]:
        turns = Turns(stores, asyncio.get_running_loop(), seals=seals)
        return await asyncio.gather(turns.submit(lambda: add("a")), return_exceptions=True)

    (result,) = asyncio.run(story())
    assert isinstance(result, HoldfastError)
    assert result.code == "internal"


def test_a_turn_waits_for_another_writer_and_then_answers(
    stores: Stores, other: Connection
) -> None:
    other.begin()

    async def story() -> int:
        loop = asyncio.get_running_loop()
        turns = Turns(stores, loop)
        future = turns.submit(lambda: add("late"))

        def end_the_other() -> None:
            if turns.busy_retries:
                other.commit()
            else:
                loop.call_soon(end_the_other)

        loop.call_soon(end_the_other)
        return await future

    assert asyncio.run(story()) == 1


def test_a_caller_who_went_away_costs_the_others_nothing(stores: Stores, other: Connection) -> None:
    async def story() -> int:
        turns = Turns(stores, asyncio.get_running_loop())
        gone = turns.submit(lambda: add("gone"))
        here = turns.submit(lambda: add("here"))
        gone.cancel()
        return await here

    asyncio.run(story())
    assert "here" in lines(other)


class ByHand(asyncio.SelectorEventLoop):
    """A loop whose time passes only when it is told to."""

    now_s = 0.0

    def time(self) -> float:
        return self.now_s

    def go_round(self, *, after_s: float = 0.0) -> None:
        """Let time pass, and run what is due then, and what follows from it at once."""
        self.now_s += after_s
        for _ in range(8):
            self.call_soon(self.stop)
            self.run_forever()


@pytest.fixture
def by_hand() -> Iterator[ByHand]:
    loop = ByHand()
    yield loop
    loop.close()


def test_a_few_are_served_at_once(stores: Stores, by_hand: ByHand) -> None:
    turns = Turns(stores, by_hand)
    asked = [turns.submit(lambda n=n: add(f"line {n}")) for n in range(COMPANY - 1)]
    by_hand.go_round()
    assert [one.result() for one in asked] == [1, 2, 3]


def test_where_several_came_the_turn_waits_for_more_until_it_is_quiet(
    stores: Stores, by_hand: ByHand
) -> None:
    turns = Turns(stores, by_hand)
    asked = [turns.submit(lambda n=n: add(f"line {n}")) for n in range(COMPANY)]
    by_hand.go_round()
    asked.append(turns.submit(lambda: add("one more")))
    by_hand.go_round(after_s=QUIET_S)
    assert not any(one.done() for one in asked)
    by_hand.go_round(after_s=QUIET_S)
    assert [one.result() for one in asked] == [1, 2, 3, 4, 5]
    assert turns.turns == 1


def test_nobody_waits_longer_than_the_limit_however_many_come(
    stores: Stores, by_hand: ByHand
) -> None:
    turns = Turns(stores, by_hand)
    asked = [turns.submit(lambda n=n: add(f"line {n}")) for n in range(COMPANY)]
    by_hand.go_round()
    for number in range(MOST_QUIETS):
        assert turns.turns == 0
        asked.append(turns.submit(lambda n=number: add(f"late {n}")))
        by_hand.go_round(after_s=QUIET_S)
    assert turns.turns == 1
    assert all(one.done() for one in asked)


def test_a_full_turn_waits_for_nobody(stores: Stores, by_hand: ByHand) -> None:
    turns = Turns(stores, by_hand)
    asked = [turns.submit(lambda n=n: add(f"line {n}")) for n in range(MOST_PER_TURN)]
    by_hand.go_round()
    assert all(one.done() for one in asked)


def test_more_than_one_turn_can_hold_are_answered_in_order(stores: Stores) -> None:
    async def story() -> tuple[list[int], int]:
        turns = Turns(stores, asyncio.get_running_loop())
        futures = [turns.submit(lambda n=n: add(str(n))) for n in range(100)]
        return list(await asyncio.gather(*futures)), turns.turns

    seen, turns = asyncio.run(story())
    assert seen == list(range(1, 101))
    assert turns > 1


NEXT = statement("next", "UPDATE number SET n = n + 1 RETURNING n")
FIND = statement("find", "SELECT text FROM line WHERE text = :text")


def last(*texts: str, error: Exception | None = None) -> Work[str]:
    """Read, then write lines in one last round, and fail by its answer if told so."""
    yield Round(data=(FIND(text=texts[0]),))
    yield Round(data=tuple(ADD(text=text) for text in texts), last=True)
    if error is not None:
        raise error
    return texts[0]


async def together(stores: Stores, *works: Any) -> list[Any]:
    turns = Turns(stores, asyncio.get_running_loop())
    futures = [turns.submit(work, together=True) for work in works]
    results = await asyncio.gather(*futures, return_exceptions=True)
    assert turns.turns == 1
    return results


def test_who_fails_by_the_answer_to_its_last_round_has_written_nothing(
    stores: Stores, other: Connection
) -> None:
    results = asyncio.run(
        together(
            stores,
            lambda: last("before"),
            lambda: last("lost", "lost too", error=Conflict("no")),
            lambda: last("after", "and more"),
        )
    )
    assert results[0] == "before"
    assert isinstance(results[1], Conflict)
    assert results[2] == "after"
    assert lines(other) == {"before", "after", "and more"}


def test_what_a_failure_by_the_last_answer_leaves_behind_is_written(
    stores: Stores, other: Connection
) -> None:
    refused = Conflict("no")
    refused.aftermath = lambda: add("of the failure")
    asyncio.run(together(stores, lambda: last("kept"), lambda: last("lost", error=refused)))
    assert lines(other) == {"kept", "of the failure"}


def test_a_last_round_that_cannot_be_written_fails_alone(stores: Stores, other: Connection) -> None:
    results = asyncio.run(
        together(
            stores,
            lambda: last("one"),
            lambda: last("twice", "twice"),
            lambda: last("three"),
        )
    )
    assert [isinstance(result, HoldfastError) for result in results] == [False, True, False]
    assert lines(other) == {"one", "three"}


def test_who_went_by_what_a_failed_neighbour_wrote_fails_too(
    stores: Stores, other: Connection
) -> None:
    raw(stores.data, "CREATE TABLE number (n INTEGER) STRICT")
    raw(stores.data, "INSERT INTO number VALUES (0)")

    def numbered(text: str, *, fails: bool) -> Work[int]:
        (rows, _) = yield Round(data=(NEXT(), ADD(text=text)), last=True)
        if fails:
            raise Conflict("no")
        return int(rows[0][0])

    first, failed, third = asyncio.run(
        together(
            stores,
            lambda: numbered("first", fails=False),
            lambda: numbered("failed", fails=True),
            lambda: numbered("third", fails=False),
        )
    )
    assert first == 1
    assert isinstance(failed, Conflict)
    assert isinstance(third, Unavailable), "it was told 3, and is the second"
    assert lines(other) == {"first"}
    assert raw(stores.data, "SELECT n FROM number") == [(1,)]


def test_who_asks_on_after_its_last_round_fails_and_has_written_nothing(
    stores: Stores, other: Connection
) -> None:
    def asks_on() -> Work[str]:
        yield Round(data=(ADD(text="lost"),), last=True)
        yield Round(data=(COUNT(),))
        return "shown"

    shown, kept = asyncio.run(together(stores, asks_on, lambda: last("kept")))
    assert isinstance(shown, HoldfastError)
    assert kept == "kept"
    assert lines(other) == {"kept"}


def test_a_last_round_that_writes_keys_writes_them(stores: Stores, other: Connection) -> None:
    raw(stores.keys, "CREATE TABLE line (text TEXT UNIQUE) STRICT")

    def keyed() -> Work[str]:
        yield Round(data=(ADD(text="row"),), keys_writes=(ADD(text="key"),), last=True)
        return "done"

    assert asyncio.run(together(stores, keyed, lambda: last("other"))) == ["done", "other"]
    assert lines(stores.keys) == {"key"}
    assert lines(other) == {"row", "other"}


def test_a_statement_is_run_for_all_who_ask_the_same_before_the_next_one() -> None:
    ran: list[str] = []

    def ask(queries: Any) -> list[Any]:
        ran.extend(query.params["text"] for query in queries)
        return [[(query.params["text"],)] for query in queries]

    one = [(ADD(text="a1"), FIND(text="a2")), (), (FIND(text="b1"), ADD(text="b2"))]
    answers = ask_each(ask, [*one, (ADD(text="c1"), FIND(text="c2"))])
    assert ran == ["a1", "c1", "a2", "c2", "b1", "b2"], "nobody's own order is changed"
    assert answers == [[[("a1",)], [("a2",)]], [], [[("b1",)], [("b2",)]], [[("c1",)], [("c2",)]]]
