"""Each check is broken in turn, and says so."""

from __future__ import annotations

import json
import sqlite3 as system_sqlite
from contextlib import closing

import pytest

from holdfast.edges.checks import machine
from holdfast.edges.checks.run import examine, require_sound
from holdfast.edges.cli import main
from holdfast.kit.clock import parse_rfc3339
from holdfast.kit.config import load_settings
from holdfast.kit.db import sqlite
from holdfast.kit.errors import InvalidInput, Unavailable
from holdfast.vocabulary.manifest import Check, Severity
from support.cluster import binaries, cluster
from support.stores import raw


def states(settings) -> dict[str, str]:
    return {e.check.id: "skipped" if e.skipped else e.severity.value for e in examine(settings)}


@pytest.fixture
def settings(tmp_path):
    """A folder with two empty stores: everything that needs no tables can be examined."""
    home = tmp_path / "house"
    home.mkdir(mode=0o700)
    for name in ("data.sqlite3", "keys.sqlite3"):
        with closing(sqlite.connect(home / name)):
            pass
    return load_settings(home, {})


def test_a_folder_without_a_house_is_told_once_and_the_rest_is_skipped(tmp_path):
    found = states(load_settings(tmp_path / "none", {}))
    assert found["house.E001"] == "error"
    assert found["stores.E001"] == found["stores.E003"] == found["house.E002"] == "skipped"


def test_a_folder_that_others_may_enter_is_refused(settings):
    assert states(settings)["house.E002"] == "ok"
    settings.home.chmod(0o750)
    assert states(settings)["house.E002"] == "error"


def test_listening_beyond_this_machine_is_refused(settings):
    for name in ("HOLDFAST_CONSOLE_HOST", "HOLDFAST_DATA_PLANE_HOST"):
        assert states(load_settings(settings.home, {name: "0.0.0.0"}))["house.E003"] == "error"


def test_listening_beyond_this_machine_takes_encryption_or_a_proxy_that_is_trusted(settings):
    far = {"HOLDFAST_DATA_PLANE_HOST": "0.0.0.0", "HOLDFAST_CONSOLE_HOST": "0.0.0.0"}
    proxy = {**far, "HOLDFAST_TRUSTED_PROXIES": "192.0.2.7/32"}
    assert states(load_settings(settings.home, proxy))["house.E003"] == "ok"
    tls = {**far, "HOLDFAST_TLS_CERTIFICATE": "house.pem", "HOLDFAST_TLS_KEY": "house.key"}
    assert states(load_settings(settings.home, tls))["house.E003"] == "error"  # no such files
    for name in ("house.pem", "house.key"):
        (settings.home / name).write_text("")
        (settings.home / name).chmod(0o600)
    assert states(load_settings(settings.home, tls))["house.E003"] == "ok"
    (settings.home / "house.key").chmod(0o640)
    assert states(load_settings(settings.home, tls))["house.E003"] == "warning"


@pytest.mark.parametrize(
    ("env", "field"),
    [
        ({"HOLDFAST_TLS_CERTIFICATE": "house.pem"}, "tls.key"),
        ({"HOLDFAST_TLS_CLIENT_CA": "ca.pem"}, "tls.client_ca"),
        ({"HOLDFAST_TRUSTED_PROXIES": "0.0.0.0/0"}, "trusted_proxies"),
        ({"HOLDFAST_TRUSTED_PROXIES": "::/0"}, "trusted_proxies"),
        ({"HOLDFAST_TRUSTED_PROXIES": "proxy.example"}, "trusted_proxies"),
        ({"HOLDFAST_TRUSTED_PROXIES": "192.0.2.7/24"}, "trusted_proxies"),
    ],
)
def test_half_a_setting_is_refused(settings, env, field):
    with pytest.raises(InvalidInput) as error:
        load_settings(settings.home, env)
    assert error.value.field == field


def test_two_listeners_on_one_port_are_refused(settings):
    found = states(load_settings(settings.home, {"HOLDFAST_CONSOLE_PORT": "8461"}))
    assert found["house.E003"] == "error"


def test_an_origin_that_browsers_cannot_use_is_a_warning(settings):
    for origin in ("http://127.0.0.1:8460", "http://localhost:9999"):
        found = states(load_settings(settings.home, {"HOLDFAST_ORIGIN": origin}))
        assert found["house.E004"] == "warning"


def test_a_store_that_is_no_database_is_refused(settings):
    settings.keys_path.write_bytes(b"not a database at all, but long enough to look at" * 100)
    assert states(settings)["stores.E001"] == "error"


def test_a_store_that_another_process_is_writing_counts_as_writable(settings):
    with closing(sqlite.connect(settings.data_path)) as writer:
        writer.begin()
        assert states(settings)["stores.E001"] == "ok"


