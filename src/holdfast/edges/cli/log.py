"""``holdfast log export`` and ``log key``: what a client is given to check its log with."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from holdfast.edges.cli.context import open_house_from
from holdfast.kit.clock import monotonic_s
from holdfast.kit.errors import Conflict, IntegrityBroken, NotFound, Unavailable
from holdfast.kit.terminal import emit, json_option, say
from holdfast.vocabulary.acts import Act
from holdfast.vocabulary.ids import HOUSE_LOG, client_log

if TYPE_CHECKING:
    from holdfast.kit.db import Work
    from holdfast.spine.house import House

_PATIENCE_S: Final = 20.0
_LOOK_AGAIN_S: Final = 0.1


@click.command()
@click.argument("client")
@click.option(
    "--out",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder to write; an earlier export of the same log is brought up to date.",
)
@json_option
@click.pass_context
def export(ctx: click.Context, *, client: str, out: Path, as_json: bool) -> None:
    """Write a client's log to a folder: all leaves, certificates of erasure, keys, and a page that verifies it.

    The export is itself a leaf of the log, and the last one in the folder. The client checks it with
    `holdfast verify` or by opening verifier.html in a browser; both need the key from the contract.

    \b
    Examples:
      holdfast log export bank-01 --out bank-01-log
      holdfast verify bank-01-log --key 'KEY from the contract'
    """
    from holdfast.spine.ledger.export import export_bundle
    from holdfast.spine.ledger.files import log_folder

    house = open_house_from(ctx)
    log = client_log(client)
    leaf = house.transact(_recorded(house, client))
    _publish_up_to(house, log, leaf)
    done = export_bundle(
        log_folder(house.home, log),
        out,
        vkeys=house.signing_keys.vkeys(log),
        certificates=house.read(_certificates(client)),
    )
    emit(
        {"origin": done.origin, "size": done.size, "files": done.files, "out": str(out)},
        as_json=as_json,
        text=f"{done.origin}: {done.size} leaves in {out}",
    )
    say(f"Next: holdfast verify {out} --key KEY")


def _recorded(house: House, client: str) -> Work[str]:
    """Append the leaf that says who exports; returns its id."""
    from holdfast.kit.db import Round
    from holdfast.kit.ids import new_id
    from holdfast.spine.administration.scene import administer, digest_of
    from holdfast.spine.ledger import store
    from holdfast.spine.ledger.recorder import append
    from holdfast.vocabulary.ids import LEAF
    from holdfast.vocabulary.leaves import Leaf, LeafType

    scene = yield from administer(
        house, Act.LOG_EXPORT, clients=(client,), digest=digest_of(client)
    )
    log = client_log(client)
    yield from _known(client)
    (tree,) = yield Round(data=(store.TREE(log=log),))
    by = yield from scene.acting.reference(log)
    body = {"by": by, "size": tree[0][0] if tree else 0}
    leaf = Leaf(LeafType.LOG_EXPORTED, new_id(LEAF, scene.now_us), scene.now_us, body)
    yield Round(data=(append(log, leaf),))
    return leaf.id


def _publish_up_to(house: House, log: str, leaf: str) -> None:
    """Return when the leaf stands in the published log: by our own hand, or by that of the house's worker."""
    from holdfast.spine.ledger.registrar import Registrar

    try:
        with closing(Registrar(house, house.signing_keys)) as registrar:
            refused = registrar.tick().refused.get(log)
    except Conflict:
        _wait_for(house, log, leaf)
        return
    if refused:
        raise IntegrityBroken(refused, remedy="Nothing was exported. `holdfast doctor` says more.")


def _wait_for(house: House, log: str, leaf: str) -> None:
    from holdfast.spine.ledger.checkpoint import parse_head
    from holdfast.spine.ledger.files import log_folder
    from holdfast.spine.ledger.note import parse_note
    from holdfast.spine.ledger.proofs import locate
    from holdfast.spine.ledger.publish import published

    deadline = monotonic_s() + _PATIENCE_S
    while monotonic_s() < deadline:
        found = house.read(locate(log, leaf))
        note = published(log_folder(house.home, log))
        if found and note and parse_head(parse_note(note).text).size > found.index:
            return
        time.sleep(_LOOK_AGAIN_S)
    raise Unavailable(
        "the log's newest leaves are not published yet",
        remedy="The house's worker keeps the logs and does not get on; `holdfast doctor` says why.",
    )


def _certificates(client: str) -> Work[dict[str, bytes]]:
    """Certificates of erasure by file name."""
    from holdfast.kit.db import Round
    from holdfast.spine.vault.store import CLIENT_SHRED, SHREDS

    rows, whole = yield Round(data=(SHREDS(client=client), CLIENT_SHRED(client=client)))
    return {f"{row[1]}.json": row[-1].encode() for row in (*rows, *whole) if row[-1]}


@click.command()
@click.argument("client", required=False)
@json_option
@click.pass_context
def key(ctx: click.Context, *, client: str | None, as_json: bool) -> None:
    """Show the keys by which a client's log is verified; without CLIENT those of the house's own log.

    Ed25519 first, then ML-DSA-44. Give both to the client over a channel that you trust: they are what
    `holdfast verify --key` takes, one a line in a file.

    \b
    Examples:
      holdfast log key bank-01
      holdfast log key bank-01 > bank-01.keys
    """
    house = open_house_from(ctx)
    log = client_log(client) if client else HOUSE_LOG
    if client:
        house.read(_known(client))
    vkeys = house.signing_keys.vkeys(log)
    emit({"log": log, "vkeys": list(vkeys)}, as_json=as_json, text="\n".join(vkeys))


def _known(client: str) -> Work[None]:
    from holdfast.kit.db import Round
    from holdfast.spine.decision.store import CLIENT_STATE

    (rows,) = yield Round(data=(CLIENT_STATE(client=client),))
    if not rows:
        raise NotFound(
            f"there is no client {client}", remedy="`holdfast client list` names them all."
        )
