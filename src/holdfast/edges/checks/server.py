"""Checks of the database server: what the roles may do there, and whether a second server has all that was answered."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Final

from holdfast.edges.checks.findings import Skipped, doubtful, wrong
from holdfast.edges.checks.opened import require_stores
from holdfast.edges.roles.rights import LEDGER, RIGHTS
from holdfast.kit.clock import SECOND_US
from holdfast.kit.db.address import PostgresDatabase
from holdfast.kit.db.opening import connect
from holdfast.kit.db.shell import drive
from holdfast.kit.errors import Unavailable
from holdfast.spine.ledger.tail import newest_us

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.kit.config import Settings
    from holdfast.kit.db.address import StoreAddress
    from holdfast.vocabulary.manifest import Finding

_TAKES: Final = frozenset({"UPDATE", "DELETE", "TRUNCATE", "TRIGGER"})
LATE_S: Final = 60
_STANDBY: Final = "Set synchronous_standby_names on the primary, once a standby streams from it."
_REMEDY: Final = (
    "Name database roles (role.app, role.worker), run `holdfast roles`, and connect as them."
)


def cannot_rewrite(settings: Settings) -> Iterator[Finding]:
    """An application that may change what is written is one fault away from a log that says something else."""
    for told in _rewrites(settings):
        yield doubtful(told, _REMEDY)


def must_not_rewrite(settings: Settings) -> Iterator[Finding]:
    """In production it is no question of taste."""
    for told in _rewrites(settings):
        yield wrong(told, _REMEDY)


def as_declared(settings: Settings) -> Iterator[Finding]:
    """A right that somebody gave by hand stays until somebody looks."""
    _require(settings)
    from holdfast.edges.roles.granting import named, opened  # noqa: PLC0415  a house in files starts without the driver
    from holdfast.kit.db import granting  # noqa: PLC0415

    roles = named(settings)
    if not roles:
        raise Skipped
    for store in (settings.data, settings.keys):
        with closing(opened(store)) as connection:
            there = connection.tables()
            missing = granting.missing_roles(connection, list(roles.values()))
            for what, role in roles.items():
                if role in missing:
                    yield doubtful(f"{role} is no role of {store}", f"CREATE ROLE {role} LOGIN")
                    continue
                have = granting.held(connection, role)
                for table in sorted(there & RIGHTS.keys()):
                    told = _differs(getattr(RIGHTS[table], what), have.get(table, {}))
                    if told and not (what == "reader" and table == "django_migrations"):
                        yield doubtful(
                            f"{role} {told} on {table} in {store}",
                            "Run `holdfast roles` as the owner of the tables.",
                        )


def can_erase(settings: Settings) -> Iterator[Finding]:
    """An erasure is complete when the server's files were searched, which takes rights of its own."""
    _require(settings)
    from holdfast.edges.roles.granting import opened  # noqa: PLC0415  a house in files starts without the driver
    from holdfast.kit.db import granting  # noqa: PLC0415

    for store in (settings.data, settings.keys):
        with closing(opened(store)) as connection:
            user = granting.place(connection).user
            if user in {settings.role_app, settings.role_reader}:
                raise Skipped  # neither erases
            lacking = granting.lacks_to_erase(connection)
        if lacking:
            yield doubtful(
                f"{user} lacks {', '.join(lacking)} in {store}: no erasure can be completed",
                "Let a superuser run what `holdfast roles --print` shows.",
            )


def survives_failover(settings: Settings) -> Iterator[Finding]:
    """What only the server that died had is lost with it."""
    for told in _unconfirmed(settings):
        yield doubtful(told, _STANDBY)


def must_survive_failover(settings: Settings) -> Iterator[Finding]:
    """In production whoever names a second server relies on it."""
    for told in _unconfirmed(settings):
        yield wrong(told, _STANDBY)


def replica_follows(settings: Settings) -> Iterator[Finding]:
    """Evidence is read from the data store while the replica does not answer, and is old while it lags."""
    if settings.replica is None:
        raise Skipped
    _require(settings)
    try:
        there_us = _newest_us(settings.replica)
    except Unavailable:
        yield doubtful(
            f"the replica {settings.replica} does not answer: evidence is read from the data store",
            "See that it runs, and that replica_url is right.",
        )
        return
    behind_s = (_newest_us(settings.data) - there_us) // SECOND_US
    if behind_s > LATE_S:
        yield doubtful(
            f"the replica {settings.replica} is {behind_s} s behind",
            "See pg_stat_replication on the primary; it may be cut off.",
        )


def _newest_us(store: StoreAddress) -> int:
    with closing(connect(store)) as connection:
        return drive(newest_us(), connection, connection)


def _unconfirmed(settings: Settings) -> Iterator[str]:
    _require(settings)
    from holdfast.edges.roles.granting import opened  # noqa: PLC0415  a house in files starts without the driver

    for store in (settings.data, settings.keys):
        if not isinstance(store, PostgresDatabase) or store.hosts == 1:
            raise Skipped
        with closing(opened(store)) as connection:
            if not connection.waits_for_standby():
                yield f"{store}: no standby confirms a commit, so a failover loses answers that were given"


def _rewrites(settings: Settings) -> Iterator[str]:
    _require(settings)
    from holdfast.edges.roles.granting import opened  # noqa: PLC0415  a house in files starts without the driver
    from holdfast.kit.db import granting  # noqa: PLC0415

    with closing(opened(settings.data)) as connection:
        user = granting.place(connection).user
        have = granting.held(connection, user)
    found = []
    for table in sorted(LEDGER & have.keys()):
        more = _TAKES & have[table].keys() - set(RIGHTS[table].worker.split(", "))
        if more:
            found.append(table)
    if found:
        yield f"the database role {user} may rewrite {', '.join(found)}"


def _differs(declared: str, have: dict[str, bool]) -> str:
    """Say how what a role has differs from what is declared for it."""
    said = {part.split(" ", 1)[0]: "(" not in part for part in _parts(declared)}
    if more := [right for right, whole in have.items() if whole and not said.get(right, False)]:
        return f"may {', '.join(sorted(more))}, which is not declared,"
    if less := [right for right in said if right not in have]:
        return f"may not {', '.join(sorted(less))}"
    return ""


def _parts(declared: str) -> list[str]:
    """``SELECT, UPDATE (a, b)`` in its two parts."""
    parts, depth = [""], 0
    for letter in declared:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts if part.strip()]


def _require(settings: Settings) -> None:
    if settings.embedded:
        raise Skipped
    require_stores(settings)