def test_stores_without_tables_are_refused(settings):
    assert states(settings)["stores.E003"] == "error"


def test_a_store_written_by_a_newer_version_is_refused(settings):
    with closing(sqlite.connect(settings.data_path)) as connection:
        raw(connection, "CREATE TABLE django_migrations (app TEXT, name TEXT)")
        raw(connection, "INSERT INTO django_migrations VALUES ('identity', '9999_from_later')")
    (finding,) = [
        f
        for e in examine(settings)
        for f in e.findings
        if e.check.id == "stores.E003" and "newer" in f.message
    ]
    assert "9999_from_later" in finding.message


def test_the_sqlite_of_every_connection_is_a_safe_one(settings):
    assert sqlite.VERSION >= sqlite.OLDEST_SAFE
    assert states(settings)["machine.E001"] == states(settings)["stores.E002"] == "ok"
    assert system_sqlite is not None


@pytest.mark.parametrize("at", ["1970-01-01T00:00:00Z", "2099-01-01T00:00:00Z"])
def test_a_clock_that_was_never_set_is_refused(at):
    (finding,) = machine.judge_clock(parse_rfc3339(at))
    assert finding.severity is Severity.ERROR
    assert not list(machine.judge_clock(parse_rfc3339("2026-11-23T00:00:00Z")))


def test_a_full_disk_is_refused_and_a_nearly_full_one_is_a_warning(tmp_path):
    gigabyte = 2**30

    def judged(free: int) -> list[Severity]:
        return [f.severity for f in machine.judge_disk(tmp_path, free, 100 * gigabyte)]

    assert judged(50 * gigabyte) == []
    assert judged(9 * gigabyte) == [Severity.WARNING]
    assert judged(gigabyte // 100) == [Severity.ERROR]


def broken(_settings):
    raise ZeroDivisionError("canary")


def test_a_check_that_fails_to_run_is_an_error_itself(settings):
    (examined,) = examine(settings, [Check("x.E001", "it works", f"{__name__}:broken")])
    assert examined.severity is Severity.ERROR
    assert "ZeroDivisionError" in examined.findings[0].message
    assert "canary" not in examined.findings[0].message


def test_an_error_keeps_the_house_from_starting(settings):
    with pytest.raises(Unavailable, match=r"stores\.E003"):
        require_sound(settings)


def test_doctor_prints_data_and_exits_with_its_code(settings, monkeypatch, capsys):
    monkeypatch.setenv("HOLDFAST_HOME", str(settings.home))
    assert main.run(["doctor", "--json"]) == 7
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is False
    by_id = {check["id"]: check for check in told["checks"]}
    assert by_id["stores.E003"]["state"] == "error"
    assert by_id["stores.E003"]["findings"][0]["remedy"]
    assert by_id["house.E001"] == {
        "id": "house.E001",
        "statement": "there is a house in the folder",
        "state": "ok",
        "findings": [],
    }


def test_doctor_says_to_a_person_what_to_do(settings, monkeypatch, capsys):
    monkeypatch.setenv("HOLDFAST_HOME", str(settings.home))
    main.run(["doctor"])
    assert "→ " in capsys.readouterr().out


# ── stores in PostgreSQL ────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def served(tmp_path):
    """Two empty databases of a server, with one table each, so that they count as made."""
    if binaries() is None:
        pytest.skip("PostgreSQL is absent; `make setup-services` installs it")
    home = tmp_path / "house"
    home.mkdir(mode=0o700)
    names = [f"k{abs(hash(tmp_path)):x}_{name}" for name in ("data", "keys")]
    urls = [cluster().make(name) for name in names]
    for name in names:
        with cluster().connect(name) as connection:
            connection.execute("CREATE TABLE jobs_job (id TEXT)")
    given = {"HOLDFAST_DATABASE_URL": urls[0], "HOLDFAST_KEYS_URL": urls[1]}
    yield load_settings(home, given)
    cluster().drop(names)


def of_check(settings, ident):
    return [f for e in examine(settings) for f in e.findings if e.check.id == ident]


def test_databases_of_a_server_can_be_written(served):
    assert states(served)["stores.E001"] == "ok"


def test_a_standby_cannot_be_written(served):
    name = str(served.keys).rsplit("/", 1)[1]
    with cluster().connect() as connection:
        connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    (finding,) = of_check(served, "stores.E001")
    assert "takes no writes" in finding.message
    assert "primary" in finding.remedy


def test_a_database_that_is_gone_or_that_lets_nobody_in_cannot_be_written(served):
    name = str(served.keys).rsplit("/", 1)[1]
    with cluster().connect() as connection:
        connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        (finding,) = of_check(served, "stores.E001")
        connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    assert finding.message == "PostgreSQL does not answer"
