"""Typed settings: built-in defaults, then ``holdfast.toml`` in the house's folder, then the environment.

Every setting is one line of :data:`SETTINGS`. A key that is not there, in the file or as ``HOLDFAST_…``, is a
start-up error that names the nearest known one: a misspelt safety setting must not be silently without effect.
A secret comes from the environment or, better, from a file that ``HOLDFAST_…_FILE`` names; never from the TOML file.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from holdfast.kit import config_values as values
from holdfast.kit.config_values import Rate, is_loopback
from holdfast.kit.db.address import SqliteFile, StoreAddress, parse_address
from holdfast.kit.errors import InvalidInput, Unavailable
from holdfast.kit.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["FILE_NAME", "SETTINGS", "Rate", "Setting", "Settings", "is_loopback", "load_settings"]
FILE_NAME: Final = "holdfast.toml"
_PREFIX: Final = "HOLDFAST_"
_MOST_SECRET_BYTES: Final = 64 * 1024


class Setting(NamedTuple):
    """One setting: where it is looked up, how it is read, and what it means. Without default it may be unset."""

    key: str
    default: str
    parse: Callable[[str], Any]
    meaning: str
    secret: bool = False

    @property
    def env(self) -> str:
        """The environment variable, e.g. ``HOLDFAST_CONSOLE_PORT`` for ``console.port``."""
        return _PREFIX + self.key.replace(".", "_").upper()


SETTINGS: Final = (
    Setting(
        "house", "Holdfast house", values.text, "name of the house, shown on pages and in logs"
    ),
    Setting(
        "origin",
        "",
        values.origin,
        "public origin that browsers see; unset: localhost and console.port",
    ),
    Setting(
        "database_url",
        "sqlite:///data.sqlite3",
        values.database,
        "the data store: ciphertext, no keys",
    ),
    Setting(
        "keys_url",
        "sqlite:///keys.sqlite3",
        values.database,
        "the key store: wrapped keys and indexes",
    ),
    Setting(
        "replica_url",
        "",
        values.replica,
        "a standby of the data store that answers for what is evidence; unset: the data store does",
    ),
    Setting(
        "role.app",
        "",
        values.role,
        "database role of data planes and consoles (PostgreSQL); unset: it is granted nothing",
    ),
    Setting(
        "role.worker", "", values.role, "database role of the worker and of operators' commands"
    ),
    Setting("role.reader", "", values.role, "database role of auditors, who read what is evidence"),
    Setting("console.host", "127.0.0.1", values.text, "address that the console listens on"),
    Setting("console.port", "8460", values.port, "port of the console"),
    Setting("data_plane.host", "127.0.0.1", values.text, "address that the data plane listens on"),
    Setting("data_plane.port", "8461", values.port, "port of the data plane"),
    Setting(
        "tls.certificate", "", values.text, "file with the certificate chain of both listeners, PEM"
    ),
    Setting("tls.key", "", values.text, "file with its private key, PEM, without a passphrase"),
    Setting(
        "tls.client_ca",
        "",
        values.text,
        "file with the authority whose client certificates alone may connect, PEM; unset: anybody",
    ),
    Setting(
        "trusted_proxies",
        "",
        values.ranges,
        "ranges whose Forwarded and X-Forwarded-For headers are believed, comma-separated",
    ),
    Setting(
        "proxy_client_cert",
        "false",
        values.flag,
        "the trusted proxies check client certificates and set Client-Cert (RFC 9440) themselves",
    ),
    Setting(
        "flood.per_credential",
        "50/200",
        values.rate,
        "requests of one credential: a second/at once",
    ),
    Setting(
        "flood.per_client", "2000/4000", values.rate, "requests about one client: a second/at once"
    ),
    Setting(
        "disk.reserve_mb", "64", values.count, "room kept for refusals when the disk is full, in MB"
    ),
    Setting(
        "workers", "1", values.count, "processes of the data plane; more than one needs PostgreSQL"
    ),
    Setting(
        "worker.lease_seconds",
        "20",
        values.lease,
        "how long a worker on PostgreSQL may be silent before another keeps the logs",
    ),
    Setting("log_level", "info", values.log_level, "least severity that is written to the log"),
    Setting("debug", "false", values.flag, "show tracebacks of internal errors on the terminal"),
    Setting(
        "demo", "false", values.flag, "the console signs anybody in as a persona of the demo house"
    ),
    Setting(
        "root.passphrase", "", values.text, "opens the root key file when it is sealed", secret=True
    ),
    Setting("token", "", values.text, "credential that the command line acts with", secret=True),
    Setting("token_key", "", values.text, "key that this token is bound to, as PEM", secret=True),
    Setting("feed_key", "", values.text, "key that `holdfast feed push` signs with", secret=True),
)
_BY_KEY: Final = {setting.key: setting for setting in SETTINGS}


class ExplainedSetting(NamedTuple):
    """One row of ``holdfast config explain``; ``value`` of a secret says only whether it is set."""

    key: str
    value: str
    source: str
    default: str
    env: str
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of one house. ``home`` is absolute."""

    home: Path
    house: str
    public_origin: str | None
    data: StoreAddress
    keys: StoreAddress
    replica: StoreAddress | None
    role_app: str | None
    role_worker: str | None
    role_reader: str | None
    console_host: str
    console_port: int
    data_plane_host: str
    data_plane_port: int
    tls_certificate: Path | None
    tls_key: Path | None
    tls_client_ca: Path | None
    trusted_proxies: tuple[str, ...]
    proxy_client_cert: bool
    flood_per_credential: Rate
    flood_per_client: Rate
    disk_reserve_mb: int
    workers: int
    worker_lease_seconds: int
    log_level: str
    debug: bool
    demo: bool
    root_passphrase: Secret[str] | None
    token: Secret[str] | None
    token_key: Secret[str] | None
    feed_key: Secret[str] | None
    rows: tuple[ExplainedSetting, ...] = field(repr=False)

    @property
    def data_path(self) -> Path:
        """File of the data store; :class:`Unavailable` where it stands in PostgreSQL."""
        return _path(self.data)

    @property
    def keys_path(self) -> Path:
        """File of the key store; :class:`Unavailable` where it stands in PostgreSQL."""
        return _path(self.keys)

    @property
    def embedded(self) -> bool:
        """Whether the stores are files of SQLite, which one process serves."""
        return isinstance(self.data, SqliteFile)

    @property
    def origin(self) -> str:
        """The origin that browsers see, e.g. ``https://holdfast.example.org``."""
        scheme = "https" if self.encrypted else "http"
        return self.public_origin or f"{scheme}://localhost:{self.console_port}"

    @property
    def encrypted(self) -> bool:
        """Whether the listeners speak TLS themselves."""
        return self.tls_certificate is not None

    def explain(self) -> tuple[ExplainedSetting, ...]:
        """Every setting with its value, where that came from, and its default."""
        return self.rows


