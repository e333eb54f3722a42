"""Where a store stands: a file of SQLite, or a database on a PostgreSQL server."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl, unquote

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
    hosts: int = 1  # servers that may hold it, one at a time

    def __str__(self) -> str:
        """Host, port and database, without user and password."""
        return self.name


StoreAddress = SqliteFile | PostgresDatabase


def parse_address(raw: str, home: Path) -> StoreAddress:
    """Read ``sqlite:///name`` (in ``home``), ``sqlite:////absolute/path`` or ``postgres://user@host/database``.

    Several hosts, ``h1:5432,h2:5432``, are tried in turn; ``target_session_attrs`` says which one is meant.
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


class _Read(NamedTuple):
    """An address taken apart; hosts and ports stand in the order in which they are tried."""

    user: str
    password: str
    hosts: tuple[str, ...]
    ports: tuple[str, ...]
    database: str
    given: dict[str, str]


def _postgres(text: str) -> PostgresDatabase:
    read = _read(text)
    if not read.database or "/" in read.database or "#" in text:
        msg = "must end with the name of a database: postgres://user@host:5432/database"
        raise ValueError(msg)
    if unknown := sorted(read.given.keys() - _PARAMETERS):
        msg = f"has the parameter {unknown[0]!r}; allowed are {', '.join(sorted(_PARAMETERS))}"
        raise ValueError(msg)
    hosts = read.hosts or tuple(filter(None, [read.given.get("host", "")]))
    if not hosts or not all(hosts) or not read.user:
        msg = "must name a user and a host: postgres://user@host:5432/database"
        raise ValueError(msg)
    if len(hosts) > 1 and "target_session_attrs" not in read.given:
        msg = "names several hosts, so it must end with ?target_session_attrs=read-write"
        raise ValueError(msg)
    where = ",".join(f"{h}:{p}" for h, p in zip(hosts, read.ports or ("5432",), strict=True))
    return PostgresDatabase(Secret(text), f"{where}/{read.database}", len(hosts))


def _read(text: str) -> _Read:
    """Read ``postgres://user:password@host:port,host:port/database?parameters`` as libpq does."""
    rest = text.partition("://")[2]
    before, _, query = rest.partition("?")
    who, _, path = before.partition("/")
    login, _, places = who.rpartition("@")
    user, _, password = login.partition(":")
    hosts, ports = [], []
    for place in places.split(",") if places else ():
        host, port = _host_and_port(place)
        hosts.append(host)
        ports.append(port)
    return _Read(
        unquote(user),
        unquote(password),
        tuple(hosts),
        tuple(ports),
        unquote(path),
        dict(parse_qsl(query, keep_blank_values=True)),
    )


def _host_and_port(place: str) -> tuple[str, str]:
    """``[2001:db8::1]:5432`` is a host of its own."""
    bracketed, closing, after = place.rpartition("]")
    host, _, port = after.partition(":")
    host = bracketed.removeprefix("[") if closing else host
    if port and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        msg = "has a port that is no number"
        raise ValueError(msg)
    return unquote(host), port or "5432"


def options(store: PostgresDatabase) -> dict[str, Any]:
    """Return the address as the driver's parameters, for those that take no address."""
    read = _read(store.url.reveal())
    found = {
        "host": ",".join(read.hosts),
        "port": ",".join(read.ports),
        "user": read.user,
        "password": read.password,
        "dbname": read.database,
        **read.given,
    }
    return with_ours({name: value for name, value in found.items() if value})


def with_ours(given: dict[str, Any]) -> dict[str, Any]:
    """Add what every connection asks of the driver and the server, unless the address says otherwise.

    Where the address names several hosts, one that is gone without a word holds nobody up for long.
    """
    quick = {"connect_timeout": "3"} if "," in str(given.get("host", "")) else {}
    return {**_OURS, **quick, **given}
