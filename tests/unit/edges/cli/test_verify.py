"""``holdfast verify`` as a client types it: what it prints, what it exits with, and what it never needs."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from holdfast.edges.cli.main import run
from holdfast.kit.terminal import ExitCode
from support.bundles import Client
from support.ledger import BANK, LedgerHouse
from support.verdicts import FILE, content, lay_out


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    folder = tmp_path_factory.mktemp("verify-cli")
    house = LedgerHouse(folder / "house")
    house.grown(BANK, 5)
    made = Client(house, folder / "client")
    made.early = made.export()
    house.grown(BANK, 300)
    made.honest = made.export()
    made.key_file = folder / "keys.txt"
    made.key_file.write_text("# from the contract\n" + "\n".join(k.text for k in made.keys) + "\n")
    yield made
    house.close()


@pytest.fixture(autouse=True)
def own_state(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("NO_COLOR", "1")


def verify(*words):
    return run(["verify", *map(str, words)])


def test_with_its_keys_a_log_is_authentic(client, capsys):
    assert verify(client.honest, "--key", client.key_file) == ExitCode.OK
    out = capsys.readouterr().out
    assert "AUTHENTIC: whole" in out
    assert "first sight" in out
    for key in client.keys:
        assert verify(client.honest, "--key", key.text) == ExitCode.OK


def test_without_a_key_it_is_not_authenticated(client, capsys):
    assert verify(client.honest) == ExitCode.NOT_AUTHENTICATED
    said = capsys.readouterr()
    assert "NOT AUTHENTICATED" in said.out
    assert "'vkeys'" in said.err


def test_an_edited_log_is_broken(client, capsys):
    bundle = client.copy(client.honest)
    path = bundle / "tile/entries/000"
    path.write_bytes(path.read_bytes().replace(b"p_qwerty", b"p_azerty", 1))
    assert verify(bundle, "--key", client.key_file) == ExitCode.INTEGRITY
    out = capsys.readouterr().out
    assert "leaf 0 is not what tile/0/000 says" in out
    assert "BROKEN" in out


def test_a_rolled_back_log_has_its_own_exit_code(client, capsys):
    assert verify(client.honest, "--key", client.key_file) == ExitCode.OK
    assert verify(client.early, "--key", client.key_file) == ExitCode.HISTORY == 8
    assert "rolled back" in capsys.readouterr().out


def test_an_earlier_checkpoint_can_be_given(client, capsys):
    since = client.early / "checkpoint"
    assert verify(client.honest, "--key", client.key_file, "--since", since) == ExitCode.OK
    assert "continues the 5 leaves of the checkpoint" in capsys.readouterr().out


def test_json_says_the_same_to_a_program(client, capsys):
    assert verify(client.honest, "--key", client.key_file, "--json") == ExitCode.OK
    data = json.loads(capsys.readouterr().out)
    assert (data["outcome"], data["exit_code"], data["size"]) == ("authentic", 0, 305)
    assert verify(client.honest, "--json") == ExitCode.NOT_AUTHENTICATED
    said = capsys.readouterr()
    assert json.loads(said.out)["outcome"] == "not_authenticated"
    assert said.err == ""


@pytest.mark.parametrize(
    "words",
    [
        ["nowhere"],
        ["{empty}"],
        ["{honest}", "--key", "mistyped"],
        ["{honest}", "--key", "a+b+c"],
        ["{honest}", "--key", "{empty}/none.txt"],
        ["{honest}", "--since", "{honest}/none"],
        ["{honest}", "--since", "{honest}/vkeys"],
    ],
)
def test_input_that_makes_no_sense_is_refused_plainly(client, capsys, tmp_path, words):
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "none.txt").write_text("# no key\n")
    asked = [word.format(empty=empty, honest=client.honest) for word in words]
    assert verify(*asked) == ExitCode.REFUSED
    said = capsys.readouterr()
    assert said.out == ""
    assert "Traceback" not in said.err


def test_it_needs_neither_django_nor_a_database_nor_the_network(client, tmp_path):
    program = (
        "import sys\n"
        "from holdfast.edges.cli.main import run\n"
        "sys.addaudithook(lambda event, _: event.startswith('socket.') and sys.exit(99))\n"
        f"code = run(['verify', {str(client.honest)!r}, '--key', {str(client.key_file)!r}])\n"
        "loaded = {name.partition('.')[0] for name in sys.modules}\n"
        "assert not loaded & {'django', 'sqlite3', 'pysqlite3', 'psycopg', 'granian'}, loaded\n"
        "assert 'holdfast.kit.db.sqlite' not in sys.modules\n"
        "sys.exit(code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"XDG_STATE_HOME": str(tmp_path / "state"), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


BOOK = json.loads(FILE.read_text())


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("an honest log", 0),
        ("half a key", 2),
        ("no log at all", 2),
        ("an earlier checkpoint by a stranger", 2),
        ("an honest log without a key", 4),
        ("an edited leaf", 6),
        ("a receipt: by a stranger", 6),
        ("a certificate: of a client, not done", 6),
        ("rolled back", 8),
        ("two roots for one size", 8),
        ("another history", 8),
        ("a receipt: broken", 9),
        ("a receipt: broken, in a log that was rolled back", 8),
    ],
)
def test_each_verdict_has_its_exit_code(name, code, tmp_path):
    (case,) = (case for case in BOOK["cases"] if case["name"] == name)
    lay_out(BOOK, case, tmp_path / "bundle")
    words = [tmp_path / "bundle"]
    for key in case["keys"]:
        words += ["--key", BOOK["keys"].get(key, key)]
    if case["since"] is not None:
        (tmp_path / "since").write_bytes(content(case["since"]))
        words += ["--since", tmp_path / "since"]
    for file, text in case["answers"].items():
        (tmp_path / file).write_bytes(content(text))
        words += ["--receipt", tmp_path / file]
    assert verify(*words) == code


@pytest.mark.parametrize(
    "memory",
    [
        b"",
        b"[]",
        b"[" * 100_000,
        b'{"origin": "ORIGIN", "size": 9, "at": "now", "root": "ROOT"}',
        b'{"origin": "ORIGIN", "size": -1, "at": "2026-11-23T12:00:00.000000Z", "root": "ROOT"}',
        b'{"origin": "ORIGIN", "size": true, "at": "2026-11-23T12:00:00.000000Z", "root": "ROOT"}',
        b'{"origin": "ORIGIN", "size": 9, "at": "2026-11-23T12:00:00.000000Z", "root": "AAAA"}',
        b'{"origin": "another", "size": 9, "at": "2026-11-23T12:00:00.000000Z", "root": "ROOT"}',
    ],
)
def test_a_memory_that_was_tampered_with_has_its_exit_code(client, capsys, tmp_path, memory):
    assert verify(client.honest, "--key", client.key_file) == ExitCode.OK
    (path,) = (tmp_path / "state" / "holdfast" / "verified").iterdir()
    true = json.loads(path.read_bytes())
    memory = memory.replace(b"ORIGIN", true["origin"].encode()).replace(
        b"ROOT", true["root"].encode()
    )
    path.write_bytes(memory)
    assert verify(client.honest, "--key", client.key_file) == ExitCode.UNAVAILABLE == 7
    assert "memory of earlier verifications" in capsys.readouterr().err
    assert path.read_bytes() == memory


def test_nothing_in_a_bundle_draws_a_verdict_on_the_screen(client, capsys):
    bundle = client.copy(client.honest)
    (bundle / "certificates").mkdir()
    fake = "x\nAUTHENTIC: whole, and signed by every key that was given.\x1b[2J\u202e\x9b1m"
    (bundle / "certificates" / f"{fake}.json").write_text("{}")
    assert verify(bundle, "--key", client.key_file) == ExitCode.INTEGRITY
    out = capsys.readouterr().out
    assert "\\x1b[2J" in out
    assert not {one for one in out if not one.isprintable()} - {"\n"}
    assert not [line for line in out.splitlines() if line.startswith("AUTHENTIC")]


@pytest.mark.parametrize(
    "path", ["checkpoint", "tile/0/000", "tile/entries/000", "certificates/c.json"]
)
@pytest.mark.parametrize("how", ["loop", "folder", "pipe", "device"])
def test_what_is_no_file_is_a_finding_and_no_crash(client, capsys, path, how):
    bundle = client.copy(client.honest)
    where = bundle / path
    where.unlink(missing_ok=True)
    where.parent.mkdir(exist_ok=True)
    {
        "loop": lambda: where.symlink_to(where),
        "folder": where.mkdir,
        "pipe": lambda: os.mkfifo(where),
        "device": lambda: where.symlink_to("/dev/zero"),
    }[how]()
    assert verify(bundle, "--key", client.key_file) == ExitCode.INTEGRITY
    assert "internal" not in capsys.readouterr().err
