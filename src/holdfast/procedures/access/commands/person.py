"""``holdfast person …``: joining, assignments, roles, lines, suspension, leaving."""

from __future__ import annotations

import click

from holdfast.kit.clock import rfc3339
from holdfast.kit.errors import InvalidInput
from holdfast.kit.terminal import emit, json_option, say
from holdfast.procedures.access.commands.shared import opened_house, shown
from holdfast.procedures.access.forms import Moment
from holdfast.procedures.access.services import assignments, lines, people
from holdfast.vocabulary.levels import Role

_ROLES = click.Choice([role.value for role in Role])
role_option = click.option(
    "--role", "roles", type=_ROLES, multiple=True, help="Repeat for several."
)
programme_option = click.option(
    "--programme", required=True, help="Of the contract; CLIENT/PROGRAMME if two clients have it."
)
client_option = click.option("--client", default="", help="Whose programme it is.")
queue_option = click.option(
    "--queue", "queues", multiple=True, help="Repeat for several; none is every queue."
)


@click.command()
@click.argument("staff_id", metavar="ID")
@click.option("--employer", required=True, help="Added with the person if it is new.")
@role_option
@click.option(
    "--programme", default="", help="Assign the person to it; see `holdfast person assign`."
)
@client_option
@queue_option
@click.option("--label", default="", help="How lists show the person.")
@click.option("--lead", default="", metavar="ID", help="To whom the person reports.")
@click.option("--os-user", help="Account of this machine that the command line acts for.")
@json_option
def add(
    *,
    staff_id: str,
    employer: str,
    roles: tuple[str, ...],
    programme: str,
    client: str,
    queues: tuple[str, ...],
    label: str,
    lead: str,
    os_user: str | None,
    as_json: bool,
) -> None:
    """Add a person, and assign them to a programme if one is named. ID is the staff id that the employer uses.

    \b
    Examples:
      holdfast person add A1007 --employer house --role agent --programme cards --queue cards-inbound
      holdfast person add L2001 --employer vendor-7 --role agent --role lead --programme bank-01/cards
      holdfast person add S0001 --employer house --role security --os-user sam
    """
    if queues and not programme:
        raise InvalidInput("queues are a programme's", field="--queue", remedy="Name --programme.")
    if not roles:
        raise InvalidInput("a person has at least one role", field="--role")
    chosen = [Role(role) for role in roles]
    with opened_house() as house:
        line = house.read(lines.find_line(programme, client)) if programme else None
        if line:
            lines.check_queues(line, queues)
        member, new_employer = house.transact(
            people.add_person(
                house,
                staff_id,
                employer=employer,
                roles=chosen,
                os_user=os_user,
                label=label,
                lead=lead,
                first=lambda person: (
                    assignments.assign(house, person, line, queues=queues) if line else None
                ),
            )
        )
    if new_employer:
        say(f"Employer {employer} is new and was added; `holdfast employer list` shows all.")
    assigned = f"{line.client}/{line.programme}" if line else ""
    emit(shown(member, assigned=assigned, queues=sorted(queues)), as_json=as_json)


@click.command()
@json_option
def list_all(as_json: bool) -> None:
    """List persons with their state, roles and current assignments.

    \b
    Examples:
      holdfast person list
      holdfast person list --json | jq '.[] | select(.state == "suspended")'
    """
    with opened_house() as house:
        found = house.transact(people.list_people(house))
    rows = [
        shown(member, label=member.label, lead=member.lead, assigned=list(lines))
        for member, lines in found
    ]
    emit(rows, as_json=as_json)
    if not as_json and len(rows) == people.MOST_LISTED:
        say(f"The first {people.MOST_LISTED} are shown.")


@click.command()
@click.argument("person", metavar="ID")
@json_option
def suspend(person: str, as_json: bool) -> None:
    """Suspend a person: every look and command of theirs is refused from the next request on.

    ID is a staff id, per_…, or EMPLOYER/ID where two employers use the same staff id.

    \b
    Examples:
      holdfast person suspend A1007
    """
    with opened_house() as house:
        emit(shown(house.transact(people.suspend(house, person))), as_json=as_json)


@click.command()
@click.argument("person", metavar="ID")
@json_option
def restore(person: str, as_json: bool) -> None:
    """End a suspension. Tokens that have not expired or been revoked work again.

    \b
    Examples:
      holdfast person restore A1007
    """
    with opened_house() as house:
        emit(shown(house.transact(people.restore(house, person))), as_json=as_json)


@click.command()
@click.argument("person", metavar="ID")
@json_option
def leave(person: str, as_json: bool) -> None:
    """Let a person go: assignments end, tokens are revoked, the bound account is freed. It cannot be undone.

    \b
    Examples:
      holdfast person leave A1007
    """
    with opened_house() as house:
        member, ended, revoked = house.transact(people.leave(house, person))
    emit(shown(member, assignments_ended=ended, tokens_revoked=revoked), as_json=as_json)


