"""``holdfast token create``, ``list``, ``revoke`` and ``step-up``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from holdfast.kit.clock import rfc3339
from holdfast.kit.errors import InvalidInput
from holdfast.kit.files import create_file
from holdfast.kit.terminal import emit, emit_secret, json_option, say
from holdfast.procedures.access.commands.shared import opened_house
from holdfast.procedures.access.forms import Duration, split
from holdfast.procedures.access.services import tokens
from holdfast.spine.identity import bindings
from holdfast.spine.identity.credentials import Bounds, checked_networks

expires_option = click.option(
    "--expires", "life_us", type=Duration(), help="How long it lasts, e.g. 12h (default) or 7d."
)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--person", default="", metavar="ID", help="Whose token it is.")
@click.option("--service", default="", metavar="NAME", help="Of a program that is nobody's.")
@expires_option
@click.option("--networks", multiple=True, metavar="CIDR,…", help="Good only from these ranges.")
@click.option("--device", default="", help="Good only from the device of this name.")
@click.option("--client", default="", help="Good only for this client.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    help="What a service may do: log:CLIENT reads its log, act:CLIENT tells what became of permits, "
    "act_for:CLIENT asks on behalf of persons, pdp:CLIENT asks for AuthZEN decisions.",
)
@click.option("--via", default="", metavar="NAME", help="Good only if sent by this service.")
@click.option("--dpop-key", type=_FILE, metavar="FILE", help="Good only with the key in FILE.")
@click.option("--jkt", default="", metavar="THUMBPRINT", help="The same, by the key's thumbprint.")
@click.option(
    "--certificate", type=_FILE, metavar="FILE", help="Good only with this client certificate."
)
@json_option
def create(
    *,
    person: str,
    service: str,
    life_us: int | None,
    networks: tuple[str, ...],
    device: str,
    client: str,
    scopes: tuple[str, ...],
    via: str,
    dpop_key: Path | None,
    jkt: str,
    certificate: Path | None,
    as_json: bool,
) -> None:
    """Issue a token to a person or to a service. Its secret is printed this once; only its hash is stored.

    A person's token lasts 12 hours unless told otherwise, 30 days at most; a service's 90 days, 366 at most. A plain
    token shows fields up to class C2, and C3 masked; more takes `holdfast token step-up`, or a token that is bound to
    its holder's key: a thief cannot use it without that key.

    \b
    Examples:
      holdfast token create --person A1007 --networks 192.0.2.0/24 --expires 8h
      holdfast token create --person A1007 --jkt 0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I
      holdfast token create --service auditors-mirror --scope log:bank-01 > token.txt
    """
    if bool(person) is bool(service):
        raise InvalidInput("name either --person or --service", field="--person")
    if dpop_key and jkt:
        raise InvalidInput("name either --dpop-key or --jkt", field="--jkt")
    if dpop_key:
        jkt = bindings.thumbprint_of_key(dpop_key, "--dpop-key")
    bounds = Bounds(
        networks=checked_networks(split(networks)),
        device=device,
        client=client,
        scopes=tuple(split(scopes)),
        via=via,
        jkt=bindings.checked_thumbprint(jkt, "--jkt") if jkt else "",
        x5t=bindings.thumbprint_of_certificate(certificate, "--certificate") if certificate else "",
    )
    with opened_house() as house:
        issued = house.transact(
            tokens.create_for_person(house, person, life_us=life_us, bounds=bounds)
            if person
            else tokens.create_for_service(house, service, life_us=life_us, bounds=bounds)
        )
    if service and not bounds.scopes:
        say("This token has no scope: it is accepted and may do nothing. Name --scope log:CLIENT.")
    also = {"id": issued.id, "expires": rfc3339(issued.expires_us)}
    emit_secret("token", issued.secret.reveal(), as_json=as_json, also=also)


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@json_option
def key(*, file: Path, as_json: bool) -> None:
    """Make a key for the holder of a token in FILE, if there is none, and print its thumbprint.

    The key is for DPoP (RFC 9449). It stays with its holder, readable for nobody else; who issues the token needs the
    thumbprint only.

    \b
    Examples:
      holdfast token key ~/.holdfast-key.pem
    """
    if not file.exists():
        create_file(file, bindings.new_key_file().reveal())
        say(f"Made {file}; keep it where only you read it.")
    emit({"thumbprint": bindings.thumbprint_of_key(file, "FILE")}, as_json=as_json)


@click.command()
@click.option("--person", default="", metavar="ID", help="Only this person's.")
@click.option("--service", default="", metavar="NAME", help="Only this service's.")
@click.option("--all", "everything", is_flag=True, help="Also expired and revoked ones.")
@json_option
def list_all(person: str, service: str, everything: bool, as_json: bool) -> None:
    """List tokens: whose, until when, bound to what. Secrets are not stored, so none is shown.

    \b
    Examples:
      holdfast token list
      holdfast token list --person A1007 --all --json
    """
    with opened_house() as house:
        found = house.transact(
            tokens.list_tokens(house, person=person, service=service, everything=everything)
        )
        now_us = house.clock.now_us()
    emit([_token(token, now_us) for token in found], as_json=as_json)
    if not as_json and len(found) == tokens.MOST_LISTED:
        say(f"The first {tokens.MOST_LISTED} are shown.")


def _token(token: tokens.Token, now_us: int) -> dict[str, Any]:
    return {
        "id": token.id,
        "kind": token.kind,
        "holder": token.holder,
        "state": token.state(now_us),
        "expires": rfc3339(token.expires_us),
        "client": token.client,
        "networks": list(token.networks),
        "device": token.device,
        "key": token.jkt,
        "certificate": token.x5t,
        "via": token.via,
        "scopes": list(token.scopes),
    }


@click.command()
@click.argument("ident", metavar="TOKEN-ID", required=False)
@click.option("--person", default="", metavar="ID", help="All live tokens of this person.")
@json_option
def revoke(ident: str | None, person: str, as_json: bool) -> None:
    """Revoke a token, from the next request on. TOKEN-ID is crd_…, or - to read a found secret from standard input.

    Everybody may revoke their own.

    \b
    Examples:
      holdfast token revoke crd_01kb…
      holdfast token revoke --person A1007
      holdfast token revoke - < found.txt
    """
    if bool(ident) is bool(person):
        raise InvalidInput("name either a token's id or --person", field="TOKEN-ID")
    if ident and ident.startswith(("hft_", "hfs_")):
        raise InvalidInput(
            "that is a secret, which other accounts of this machine may have seen just now",
            field="TOKEN-ID",
            remedy="Give it on standard input: holdfast token revoke - < file",
        )
    with opened_house() as house:
        if person:
            gone = house.transact(tokens.revoke_of_person(house, person))
        elif ident == "-":
            gone = [house.transact(tokens.revoke_secret(house, sys.stdin.readline(256).strip()))]
        else:
            gone = [house.transact(tokens.revoke_token(house, ident or ""))]
    emit({"revoked": [token.id for token in gone]}, as_json=as_json)


@click.command()
@click.argument("challenge")
@json_option
def step_up(challenge: str, as_json: bool) -> None:
    """Answer a step-up challenge with a second token: five minutes, for that person, client and contact only.

    Another person than the one who asked does this (a lead of the same client, security or an administrator), after
    making sure who it is; their reference stands in the client's log. The token is sent beside the first one, in the
    header `Holdfast-Step-Up: Bearer …`.

    \b
    Examples:
      holdfast token step-up stp_01kb…
    """
    with opened_house() as house:
        issued, staff_id = house.transact(tokens.step_up(house, challenge))
    also = {"id": issued.id, "person": staff_id, "expires": rfc3339(issued.expires_us)}
    emit_secret("token", issued.secret.reveal(), as_json=as_json, also=also)
