"""Granting the roles of a house what :mod:`~holdfast.edges.roles.rights` declares, in both of its databases."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple, cast

from holdfast.edges.roles.rights import RIGHTS
from holdfast.kit.db import granting
from holdfast.kit.db.opening import connect
from holdfast.kit.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from holdfast.kit.config import Settings
    from holdfast.kit.db.address import StoreAddress
    from holdfast.kit.db.granting import Grants
    from holdfast.kit.db.postgres import PostgresConnection

_SERVED = ("app", "worker", "reader")


class Script(NamedTuple):
    """SQL for one database: what the owner of the tables runs, and what takes a superuser."""

    database: str
    owner: tuple[str, ...]
    superuser: tuple[str, ...]


def named(settings: Settings) -> dict[str, str]:
    """The database roles that the settings name, by what they are for; none for a house in files.

    Raises :class:`InvalidInput` when two are the same.
    """
    if settings.embedded:
        return {}
    given = (settings.role_app, settings.role_worker, settings.role_reader)
    roles = {what: name for what, name in zip(_SERVED, given, strict=True) if name}
    if len(set(roles.values())) < len(roles):
        raise InvalidInput(
            "the roles app, worker and reader are three", field="role", code="bad_setting"
        )
    return roles


def grant_all(settings: Settings) -> bool:
    """Grant in both databases; return whether all was granted that is declared.

    Raises :class:`InvalidInput` for a role that the server does not know, or that owns the tables itself.
    """
    whole = True
    for connection, grants in _databases(settings):
        whole = granting.grant(connection, grants) and whole
    return whole


def require_roles(settings: Settings) -> None:
    """Raise what :func:`grant_all` would raise, before there is anything to grant."""
    for _ in _databases(settings):
        pass


def scripts(settings: Settings) -> tuple[Script, ...]:
    """Return the SQL that :func:`grant_all` would run, and what it leaves to a superuser."""
    found = []
    for connection, grants in _databases(settings):
        here = granting.place(connection)
        texts = (granting.table_rights(here, grants), granting.keeping(here, grants))
        owner, superuser = (tuple(one.as_string(connection.raw) for one in text) for text in texts)
        found.append(Script(here.database, owner, superuser))
    return tuple(found)


def _databases(settings: Settings) -> Iterator[tuple[PostgresConnection, tuple[Grants, ...]]]:
    roles = named(settings)
    if not roles:
        return
    for store in (settings.data, settings.keys):
        with closing(opened(store)) as connection:
            _require(connection, roles)
            there = connection.tables()
            yield connection, tuple(_grants(what, name, there) for what, name in roles.items())


def opened(store: StoreAddress) -> PostgresConnection:
    """Open a store that is no file."""
    return cast("PostgresConnection", connect(store))


def _require(connection: PostgresConnection, roles: Mapping[str, str]) -> None:
    user = granting.place(connection).user
    missing = granting.missing_roles(connection, list(roles.values()))
    for what, name in roles.items():
        if name in missing:
            raise InvalidInput(
                f"setting role.{what} names {name}, which is no role of the server",
                field=f"role.{what}",
                remedy=f"Make it: CREATE ROLE {name} LOGIN.",
            )
        if name == user:
            raise InvalidInput(
                f"setting role.{what} names {name}, which you are connected as",
                field=f"role.{what}",
                remedy="Found and migrate a house as another role, who owns its tables.",
            )


def _grants(what: str, name: str, there: frozenset[str]) -> Grants:
    declared = {table: getattr(rights, what) for table, rights in RIGHTS.items() if table in there}
    if not _serves(what, there):
        declared = dict.fromkeys(declared, "")
    return granting.Grants(name, declared, erases=what == "worker")


def _serves(what: str, there: frozenset[str]) -> bool:
    """Whether the role has anything to do in a database with these tables: an auditor has not among the keys."""
    return any(
        getattr(rights, what)
        for table, rights in RIGHTS.items()
        if table in there and table != "django_migrations"
    )