def _path(store: StoreAddress) -> Path:
    if isinstance(store, SqliteFile):
        return store.path
    raise Unavailable(f"{store} is no file", remedy="This is done with PostgreSQL's own tools.")


class _Found(NamedTuple):
    raw: str
    source: str


def load_settings(home: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings of the house in ``home`` (else ``HOLDFAST_HOME``, else ``./var``).

    Nothing is created. Raises :class:`InvalidInput` whose ``field`` names the wrong key.
    """
    env: Mapping[str, str] = os.environ if environ is None else environ
    folder, home_source = _home(home, env)
    found = dict(_from_file(folder / FILE_NAME))
    found.update(_from_environment(env))
    rows = [
        ExplainedSetting(
            "home", str(folder), home_source, "./var", f"{_PREFIX}HOME", "folder of the house"
        )
    ]
    values = {setting.key: _value(setting, found.get(setting.key)) for setting in SETTINGS}
    rows += [_explained(s, found.get(s.key), values[s.key]) for s in SETTINGS]
    return _settings(folder, values, tuple(rows))


def _settings(
    home: Path, values: Mapping[str, Any], rows: tuple[ExplainedSetting, ...]
) -> Settings:
    data, keys = (parse_address(values[key], home) for key in ("database_url", "keys_url"))
    if str(data) == str(keys):
        raise _refused("keys_url", "names the same store as database_url; the two are apart")
    if type(data) is not type(keys):
        raise _refused("keys_url", "and database_url are both SQLite or both PostgreSQL")
    replica = parse_address(values["replica_url"], home) if values["replica_url"] else None
    if replica is not None and isinstance(data, SqliteFile):
        raise _refused("replica_url", "needs a database_url on PostgreSQL")
    if bool(values["tls.certificate"]) is not bool(values["tls.key"]):
        raise _refused("tls.key", "and tls.certificate go together")
    if values["tls.client_ca"] and not values["tls.certificate"]:
        raise _refused("tls.client_ca", "needs tls.certificate and tls.key")
    files = ("tls.certificate", "tls.key", "tls.client_ca")
    certificate, key, client_ca = (_file(home, values[name]) for name in files)
    apart = {"database_url", "keys_url", "replica_url", "origin", "trusted_proxies", *files}
    named = {name.replace(".", "_"): value for name, value in values.items() if name not in apart}
    return Settings(
        home=home,
        data=data,
        keys=keys,
        replica=replica,
        public_origin=values["origin"],
        trusted_proxies=values["trusted_proxies"] or (),
        tls_certificate=certificate,
        tls_key=key,
        tls_client_ca=client_ca,
        rows=rows,
        **named,
    )


def _file(home: Path, name: str | None) -> Path | None:
    return home / Path(name).expanduser() if name else None


def _home(given: Path | None, env: Mapping[str, str]) -> tuple[Path, str]:
    if given is not None:
        return given.expanduser().absolute(), "command line"
    if raw := env.get(f"{_PREFIX}HOME", "").strip():
        return Path(raw).expanduser().absolute(), f"environment {_PREFIX}HOME"
    return Path("var").absolute(), "default"


def _from_file(path: Path) -> Iterator[tuple[str, _Found]]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError) as error:
        raise _refused(str(path), f"cannot be read: {error}") from error
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _refused(str(path), f"is not valid TOML: {error}") from error
    for key, value in _flattened(table):
        setting = _known(key, f"{path.name}: ", list(_BY_KEY))
        if setting.secret:
            raise _refused(key, f"is a secret; name a file in {setting.env}_FILE instead")
        if not isinstance(value, str | int):
            raise _refused(key, "must be a string, a whole number or a boolean")
        raw = str(value).lower() if isinstance(value, bool) else str(value)
        yield key, _Found(raw, str(path))


def _flattened(table: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flattened(cast("dict[str, object]", value), f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _from_environment(env: Mapping[str, str]) -> Iterator[tuple[str, _Found]]:
    by_env = {setting.env: setting for setting in SETTINGS}
    by_file = {f"{setting.env}_FILE": setting for setting in SETTINGS if setting.secret}
    for name in sorted(env):
        if not name.startswith(_PREFIX) or name == f"{_PREFIX}HOME":
            continue
        if setting := by_file.get(name):
            if setting.env in env:
                raise _refused(name, f"and {setting.env} are both set; keep one")
            yield setting.key, _Found(_secret_file(name, env[name]), f"file named by {name}")
        elif setting := by_env.get(name):
            yield setting.key, _Found(env[name], f"environment {name}")
        else:
            _known(name, "environment: ", [*by_env, *by_file, f"{_PREFIX}HOME"])


def _secret_file(name: str, path: str) -> str:
    try:
        with Path(path).expanduser().open("rb") as file:
            content = file.read(_MOST_SECRET_BYTES + 1)
    except OSError as error:
        raise _refused(name, f"names a file that cannot be read: {error.strerror}") from error
    if len(content) > _MOST_SECRET_BYTES:
        raise _refused(name, f"names a file of more than {_MOST_SECRET_BYTES} bytes")
    try:
        return content.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise _refused(name, "names a file that is not UTF-8 text") from None


def _known(key: str, where: str, names: list[str]) -> Setting:
    if key in _BY_KEY:
        return _BY_KEY[key]
    near = difflib.get_close_matches(key, names, n=1, cutoff=0.6)
    remedy = (
        f"Did you mean {near[0]}?" if near else "`holdfast config explain` lists every setting."
    )
    raise InvalidInput(
        f"{where}unknown setting {key}", field=key, remedy=remedy, code="unknown_setting"
    )


def _value(setting: Setting, given: _Found | None) -> Any:
    if given is None:
        return setting.parse(setting.default) if setting.default else None
    try:
        value = setting.parse(given.raw)
    except ValueError as error:
        raise _refused(setting.key, f"{error} (from {given.source})") from None
    return Secret(value) if setting.secret else value


def _explained(setting: Setting, given: _Found | None, value: object) -> ExplainedSetting:
    source = given.source if given else "default"
    default = setting.default or "not set"
    if setting.secret or value is None:
        shown = "set" if given else "not set"
    elif isinstance(value, tuple):
        shown = ",".join(value)
    else:
        shown = str(value).lower() if isinstance(value, bool) else _without_password(str(value))
    return ExplainedSetting(setting.key, shown, source, default, setting.env, setting.meaning)


def _without_password(text: str) -> str:
    return re.sub(r"(?<=://)([^:/@]*):[^@]*(?=@)", r"\1:…", text)


def _refused(key: str, why: str) -> InvalidInput:
    return InvalidInput(
        f"setting {key} {why}",
        field=key,
        remedy="`holdfast config explain` lists every setting with its default.",
        code="bad_setting",
    )
