"""Whatever operations take their steps together in a turn, it is as if they had gone one after the other."""

from __future__ import annotations

import asyncio
from contextlib import closing
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.edges.dataplane.turn import Turns
from holdfast.kit.db import PAUSE, Round, statement
from holdfast.kit.db.sqlite import connect
from holdfast.kit.errors import Conflict
from holdfast.spine.house import Stores
from support.stores import raw

if TYPE_CHECKING:
    from holdfast.kit.db import Work

FIRST = statement("test.first", "SELECT n FROM first WHERE id = :id", lock="FOR UPDATE")
SECOND = statement("test.second", "SELECT n FROM second WHERE id = :id", lock="FOR UPDATE")
SHARED = statement("test.shared", "SELECT n FROM first WHERE id = 0", lock="FOR SHARE")
ADD_FIRST = statement("test.add_first", "UPDATE first SET n = :n WHERE id = :id RETURNING n")
ADD_SECOND = statement("test.add_second", "UPDATE second SET n = :n WHERE id = :id RETURNING n")
USE = statement("test.use", "INSERT INTO used (id) VALUES (:id)", stays=True)


def operation(
    number: int, first: int, second: int, *, fails: bool, uses: bool, at_once: bool
) -> Work[Any]:
    """Read a row of each table in their order, then write what was read and one more, in one last round or in two."""
    yield Round(data=(SHARED(), *((USE(id=number),) if uses else ())))
    ((one,),) = (yield Round(data=(FIRST(id=first),)))[0]
    yield PAUSE
    ((two,),) = (yield Round(data=(SECOND(id=second),)))[0]
    writes = (ADD_FIRST(id=first, n=one + 1), ADD_SECOND(id=second, n=two + 1))
    yield Round(data=writes if at_once else writes[:1], last=at_once)
    if fails:
        raise Conflict("no")
    if not at_once:
        yield Round(data=writes[1:], last=True)
    return one, two


@settings(max_examples=60)
@given(
    asked=st.lists(
        st.tuples(
            st.integers(1, 4), st.integers(1, 4), st.booleans(), st.booleans(), st.booleans()
        ),
        min_size=2,
        max_size=12,
    ),
    alone=st.sets(st.integers(0, 11)),
)
def test_nobody_writes_by_what_a_companion_has_changed(tmp_path_factory, asked, alone):
    folder = tmp_path_factory.mktemp("together")
    stores = Stores(connect(folder / "data", busy_timeout_ms=0), connect(folder / "keys"))
    with closing(stores):
        data = stores.data
        raw(data, "CREATE TABLE used (id INTEGER PRIMARY KEY) STRICT")
        for table in ("first", "second"):
            raw(data, f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, n INTEGER) STRICT")
            raw(data, f"INSERT INTO {table} VALUES (0, 0), (1, 0), (2, 0), (3, 0), (4, 0)")

        async def turn() -> tuple[list[Any], int]:
            turns = Turns(stores, asyncio.get_running_loop())
            futures = [
                turns.submit(
                    lambda at=at, one=one: operation(
                        at, *one[:2], fails=one[2], uses=one[3], at_once=one[4]
                    ),
                    together=at not in alone,
                )
                for at, one in enumerate(asked)
            ]
            return await asyncio.gather(*futures, return_exceptions=True), turns.turns

        results, turns = asyncio.run(turn())
        assert turns == 1
        for at, table in enumerate(("first", "second")):
            counts = dict(raw(data, f"SELECT id, n FROM {table}"))
            for row in range(1, 5):
                seen = sorted(
                    result[at]
                    for result, one in zip(results, asked, strict=True)
                    if one[at] == row and not one[2]
                )
                # As one after the other: each saw what all before it had written, and no two saw the same.
                assert seen == list(range(len(seen)))
                assert counts[row] == len(seen)
        assert [isinstance(one, Conflict) for one in results] == [one[2] for one in asked]
        used = {number for (number,) in raw(data, "SELECT id FROM used")}
        done = {at for at, one in enumerate(asked) if one[3] and not one[2]}
        assert done <= used
