"""``holdfast init``: found a house."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

import holdfast
from holdfast.kit.config import load_settings
from holdfast.kit.db import Round
from holdfast.kit.db.opening import is_there
from holdfast.kit.errors import Conflict
from holdfast.kit.ids import new_id
from holdfast.kit.terminal import emit, json_option, say
from holdfast.spine.house import open_house
from holdfast.spine.identity import people
from holdfast.spine.identity.acting import os_user
from holdfast.spine.identity.references import reference_of
from holdfast.spine.ledger.recorder import append
from holdfast.spine.recovery.schema import make_tables
from holdfast.spine.vault.roots import ROOT_FILE, FileRoot
from holdfast.vocabulary.ids import HOUSE_LOG, LEAF
from holdfast.vocabulary.leaves import Leaf, LeafType
from holdfast.vocabulary.levels import Role

if TYPE_CHECKING:
    from holdfast.kit.config import Settings
    from holdfast.kit.db import Work
    from holdfast.spine.house import House


@click.command()
@click.option(
    "--root",
    type=click.Choice(["file"]),
    default="file",
    show_default=True,
    help="Where the root of all keys lives.",
)
@click.option(
    "--person",
    "staff_id",
    default=None,
    help="Staff id of the first administrator (default: your user name).",
)
@json_option
def init(root: str, staff_id: str | None, as_json: bool) -> None:
    """Found a house in HOLDFAST_HOME: stores, root key, signing keys and the first administrator.

    The root key is a file that only you can read (0600); with HOLDFAST_ROOT_PASSPHRASE_FILE it is sealed under that
    passphrase. The first administrator is bound to your operating-system user; commands act in that name.

    \b
    Examples:
      holdfast init
      HOLDFAST_HOME=/srv/house holdfast init --person A0001
    """
    assert root == "file"
    settings = load_settings()
    found(settings)
    house = open_house(settings)
    user = os_user()
    person = house.transact(_first_person(house, staff_id or user, user))
    keys = house.found_signing_keys()
    emit(
        {"home": str(settings.home), "person": person, "vkeys": list(keys.vkeys(HOUSE_LOG))},
        as_json=as_json,
        text=f"House founded in {settings.home}. You are {person} (administrator).",
    )
    say("Next: holdfast client add CLIENT --contract contract.toml")


def found(settings: Settings) -> None:
    """Create folder, stores and root key; :class:`Conflict` if a house stands there already."""
    if is_there(settings.data) or is_there(settings.keys):
        raise Conflict(
            f"a house stands in {settings.home} already",
            remedy="Use it, or name another folder in HOLDFAST_HOME.",
            code="house_exists",
        )
    if not settings.embedded:
        from holdfast.edges.roles.granting import require_roles

        require_roles(settings)
    settings.home.mkdir(parents=True, exist_ok=True)
    settings.home.chmod(0o700)
    FileRoot.create(settings.home / ROOT_FILE, settings.root_passphrase)
    migrate(settings)


def migrate(settings: Settings) -> None:
    """Bring both stores to the present schema."""
    make_tables(settings.data, "data")
    make_tables(settings.keys, "keys")
    if not settings.embedded:
        give_roles(settings)


def give_roles(settings: Settings) -> None:
    """Grant each database role of the settings what is declared, and say what only a superuser can."""
    from holdfast.edges.roles.granting import grant_all

    if not grant_all(settings):
        say(
            "The worker cannot complete an erasure yet: a superuser of the server has to run what"
            " `holdfast roles --print` shows.",
            colour="yellow",
        )


def _first_person(house: House, staff_id: str, os_user: str) -> Work[str]:
    now = house.clock.now_us()
    yield Round(data=(people.ADD_EMPLOYER(id="house", name="The house"),))
    person = yield from people.add_person(
        staff_id=staff_id,
        employer="house",
        roles=(Role.ADMIN, Role.SECURITY),
        os_user=os_user,
        now_us=now,
    )
    reference = yield from reference_of(person, HOUSE_LOG)
    yield Round(
        data=(
            append(
                HOUSE_LOG,
                Leaf(
                    LeafType.HOUSE_FOUNDED,
                    new_id(LEAF, now),
                    now,
                    {"by": reference, "version": holdfast.__version__},
                ),
            ),
        )
    )
    return person
