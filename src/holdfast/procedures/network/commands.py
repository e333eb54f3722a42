"""``holdfast person invite``."""

from __future__ import annotations

from contextlib import closing

import click

from holdfast.kit.clock import rfc3339
from holdfast.kit.terminal import emit_secret, json_option
from holdfast.procedures.network import services


@click.command()
@click.argument("person")
@click.option("--networks", multiple=True, metavar="CIDR,…", help="Good only from these ranges.")
@json_option
def invite(*, person: str, networks: tuple[str, ...], as_json: bool) -> None:
    """Make the link by which a person enrols their first passkey, and so can sign in to the console.

    It works once, within 15 minutes. Somebody else than the person makes it, and hands it over so that nobody else
    gets it: who opens it first is taken for the person. A newer link takes the place of one that was not used.

    \b
    Example:
      holdfast person invite A1007 --networks 192.0.2.0/24
    """
    from holdfast.kit.config import load_settings
    from holdfast.spine.house import open_house
    from holdfast.spine.identity.credentials import checked_networks

    ranges = checked_networks(part for text in networks for part in text.split(","))
    settings = load_settings()
    with closing(open_house(settings)) as house:
        made = house.transact(services.invite(house, person, networks=ranges))
    link = f"{settings.origin}/enrol/{made.secret.reveal()}"
    also = {"person": made.person.staff_id, "expires": rfc3339(made.expires_us)}
    emit_secret("link", link, as_json=as_json, also=also)
