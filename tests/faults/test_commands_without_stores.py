"""Every command against a house that is not there, was never given its tables, or whose server does not let it in.

Each ends with a message and a code from the list that `holdfast help exit-codes` shows, without an internal error, and
writes nothing. The commands are those that are declared: a new one is among them by itself.
"""

from __future__ import annotations

import itertools
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import click
import psycopg
import pytest

from holdfast import manifests
from holdfast.drills.bank.build import CLIENT, COLLECTION, CONTRACT, SCHEMA
from holdfast.edges.cli.commands import COMMANDS
from holdfast.edges.cli.main import load
from holdfast.edges.cli.main import run as run_here
from holdfast.kit.config import load_settings
from holdfast.kit.terminal import ExitCode
from holdfast.spine.house import open_house
from holdfast.spine.vault.roots import ROOT_FILE, FileRoot
from support.cluster import cluster
from support.commands import run
from support.served import NEEDS_SERVER
from support.server import environment, free_ports

pytestmark = [pytest.mark.slow, NEEDS_SERVER]

DECLARED = manifests.commands(COMMANDS)
# They work on files of whoever runs them.
WITHOUT_STORES = {
    *("collection propose", "config explain", "export key", "export open", "token key", "verify"),
    *("log key", "permit-key list"),  # these on the house's own
}
# They lock down the process that they run in, run until they are stopped, or need Django.
APART = {"demo", "init", "migrate", "move", "restore", "serve", "worker"}
MORE = {
    "export key": ("--out", "made.pem"),
    "export request": ("--all",),
    "log timeline": ("--person", "A0001"),
    "person add": ("--role", "agent"),
    "person import": ("--map", "number=staff_id"),
    "person lead": ("--none",),
    "person roles": ("--role", "agent"),
    "restore": ("--repair",),
    "token create": ("--person", "A0001"),
    "token revoke": ("tok_1",),
}
WORDS = {
    "client": CLIENT,
    "collection": COLLECTION,
    "hours": "2",
    "target": f"{CLIENT}/{COLLECTION}",
    "until": "30d",
}
FILES = {"contract": CONTRACT, "schema": SCHEMA, "file": "number,name\n1,A\n"}
NOT_WRITTEN = {"serve.lock", "lock", "permit-keys.lock"}  # who is at it; they hold nothing
_numbers = itertools.count(1)


def words_of(path: str, folder: Path) -> list[str]:
    """A command with what it asks for."""
    words = path.split()
    for one in load(DECLARED[path]).params:
        if one.required:
            words += [one.opts[-1]] if isinstance(one, click.Option) else []
            words.append(value_of(one, folder))
    return [*words, *MORE.get(path, ())]


def value_of(one: click.Parameter, folder: Path) -> str:
    name = one.opts[-1].strip("-")
    if isinstance(one.type, click.Choice):
        return str(next(iter(one.type.choices)))
    if isinstance(one.type, click.Path | click.File):
        path = folder / f"given-{name}"
        if getattr(one.type, "file_okay", True):
            path.write_text(FILES.get(name, "{}\n"))
        return str(path)
    return WORDS.get(name, f"x{name.replace('_', '')}")


class Case:
    """A house with something missing, and what is looked at to see that nothing was written."""

    def __init__(self, home: Path, stores: tuple[str, ...], *, usual: ExitCode, but: str) -> None:
        self.home = home
        self.stores = stores
        self.usual = usual  # what a command ends with
        self.but = but.split()  # commands for which nothing is missing here

    @property
    def environment(self) -> dict[str, str]:
        urls = dict(zip(("HOLDFAST_DATABASE_URL", "HOLDFAST_KEYS_URL"), self.stores, strict=True))
        more = {"HOLDFAST_TOKEN": f"hft_{'x' * 43}", "HOLDFAST_ROLE_READER": "reader"}
        return environment(self.home, **urls, **more)

    def seen(self) -> list[str]:
        """Names of files, and of the tables in them."""
        found = [str(path) for path in self.home.rglob("*") if path.name not in NOT_WRITTEN]
        for path in self.home.glob("*.sqlite3"):
            with closing(sqlite3.connect(path)) as connection:
                rows = connection.execute("SELECT name FROM sqlite_schema").fetchall()
                found += [name for (name,) in rows]
        for url in self.stores:
            if url.endswith(EMPTY):
                with closing(psycopg.connect(url)) as connection:
                    found += [str(row) for row in connection.execute(TABLES).fetchall()]
        return sorted(found)


