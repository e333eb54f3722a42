"""``holdfast roles``."""

from __future__ import annotations

import click

from holdfast.edges.cli.house import give_roles
from holdfast.edges.roles.rights import RIGHTS
from holdfast.kit.config import load_settings
from holdfast.kit.errors import InvalidInput
from holdfast.kit.terminal import emit, json_option, say


@click.command()
@click.option(
    "--print",
    "shows",
    is_flag=True,
    help="Print the SQL for both databases, for whoever administers the server; change nothing.",
)
@json_option
def roles(*, shows: bool, as_json: bool) -> None:
    """Grant the database roles of the settings what is declared, and no more (PostgreSQL).

    `holdfast init` and `holdfast migrate` do it by themselves. Name the roles in role.app, role.worker and role.reader,
    and run this as the role that owns the tables. Handing a database to the worker's role, which erases, takes a
    superuser: --print shows that part too.

    \b
    Examples:
      holdfast roles
      holdfast roles --print
      HOLDFAST_ROLE_READER=auditor holdfast roles
    """
    from holdfast.edges.roles.granting import named, scripts

    settings = load_settings()
    chosen = named(settings)
    if not chosen:
        raise InvalidInput(
            "no database role is named" if not settings.embedded else "a file knows no roles",
            field="role.app",
            remedy="Set role.app, role.worker and role.reader of a house on PostgreSQL.",
        )
    if shows:
        found = scripts(settings)
        text = "\n".join(_section(one.database, one.owner, one.superuser) for one in found)
        emit([one._asdict() for one in found], as_json=as_json, text=text)
        return
    give_roles(settings)
    rights = {table: one._asdict() for table, one in RIGHTS.items()}
    emit({"roles": chosen, "rights": rights}, as_json=as_json, text=" ".join(chosen.values()))
    say("Granted in both databases.")


def _section(database: str, owner: tuple[str, ...], superuser: tuple[str, ...]) -> str:
    lines = [f"-- In {database}, as the owner of the tables:", *(f"{line};" for line in owner)]
    lines += [f"-- In {database}, once, as a superuser:", *(f"{line};" for line in superuser)]
    return "\n".join(lines)
