"""The commands that belong to no procedure, and what the groups of commands are about.

A procedure's own commands stand in its manifest. ``holdfast.manifests`` puts both together.
"""

from typing import Final

from holdfast.vocabulary.manifest import Command

_CLI: Final = "holdfast.edges.cli"

COMMANDS: Final = (
    Command(
        "init",
        f"{_CLI}.house:init",
        False,
        "Found a house: stores, keys and the first administrator.",
    ),
    Command("serve", f"{_CLI}.serve:serve", False, "Serve the house until Ctrl-C."),
    Command(
        "migrate", f"{_CLI}.migrate:migrate", False, "Bring both stores to this version's tables."
    ),
    Command(
        "doctor",
        f"{_CLI}.doctor:doctor",
        False,
        "Check the house and say what to do about each finding.",
    ),
    Command(
        "config explain",
        f"{_CLI}.config:explain",
        False,
        "Show each setting, its source and its default.",
    ),
)

GROUPS: Final = {
    "client": "Companies whose customers these are, and their contracts.",
    "collection": "Kinds of records, each with a schema.",
    "config": "Settings of this house.",
    "customer": "Data subjects: find one, erase one.",
    "employer": "The house and its vendors, who employ the persons.",
    "feed": "Systems that tell which contact is live.",
    "log": "The client's log of every look.",
    "person": "Members of the workforce.",
    "policy": "Contracts compiled into rules: check, test, publish.",
    "token": "Credentials of persons and services.",
}
