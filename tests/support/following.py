"""Subscribers of a small house, and what they make of its logs when they read them anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from holdfast.kit.db import Round, statement
from holdfast.manifests import subscriptions
from holdfast.spine.stream.follower import Follower, follower_of
from holdfast.spine.stream.following import Following, behind
from support.stores import raw

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from holdfast.spine.stream.follower import Place

TABLES = {"timeline": "stream_timeline", "tally": "stream_tally"}


def own_followers() -> tuple[Follower, ...]:
    """Those that every house has."""
    return tuple(map(follower_of, subscriptions()))


def kept(house: Any, table: str) -> list[tuple[Any, ...]]:
    """All rows of a table, in one order."""
    return sorted(raw(house.data, f"SELECT * FROM {table}"))


def state(house: Any) -> dict[str, list[tuple[Any, ...]]]:
    """What the subscribers keep."""
    return {name: kept(house, table) for name, table in TABLES.items()}


def follow(house: Any, *followers: Follower) -> Following:
    """Follow to the end of all logs."""
    following = Following(house, followers or own_followers())
    while following.turn(within_s=60):
        pass
    return following


def replayed(house: Any) -> dict[str, list[tuple[Any, ...]]]:
    """What the subscribers keep after they have read all logs anew, from nothing."""
    for table in (*TABLES.values(), "stream_position", "stream_parked"):
        raw(house.data, f"DELETE FROM {table}")
    follow(house)
    return state(house)


def positions(house: Any) -> dict[tuple[str, str], int]:
    """How far everybody is."""
    rows = raw(house.data, "SELECT subscriber, log, next FROM stream_position")
    return {(subscriber, log): at for subscriber, log, at in rows}


def unread(house: Any, *followers: Follower) -> int:
    """How much there is to do."""
    return len(house.read(behind(followers or own_followers())))


class Picky:
    """A subscriber that notes decisions in a table of its own, and stumbles over those whose number is in ``bad``."""

    NOTE = statement(
        "tests.note",
        """INSERT INTO stream_tally (log, day, type, what, outcome, rule, count)
        VALUES (:log, 0, 'noted', :what, :outcome, '', 1)""",
    )
    CLEAR = statement(
        "tests.clear",
        "DELETE FROM stream_tally WHERE type = 'noted' AND log = :log AND :most > 0 RETURNING what",
    )

    def __init__(self, bad: Sequence[int] = (), refused: Sequence[int] = ()) -> None:
        self.bad = {f"dec_{number:026d}" for number in bad}
        self.refused = {f"dec_{number:026d}" for number in refused}
        self.seen: list[int] = []

    def follower(self, version: int = 1, **more: Any) -> Follower:
        given = {"types": frozenset(), "logs": "both", **more}
        return Follower(name="picky", version=version, fold=self.fold, clear=(self.CLEAR,), **given)

    def fold(self, leaf: Mapping[str, Any], place: Place) -> Any:
        self.seen.append(place.index)
        if leaf.get("decision") in self.bad:
            raise ValueError("a value that must not be stored: 4111 1111 1111 1111")
        what = leaf.get("decision", leaf["id"])
        outcome = None if what in self.refused else ""  # the column takes no NULL
        yield self.NOTE(log=place.log, what=what, outcome=outcome)

    def noted(self, house: Any, log: str) -> list[str]:
        """Which decisions of a log it has noted, as many times as it did."""
        rows = raw(
            house.data, "SELECT what FROM stream_tally WHERE type = 'noted' AND log = ?", (log,)
        )
        return sorted(row[0] for row in rows)


def ask(*queries: Any) -> Any:
    """Ask a store's statements."""
    return (yield Round(data=queries))
