from __future__ import annotations

import json
import subprocess
import sys

import click
import pytest

from holdfast.edges.cli import main
from holdfast.kit.errors import (
    Conflict,
    Denied,
    IntegrityBroken,
    InvalidInput,
    NotAuthenticated,
    NotFound,
    Unavailable,
)
from holdfast.kit.terminal import ExitCode
from holdfast.vocabulary.manifest import Command

RAISED: list[BaseException] = []


@click.command()
def failing() -> None:
    """Raise what the test asks for: holdfast failing."""
    raise RAISED[-1]


@pytest.fixture
def fail_with():
    def run(error: BaseException) -> int:
        RAISED.append(error)
        declared = {"failing": Command("failing", f"{__name__}:failing", needs_django=False)}
        return main.run(["failing"], declared)

    return run


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InvalidInput("x", field="a.b"), ExitCode.REFUSED),
        (NotFound("x"), ExitCode.REFUSED),
        (Conflict("x"), ExitCode.REFUSED),
        (Denied("x"), ExitCode.DENIED),
        (NotAuthenticated("x"), ExitCode.DENIED),
        (IntegrityBroken("x"), ExitCode.INTEGRITY),
        (Unavailable("x"), ExitCode.UNAVAILABLE),
        (click.UsageError("x"), ExitCode.REFUSED),
        (KeyboardInterrupt(), 130),
        (click.Abort(), 130),
        (RuntimeError("x"), ExitCode.INTERNAL),
    ],
)
def test_each_kind_of_error_has_its_exit_code_and_no_traceback(fail_with, capsys, error, code):
    assert fail_with(error) == code
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "Traceback" not in shown.err


def test_an_error_says_what_happened_and_what_to_try(fail_with, capsys):
    fail_with(InvalidInput("the port is taken", field="port", remedy="Choose another."))
    assert capsys.readouterr().err == "holdfast: the port is taken (port)\n  Choose another.\n"


def test_the_message_of_an_unexpected_error_is_not_printed_for_it_may_hold_a_value(
    fail_with, capsys
):
    fail_with(ValueError("canary-4111111111111111"))
    shown = capsys.readouterr()
    assert "canary" not in shown.err
    assert "ValueError at test_main.py:" in shown.err
    assert "HOLDFAST_DEBUG" in shown.err


def test_the_traceback_is_shown_to_who_asks_for_it(fail_with, capsys, monkeypatch):
    monkeypatch.setenv("HOLDFAST_DEBUG", "true")
    fail_with(ValueError("what it was"))
    assert "Traceback" in capsys.readouterr().err


def test_help_lists_commands_without_importing_them(capsys):
    assert main.run(["--help"]) == 0
    assert "doctor" in capsys.readouterr().out


def test_help_of_a_command_can_be_asked_in_both_ways(capsys):
    assert main.run(["help", "config", "explain"]) == 0
    one = capsys.readouterr().out
    assert main.run(["config", "explain", "--help"]) == 0
    assert one.splitlines()[2:] == capsys.readouterr().out.splitlines()[2:]


def test_exit_codes_are_documented(capsys):
    assert main.run(["help", "exit-codes"]) == 0
    shown = capsys.readouterr().out
    for code in ExitCode:
        assert f"\n{code.value}  " in shown


def test_a_misspelt_command_is_refused_and_the_nearest_is_named(capsys):
    assert main.run(["docter"]) == ExitCode.REFUSED
    assert "doctor" in capsys.readouterr().err


def test_the_version_is_told(capsys):
    assert main.run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("holdfast ")


def test_help_starts_without_django_crypto_or_a_database():
    script = (
        "import sys; from holdfast.edges.cli.main import run; run(['--help']);"
        "print([m for m in ('django', 'cryptography', 'pysqlite3', 'rich', 'cedarpy') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_settings_are_explained_as_data(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("HOLDFAST_HOME")
    monkeypatch.setenv("HOLDFAST_TOKEN", "hft_canary")
    assert main.run(["--home", str(tmp_path), "config", "explain", "--json"]) == 0
    shown = capsys.readouterr().out
    rows = {row["key"]: row for row in json.loads(shown)}
    assert rows["home"]["value"] == str(tmp_path)
    assert rows["token"]["value"] == "set"
    assert "canary" not in shown


def test_an_unknown_setting_stops_every_command(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HOLDFAST_HOME", str(tmp_path))
    monkeypatch.setenv("HOLDFAST_PROT", "1")
    assert main.run(["doctor"]) == ExitCode.REFUSED
    assert "HOLDFAST_PROT" in capsys.readouterr().err