@click.command()
@click.argument("person", metavar="ID")
@role_option
@json_option
def roles(person: str, roles: tuple[str, ...], as_json: bool) -> None:
    """Give a person exactly these roles in the house. Roles of assignments stay; assign anew to change those.

    \b
    Examples:
      holdfast person roles A1007 --role agent --role lead
    """
    if not roles:
        raise InvalidInput("a person has at least one role", field="--role")
    with opened_house() as house:
        member = house.transact(people.set_roles(house, person, [Role(role) for role in roles]))
    emit(shown(member), as_json=as_json)


@click.command()
@click.argument("person", metavar="ID")
@click.option("--lead", "above", default="", metavar="ID", help="To whom the person reports.")
@click.option("--none", "nobody", is_flag=True, help="The person reports to nobody.")
@json_option
def lead(person: str, above: str, nobody: bool, as_json: bool) -> None:
    """Say to whom a person reports. A contract may want approvals from another reporting line than the requester's.

    \b
    Examples:
      holdfast person lead A1007 --lead L2001
      holdfast person lead L2001 --none
    """
    if bool(above) is nobody:
        raise InvalidInput("name either --lead or --none", field="--lead")
    with opened_house() as house:
        member = house.transact(people.set_lead(house, person, above))
    emit(shown(member, lead=member.lead), as_json=as_json)


@click.command()
@click.argument("person", metavar="ID")
@programme_option
@client_option
@queue_option
@role_option
@click.option("--starts", "starts_us", type=Moment(), help="RFC 3339 time (default: now).")
@click.option("--ends", "ends_us", type=Moment(), help="RFC 3339 time (default: open).")
@json_option
def assign(
    *,
    person: str,
    programme: str,
    client: str,
    queues: tuple[str, ...],
    roles: tuple[str, ...],
    starts_us: int | None,
    ends_us: int | None,
    as_json: bool,
) -> None:
    """Assign a person to a programme of a client; an earlier assignment to the same programme ends with it.

    Without --role the person's own roles count there too. Nobody assigns themselves.

    \b
    Examples:
      holdfast person assign A1007 --programme cards
      holdfast person assign A1007 --programme bank-01/cards --queue cards-inbound --ends 2026-12-24T18:00:00+08:00
    """
    with opened_house() as house:
        line = house.read(lines.find_line(programme, client))
        lines.check_queues(line, queues)
        member = house.transact(
            assignments.assign(
                house,
                person,
                line,
                queues=queues,
                roles=[Role(role) for role in roles],
                term=assignments.Term(starts_us, ends_us),
            )
        )
    emit(
        shown(member, assigned=f"{line.client}/{line.programme}", queues=sorted(queues)),
        as_json=as_json,
    )


@click.command()
@click.argument("person", metavar="ID")
@programme_option
@client_option
@json_option
def unassign(person: str, programme: str, client: str, as_json: bool) -> None:
    """End a person's assignment to a programme, from the next request on.

    \b
    Examples:
      holdfast person unassign A1007 --programme cards
    """
    with opened_house() as house:
        line = house.read(lines.find_line(programme, client))
        member = house.transact(assignments.unassign(house, person, line))
    emit(shown(member, unassigned=f"{line.client}/{line.programme}"), as_json=as_json)


@click.command()
@click.argument("person", metavar="ID")
@programme_option
@client_option
@queue_option
@role_option
@json_option
def move(
    *,
    person: str,
    programme: str,
    client: str,
    queues: tuple[str, ...],
    roles: tuple[str, ...],
    as_json: bool,
) -> None:
    """Let a person work on a programme, and on no other any more: what they had ends before it begins.

    \b
    Examples:
      holdfast person move A1007 --programme loans
    """
    with opened_house() as house:
        line = house.read(lines.find_line(programme, client))
        lines.check_queues(line, queues)
        member, left = house.transact(
            assignments.move(
                house, person, line, queues=queues, roles=[Role(role) for role in roles]
            )
        )
    emit(
        shown(
            member,
            assigned=f"{line.client}/{line.programme}",
            unassigned=["/".join(one) for one in left],
        ),
        as_json=as_json,
    )


@click.command()
@click.argument("person", metavar="ID", required=False)
@json_option
def badge(person: str | None, as_json: bool) -> None:
    """List badges that are to be taken back from those who left; with ID, say that this one was.

    \b
    Examples:
      holdfast person badge
      holdfast person badge A1007
    """
    with opened_house() as house:
        if person is not None:
            emit(shown(house.transact(people.badge_returned(house, person))), as_json=as_json)
            return
        waiting = house.read(people.badges_out(house))
    rows = [{**one, "left": rfc3339(int(one.pop("left_us")))} for one in waiting]
    emit(rows, as_json=as_json)
