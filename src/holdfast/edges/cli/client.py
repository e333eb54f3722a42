"""``holdfast client add`` and ``list``: companies whose customers these are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from holdfast.edges.cli.context import open_house_from
from holdfast.kit.clock import rfc3339
from holdfast.kit.errors import InvalidInput
from holdfast.kit.terminal import emit, json_option, say
from holdfast.vocabulary.acts import Act
from holdfast.vocabulary.ids import client_log

if TYPE_CHECKING:
    from holdfast.kit.db import Work
    from holdfast.spine.decision.freezing import Standing
    from holdfast.spine.decision.publish import Draft, InForce, Listed
    from holdfast.spine.house import House

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("client")
@click.option(
    "--contract", "contract", required=True, type=_FILE, help="The client's contract.toml."
)
@click.option(
    "--signature",
    type=_FILE,
    help="The client's Ed25519 signature over the file; needed if the contract names a signing key.",
)
@json_option
@click.pass_context
def add(
    ctx: click.Context, *, client: str, contract: Path, signature: Path | None, as_json: bool
) -> None:
    """Take on a client under its first contract: keys, policies and a log of its own.

    Prints the keys by which the client checks its log. Give them to the client over a channel that you trust: whoever
    holds them can verify every proof without asking this house.

    \b
    Examples:
      holdfast client add bank-01 --contract contract.toml
      holdfast client add bank-01 --contract contract.toml --signature contract.sig --json
    """
    from holdfast.spine.decision.publish import draft

    made = draft(read_contract(contract), signature=signature.read_bytes() if signature else b"")
    if made.contract.client != client:
        raise InvalidInput(
            f"{contract} is the contract of {made.contract.client}, not of {client}",
            field="client.id",
            remedy="Name the client as the contract does.",
        )
    house = open_house_from(ctx)
    vkeys = house.signing_keys.vkeys(client_log(client))
    done = house.transact(_added(house, made, vkeys[0]))
    emit(
        {
            "client": done.client,
            "contract_version": done.version,
            "policies": done.policies,
            "signed": done.signed,
            "log": client_log(client),
            "vkeys": list(vkeys),
        },
        as_json=as_json,
        text="\n".join(vkeys),
    )
    say(f"Client {client} is taken on; contract version {done.version}, {_signed(done.signed)}.")
    if not as_json:
        say("Printed: the keys of its log (Ed25519, ML-DSA-44). Give both to the client.")
    say(f"Next: holdfast collection add {client} NAME --schema schema.toml")


def _added(house: House, made: Draft, vkey: str) -> Work[InForce]:
    from holdfast.spine.administration.scene import administer
    from holdfast.spine.decision.publish import By, add_client
    from holdfast.spine.vault.hierarchy import ensure_client_keys

    scene = yield from administer(house, Act.CLIENT_ADD, clients=(made.contract.client,))
    yield from ensure_client_keys(house.root, made.contract.client)
    by = By(scene.acting.person, scene.acting.reference)
    return (yield from add_client(made, by, vkey=vkey, now_us=scene.now_us))


def read_contract(path: Path) -> str:
    """Read a contract's file; :class:`InvalidInput` when it is not UTF-8."""
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidInput(f"{path} is not UTF-8", field="contract") from None


@click.command("list")
@json_option
@click.pass_context
def list_all(ctx: click.Context, *, as_json: bool) -> None:
    """List clients with state and version of contract; a frozen one with the time at which that ends.

    \b
    Examples:
      holdfast client list
      holdfast client list --json
    """
    from holdfast.spine.decision.freezing import Standing

    house = open_house_from(ctx)
    found = house.read(_listed(house))
    house.floor_clock()
    sure_us = house.sure_us()
    rows = [
        {
            "client": one.client,
            "name": one.name,
            "state": Standing(one.state, one.frozen_until_us).word(sure_us),
            "frozen_until": _until(Standing(one.state, one.frozen_until_us), sure_us),
            "contract_version": one.contract_version,
            "contract": "signed" if one.signature else "unsigned",
            "since": rfc3339(one.added_us),
        }
        for one in found
    ]
    emit(rows, as_json=as_json)
    if not rows:
        say("No clients yet. Next: holdfast client add CLIENT --contract contract.toml")


def _until(standing: Standing, sure_us: int) -> str:
    from holdfast.spine.decision.freezing import until

    return (until(standing) or "until lifted") if standing.is_frozen(sure_us) else ""


def _listed(house: House) -> Work[tuple[Listed, ...]]:
    from holdfast.spine.administration.scene import administer
    from holdfast.spine.decision.publish import clients

    yield from administer(house, Act.CLIENT_LIST)
    return (yield from clients())


def _signed(signed: bool) -> str:
    return "signed by the client" if signed else "not signed by the client"
