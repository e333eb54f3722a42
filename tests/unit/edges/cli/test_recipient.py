"""``holdfast export key`` and ``open``: a recipient's tools, that make a key and say when a file is not whole."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from holdfast.edges.cli.recipient import key as make_key
from holdfast.edges.cli.recipient import open_export
from holdfast.kit.errors import IntegrityBroken, InvalidInput
from holdfast.spine.actions.sealed_file import SealedWriter
from support.exporting import new_key


@pytest.fixture
def sealed(tmp_path):
    public, private = new_key()
    key, file = tmp_path / "me.pem", tmp_path / "x.hfex"
    key.write_bytes(private)
    with file.open("wb") as out:
        writer = SealedWriter(out, public, {"export": "exp_1"})
        writer.write(b'{"name":"Robin Example"}\n')
        writer.finish()
    return file, key


def test_it_prints_the_lines(sealed):
    file, key = sealed
    done = CliRunner().invoke(open_export, [str(file), "--key", str(key)])
    assert done.exit_code == 0
    assert done.stdout == '{"name":"Robin Example"}\n'


def test_a_file_that_was_cut_off_is_an_error(sealed):
    file, key = sealed
    file.write_bytes(file.read_bytes()[:-1])
    done = CliRunner().invoke(open_export, [str(file), "--key", str(key)])
    assert isinstance(done.exception, IntegrityBroken)


@pytest.mark.parametrize("content", [b"no key", b""])
def test_something_else_than_a_key_is_told(sealed, content):
    file, key = sealed
    key.write_bytes(content)
    done = CliRunner().invoke(open_export, [str(file), "--key", str(key)])
    assert isinstance(done.exception, InvalidInput)
    assert done.exception.field == "key"


def test_a_key_that_was_made_here_opens_what_is_sealed_to_what_was_printed(tmp_path):
    me, file = tmp_path / "me.pem", tmp_path / "x.hfex"
    made = CliRunner().invoke(make_key, ["--out", str(me)])
    assert made.exit_code == 0
    assert me.stat().st_mode & 0o777 == 0o600
    assert me.read_text() not in made.output
    with file.open("wb") as out:
        writer = SealedWriter(out, made.stdout.strip(), {"export": "exp_1"})
        writer.write(b"line\n")
        writer.finish()
    opened = CliRunner().invoke(open_export, [str(file), "--key", str(me)])
    assert opened.stdout == "line\n"


def test_the_public_half_is_printed_again(tmp_path):
    me = tmp_path / "me.pem"
    made = CliRunner().invoke(make_key, ["--out", str(me)])
    again = CliRunner().invoke(make_key, ["--of", str(me), "--json"])
    assert json.loads(again.stdout) == {"key": made.stdout.strip()}


def test_a_key_is_never_written_over(tmp_path):
    me = tmp_path / "me.pem"
    me.write_text("mine")
    done = CliRunner().invoke(make_key, ["--out", str(me)])
    assert isinstance(done.exception, InvalidInput)
    assert done.exception.field == "out"
    assert me.read_text() == "mine"


@pytest.mark.parametrize("given", [[], ["--out", "a.pem", "--of", __file__]])
def test_a_key_is_either_made_or_read(given):
    done = CliRunner().invoke(make_key, given)
    assert isinstance(done.exception, InvalidInput)
    assert done.exception.field == "out"


def test_of_something_else_than_a_key_nothing_is_printed(tmp_path):
    done = CliRunner().invoke(make_key, ["--of", __file__])
    assert isinstance(done.exception, InvalidInput)
    assert done.exception.field == "of"


def test_it_needs_neither_django_nor_a_database():
    code = (
        "import sys, holdfast.edges.cli.recipient, holdfast.spine.actions.sealed_file;"
        "print([m for m in ('django', 'sqlite3', 'pysqlite3', 'cedarpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
