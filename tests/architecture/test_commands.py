"""Every command that is declared can be run, explains itself, and shows how it is used."""

from __future__ import annotations

import re

import click
import pytest

from holdfast import manifests
from holdfast.edges.cli.commands import COMMANDS, GROUPS
from holdfast.edges.cli.main import load

DECLARED = manifests.commands(COMMANDS)


def _help_of(command: click.Command, path: str) -> str:
    """The help as a person sees it: click keeps the option's names from the first context that asks."""
    names = ["-h", "--help"]
    context = click.Context(command, info_name=f"holdfast {path}", help_option_names=names)
    return command.get_help(context)


@pytest.mark.parametrize("path", sorted(DECLARED))
def test_a_command_resolves_and_its_help_has_an_example(path):
    command = load(DECLARED[path])
    text = _help_of(command, path)
    assert f"holdfast {path}" in text.split("\n", 1)[1], "an example stands in the help"
    assert DECLARED[path].summary


@pytest.mark.parametrize("path", sorted(DECLARED))
def test_examples_in_the_help_stand_line_by_line(path):
    command = load(DECLARED[path])
    text = _help_of(command, path)
    lines = re.search(r"\n  Examples?:\n(.*?)\n(?:\nOptions|\Z)", text, re.DOTALL)[1].splitlines()
    assert "\\b" not in text
    assert all("holdfast " in line and line.startswith("    ") for line in lines), text


def test_every_group_says_what_it_is_about():
    groups = {path.partition(" ")[0] for path in DECLARED if " " in path}
    assert groups <= set(GROUPS)


@pytest.mark.parametrize("path", sorted(DECLARED))
def test_no_secret_is_taken_from_the_command_line(path):
    # Other accounts of the machine can read a process's arguments.
    names = {
        option.strip("-")
        for parameter in load(DECLARED[path]).params
        if isinstance(parameter, click.Option)
        for option in parameter.opts
    }
    assert not names & {"password", "passphrase", "secret", "token"}
