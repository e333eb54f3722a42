"""Where a store stands: a file of SQLite, or a database on a PostgreSQL server."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from holdfast.kit.secret import Secret

_POSTGRES: Final = frozenset({"postgres", "postgresql"})
# What may stand after the question mark; the rest belongs to the server's or our own choice.
_PARAMETERS: Final = frozenset(
    {
        "sslmode",
        "sslrootcert",
        "sslcert",
        "sslkey",
        "connect_timeout",
        "target_session_attrs",
        "host",
    }
)
# What a process that was frozen or cut off in a transaction holds is given up by the server, and who waits for it does
# not wait for ever. Told at the connection's beginning: a pooler may hand a session to somebody else afterwards.
GIVEN_UP_MS: Final = 10_000
_SERVER: Final = {
    "idle_in_transaction_session_timeout": GIVEN_UP_MS,
    "lock_timeout": 5_000,
    "tcp_keepalives_idle": 5,
    "tcp_keepalives_interval": 2,
    "tcp_keepalives_count": 3,
}
_OURS: Final = {
    "connect_timeout": "10",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "15000",
    "options": " ".join(f"-c {name}={value}" for name, value in _SERVER.items()),
}


@dataclass(frozen=True, slots=True)
class SqliteFile:
    """A store in a file."""

    path: Path

    def __str__(self) -> str:
        """Its path."""
        return str(self.path)


@dataclass(frozen=True, slots=True)
class PostgresDatabase:
    """A store in a database of a server; the address may hold a password and is not printed."""

    url: Secret[str]
    name: str

    def __str__(self) -> str:
        """Host, port and database, without user and password."""
        return self.name


StoreAddress = SqliteFile | PostgresDatabase


def parse_address(raw: str, home: Path) -> StoreAddress:
    """Read ``sqlite:///name`` (in ``home``), ``sqlite:////absolute/path`` or ``postgres://user@host/database``.

    Raises :class:`ValueError` that says what is wrong, never with the address itself.
    """
    text = raw.strip()
    scheme, _, rest = text.partition("://")
    if scheme in _POSTGRES:
        return _postgres(text)
    if scheme != "sqlite" or not rest.startswith("/") or "?" in rest or "#" in rest:
        msg = (
            "must be like sqlite:///name.sqlite3 (in the house's folder), sqlite:////an/absolute/path"
            " or postgres://user@host:5432/database"
        )
        raise ValueError(msg)
    if not unquote(rest[1:]).strip("/"):
        msg = "names no file"
        raise ValueError(msg)
    return SqliteFile(home / unquote(rest[1:]))


def _postgres(text: str) -> PostgresDatabase:
    parts = urlsplit(text)
    try:
        port = parts.port or 5432
    except ValueError:
        msg = "has a port that is no number"
        raise ValueError(msg) from None
    database = unquote(parts.path.removeprefix("/"))
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    if not database or "/" in database or parts.fragment:
        msg = "must end with the name of a database: postgres://user@host:5432/database"
        raise ValueError(msg)
    if unknown := sorted(given.keys() - _PARAMETERS):
        msg = f"has the parameter {unknown[0]!r}; allowed are {', '.join(sorted(_PARAMETERS))}"
        raise ValueError(msg)
    host = parts.hostname or given.get("host", "")
    if not host or not parts.username:
        msg = "must name a user and a host: postgres://user@host:5432/database"
        raise ValueError(msg)
    return PostgresDatabase(Secret(text), f"{host}:{port}/{database}")


def options(store: PostgresDatabase) -> dict[str, Any]:
    """Return the address as the driver's parameters, for those that take no address."""
    parts = urlsplit(store.url.reveal())
    found = {
        "host": parts.hostname or "",
        "port": str(parts.port or 5432),
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "dbname": unquote(parts.path.removeprefix("/")),
        **dict(parse_qsl(parts.query)),
    }
    return with_ours({name: value for name, value in found.items() if value})


def with_ours(given: dict[str, Any]) -> dict[str, Any]:
    """Add what every connection asks of the driver and the server, unless the address says otherwise."""
    return {**_OURS, **given}