FILES_OF_HOUSE = ("sqlite:///data.sqlite3", "sqlite:///keys.sqlite3")
EMPTY = "_empty"
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"


def no_house(folder: Path) -> Case:
    home = folder / "house"
    return Case(home, FILES_OF_HOUSE, usual=ExitCode.REFUSED, but="init demo")


def no_tables(folder: Path) -> Case:
    home = folder / "house"
    for name in ("data", "keys"):
        (home / f"{name}.sqlite3").touch(mode=0o600)
    return Case(home, FILES_OF_HOUSE, usual=ExitCode.UNAVAILABLE, but="migrate demo roles")


def no_tables_on_a_server(folder: Path) -> Case:
    names = [f"{name}{next(_numbers)}{EMPTY}" for name in ("data", "keys")]
    urls = tuple(cluster().make(name) for name in names)
    return Case(folder / "house", urls, usual=ExitCode.REFUSED, but="init demo")


def no_server(folder: Path) -> Case:
    (port,) = free_ports(1)
    urls = tuple(f"postgres://u@127.0.0.1:{port}/{name}" for name in ("data", "keys"))
    return Case(folder / "house", urls, usual=ExitCode.UNAVAILABLE, but="")


def wrong_password(folder: Path) -> Case:
    server = cluster()
    rules, rule = Path(server.data) / "pg_hba.conf", "host all guarded 127.0.0.1/32 scram-sha-256\n"
    rules.write_text(rule + rules.read_text())
    with server.connect() as connection:
        connection.execute("CREATE ROLE guarded LOGIN PASSWORD 'right'")
        connection.execute("SELECT pg_reload_conf()")
    at = f"postgres://guarded:wrong@127.0.0.1:{server.port}"
    return Case(folder / "house", (f"{at}/a", f"{at}/b"), usual=ExitCode.UNAVAILABLE, but="")


@pytest.fixture(
    scope="module",
    params=[no_house, no_tables, no_tables_on_a_server, no_server, wrong_password],
    ids=lambda made: made.__name__,
)
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    folder = tmp_path_factory.mktemp("without")
    if request.param is no_house:
        return no_house(folder)
    (folder / "house").mkdir(mode=0o700)
    found: Case = request.param(folder)
    FileRoot.create(found.home / ROOT_FILE, None)
    house = open_house(load_settings(found.home, found.environment))
    house.found_signing_keys()
    house.permit_keys()
    return found


@pytest.mark.parametrize("path", sorted(DECLARED))
def test_a_command_says_what_is_missing_and_writes_nothing(
    case, path, tmp_path, monkeypatch, capfd
):
    if path in case.but:
        pytest.skip("it makes what is missing, or is for the other storage")
    before = case.seen()
    words = words_of(path, tmp_path)
    if path in APART:
        done = run(*words, env=case.environment, cwd=tmp_path)
        code, told = done.returncode, done.stderr
    else:
        for name in [name for name in os.environ if name.startswith("HOLDFAST_")]:
            monkeypatch.delenv(name)
        for name, value in case.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(tmp_path)
        code = run_here(words)
        told = capfd.readouterr().err
    assert case.seen() == before
    assert "internal error" not in told
    assert "Traceback" not in told
    assert "wrong@" not in told
    assert told or code == ExitCode.OK
    assert code in set(ExitCode) - {ExitCode.INTERNAL}
    if path not in WITHOUT_STORES | APART:
        assert code == (ExitCode.UNAVAILABLE if path == "doctor" else case.usual), told
