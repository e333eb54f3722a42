"""``holdfast export open``: a recipient's tool, that says when a file is not whole."""

from __future__ import annotations

import subprocess
import sys

import pytest
from click.testing import CliRunner

from holdfast.edges.cli.export_open import open_export
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


def test_it_needs_neither_django_nor_a_database():
    code = (
        "import sys, holdfast.edges.cli.export_open, holdfast.spine.actions.sealed_file;"
        "print([m for m in ('django', 'sqlite3', 'pysqlite3', 'cedarpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
