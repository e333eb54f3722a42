"""How the text of a setting is read: a function for each kind, which raises ``ValueError`` and says what is wanted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from holdfast.kit.db.address import parse_address

_LEAST_LEASE_S: Final = 2
_ROLE: Final = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def is_loopback(host: str) -> bool:
    """Tell whether ``host`` is a name or address that only this machine can reach."""
    return host in _LOOPBACK or host.startswith("127.") or host.endswith(".localhost")


def text(raw: str) -> str:
    """Text that says something."""
    if not raw.strip():
        msg = "must not be empty"
        raise ValueError(msg)
    return raw.strip()


def port(raw: str) -> int:
    """A port number."""
    number = int(raw) if raw.isascii() and raw.isdecimal() else -1
    if not 0 < number <= 65_535:
        msg = "must be a port number from 1 to 65535"
        raise ValueError(msg)
    return number


def lease(raw: str) -> int:
    """Seconds that a lease lasts."""
    seconds = count(raw)
    if seconds < _LEAST_LEASE_S:
        msg = f"must be at least {_LEAST_LEASE_S}: a worker looks four times a second"
        raise ValueError(msg)
    return seconds


def count(raw: str) -> int:
    """A whole number from 1."""
    number = int(raw) if raw.isascii() and raw.isdecimal() else 0
    if number < 1:
        msg = "must be a whole number from 1"
        raise ValueError(msg)
    return number


@dataclass(frozen=True, slots=True)
class Rate:
    """How many in a second in the long run, and how many at once."""

    per_second: int
    burst: int

    def __str__(self) -> str:
        """As it is written in settings."""
        return f"{self.per_second}/{self.burst}"


def rate(raw: str) -> Rate:
    """So many in so long: ``100/10s``."""
    per_second, _, burst = raw.strip().partition("/")
    try:
        return Rate(count(per_second), count(burst))
    except ValueError:
        msg = "must be two whole numbers from 1, e.g. 50/200: a second, and at once"
        raise ValueError(msg) from None


def flag(raw: str) -> bool:
    """Yes or no."""
    try:
        return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}[
            raw.strip().lower()
        ]
    except KeyError:
        msg = "must be true or false"
        raise ValueError(msg) from None


def log_level(raw: str) -> str:
    """A severity of the log."""
    if raw.lower() not in {"debug", "info", "warning", "error"}:
        msg = "must be debug, info, warning or error"
        raise ValueError(msg)
    return raw.lower()


def ranges(raw: str) -> tuple[str, ...]:
    """Network ranges, comma-separated."""
    found = []
    for part in filter(None, (part.strip() for part in raw.split(","))):
        try:
            found.append(ip_network(part))
        except ValueError as error:
            msg = f"must be ranges such as 192.0.2.7/32,2001:db8::/64: {error}"
            raise ValueError(msg) from None
    if any(network.prefixlen == 0 for network in found):
        msg = "must not be everybody: who is trusted says where a request comes from"
        raise ValueError(msg)
    return tuple(str(network) for network in found)


def origin(raw: str) -> str:
    """A public origin: scheme and host."""
    parts = urlsplit(raw.strip().rstrip("/"))
    host = parts.hostname or ""
    if parts.scheme not in {"http", "https"} or not host or parts.path or parts.query:
        msg = "must be like https://holdfast.example.org, without a path"
        raise ValueError(msg)
    if parts.username is not None or parts.fragment:
        msg = "must hold neither a user name nor a fragment"
        raise ValueError(msg)
    _ = parts.port  # ValueError when it is no port number
    if parts.scheme == "http" and not is_loopback(host):
        msg = "must begin with https:// unless the host is localhost"
        raise ValueError(msg)
    return f"{parts.scheme}://{parts.netloc}"


def database(raw: str) -> str:
    """The address of a store."""
    parse_address(raw, Path())  # ValueError says what is wrong; the house's folder is known later
    return raw.strip()


def replica(raw: str) -> str:
    """The address of a standby."""
    if not str(raw).strip().startswith("postgres"):
        msg = "must be like postgres://user@host:5432/database"
        raise ValueError(msg)
    return database(raw)


def role(raw: str) -> str:
    """The name of a database role."""
    if not _ROLE.fullmatch(raw.strip()):
        msg = "must be the name of a database role: small letters, digits and underscores"
        raise ValueError(msg)
    return raw.strip()
