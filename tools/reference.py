"""Writes the pages under docs/reference that follow from the code; ``--check`` says whether they are current."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from holdfast import manifests
from holdfast.edges.checks.catalogue import CHECKS, DEPLOY
from holdfast.edges.cli import main
from holdfast.edges.cli.commands import COMMANDS
from holdfast.kit.config import SETTINGS
from holdfast.spine.administration.policies import policies_text
from holdfast.spine.decision.engine import annotated, parsed
from holdfast.spine.decision.facts import DECLARATIONS
from holdfast.spine.decision.policies import guards_text
from holdfast.spine.decision.rules import Stage, read_rules
from holdfast.vocabulary.facts import FactKind
from holdfast.vocabulary.leaves import SPECS

sys.path.insert(0, str(Path(__file__).parent))
import api_page

FOLDER = Path(__file__).parents[1] / "docs" / "reference"
SETTINGS_INTRODUCTION = """# Settings

Defaults, then `holdfast.toml` in the house's folder, then the environment. A key in the file is as in the
first column (`console.port` is `port` under `[console]`). An unknown key, in either place, is an error that
names the nearest known one. A secret is never read from the file: give it in the variable, or better in a
file that the variable with `_FILE` names. `holdfast config explain` shows what is in force, and from where.

| key | environment | default | meaning |
|---|---|---|---|
"""
LEAVES_INTRODUCTION = """# Leaves

What may stand in a log. A leaf is canonical JSON with `v`, `type`, `id`, `time` and the fields below. It
holds no personal data and no free text: persons, customers and contacts appear as references that mean
nothing outside that log, digests as salted commitments.
"""
COMMANDS_INTRODUCTION = """# Command line

Data goes to standard output, talk to standard error. `--json` prints data for programs. `holdfast --home
FOLDER …` names the house. Exit codes are [the same everywhere](exit-codes.md). A secret is never an argument.
"""


def settings() -> str:
    """Every setting."""
    rows = [
        "| `home` | `HOLDFAST_HOME`, `--home` | `./var` | folder of the house |",
        *(
            f"| `{s.key}` | `{s.env}`{f', `{s.env}_FILE`' if s.secret else ''} "
            f"| {f'`{s.default}`' if s.default else '–'} | {s.meaning}{' (secret)' if s.secret else ''} |"
            for s in SETTINGS
        ),
    ]
    return SETTINGS_INTRODUCTION + "\n".join(rows) + "\n"


def checks() -> str:
    """Every check."""
    rows = [f"| `{c.id}` | {c.statement} |" for c in manifests.checks(CHECKS).values()]
    deploy = [f"| `{c.id}` | {c.statement} |" for c in DEPLOY]
    return (
        "# Checks\n\n"
        "Run by `holdfast doctor`, and before `holdfast serve` listens. An id is stable.\n\n"
        "| id | what must be true |\n|---|---|\n" + "\n".join(rows) + "\n\n"
        "## Of a house in production\n\n"
        "Run by `holdfast doctor --deploy` only; they do not keep a house from starting.\n\n"
        "| id | what should be true |\n|---|---|\n" + "\n".join(deploy) + "\n"
    )


def exit_codes() -> str:
    """What every exit code means."""
    table = (main.__doc__ or "").split("\n\n", 1)[1].strip()
    return f"# Exit codes\n\nThe same for every command.\n\n```text\n{table}\n```\n"


def leaves() -> str:
    """Every type of leaf, its fields and where it stands."""
    logs = {
        "client": "the client's",
        "house": "the house's",
        "both": "the client's and the house's",
    }
    parts = [LEAVES_INTRODUCTION]
    for kind, spec in SPECS.items():
        fields = "\n".join(f"| `{name}` | {meaning} |" for name, meaning in spec.fields.items())
        parts.append(
            f"\n## {kind.value}\n\n{spec.meaning} In {logs[spec.log]} log.\n\n"
            f"Readers: {spec.readers}.\n\n"
            + (f"| field | what it says |\n|---|---|\n{fields}\n" if fields else "")
        )
    return "".join(parts)


def command_line() -> str:
    """The help page of every command."""
    declared = manifests.commands(COMMANDS)
    parts = [COMMANDS_INTRODUCTION]
    for path in sorted(declared):
        command = main.load(declared[path])
        context = click.Context(
            command, info_name=f"holdfast {path}", terminal_width=90, **main.CONTEXT
        )
        text = command.get_help(context).replace("\x08", "")
        parts.append(f"\n## holdfast {path}\n\n```text\n{text}\n```\n")
    return "".join(parts)


RULES_INTRODUCTION = """# Rules and facts

The house's own rules, by which every look is judged. Each says one condition; if it does not hold, the rule has its
effect. `deny` is a refusal, `step up` and `approve` are refusals unless the person confirms who they are or a second
person approves, `mask` shows the field masked. A client's [contract](contract.md) adds who may work what, the fields
of each call, and rules of its own (`contract.<id>`); it cannot take any of these away. If a rule of the first table
refuses, not even that the customer exists is told.

"""


def rules() -> str:
    """Every house rule and every fact."""
    first, second = (_rules_of(guards_text(stage)) for stage in Stage)
    facts = [
        f"| `{d.fact}` | {d.label} | {_KINDS[d.kind]} | {d.audience} |"
        for d in DECLARATIONS.values()
    ]
    return (
        RULES_INTRODUCTION
        + "## Whether the customer may be known at all\n\n"
        + first
        + "\n## What may be done\n\n"
        + second
        + "\n## What may be done to the house\n\n"
        "An administrative act is allowed to who has a role for it, unless one of these refuses.\n\n"
        + _rules_of(policies_text())
        + "\n## Facts\n\nWhat a decision knows of person, contact, fields and counts. *Unknown* is not always *no*.\n\n"
        "| fact | about | unknown means | told to |\n|---|---|---|---|\n" + "\n".join(facts) + "\n"
    )


_KINDS = {
    FactKind.IDENTITY_PLACE: "step up; at C4 no",
    FactKind.ENTITLEMENT: "last value for a while, then a second person approves",
    FactKind.PURPOSE: "no",
    FactKind.RESTRICTION: "no restriction is known, so none",
}


def _rules_of(text: str) -> str:
    found = (rule for rule in read_rules(annotated(parsed(text))) if rule)
    rows = [
        f"| `{r.id}` | {r.label} | {r.effect.replace('_', ' ')} | `{r.fact}` | {r.remedy} |"
        for r in found
    ]
    return (
        "| rule | condition | effect | fact | what to do |\n|---|---|---|---|---|\n"
        + "\n".join(rows)
        + "\n"
    )


PAGES = {
    "settings.md": settings,
    "rules.md": rules,
    "checks.md": checks,
    "exit-codes.md": exit_codes,
    "leaves.md": leaves,
    "command-line.md": command_line,
    "api.md": api_page.page,
}


def stale() -> list[str]:
    """Names of pages that differ from what the code says."""
    return [
        name
        for name, page in PAGES.items()
        if not (FOLDER / name).exists() or (FOLDER / name).read_text() != page()
    ]


if __name__ == "__main__":
    if "--check" in sys.argv:
        if found := stale():
            sys.exit(f"run `make reference`: {', '.join(found)} are out of date")
    else:
        for page_name, make in PAGES.items():
            (FOLDER / page_name).write_text(make())
