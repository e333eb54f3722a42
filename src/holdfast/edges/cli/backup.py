"""``holdfast backup`` and ``holdfast restore``."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from holdfast.edges.cli.context import open_house_from
from holdfast.kit.clock import rfc3339
from holdfast.kit.config import load_settings
from holdfast.kit.errors import Conflict, HoldfastError, InvalidInput, NotFound
from holdfast.kit.terminal import emit, json_option, say
from holdfast.vocabulary.acts import Act

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.kit.config import Settings
    from holdfast.kit.db import Work
    from holdfast.spine.administration.scene import Scene
    from holdfast.spine.house import House
    from holdfast.spine.recovery.backup import Backup
    from holdfast.spine.recovery.run import Recovered

_FOLDER = click.Path(file_okay=False, path_type=Path)
_EXISTING = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.argument("folder", metavar="DIR", type=_FOLDER)
@click.option(
    "--include",
    type=click.Choice(["root", "signing"]),
    multiple=True,
    help="Also copy the root key, or the signing keys and memory. With both stores they are everything.",
)
@json_option
@click.pass_context
def backup(ctx: click.Context, *, folder: Path, include: tuple[str, ...], as_json: bool) -> None:
    """Copy both stores of this house to DIR, a new folder, as they are at one moment. The house may be serving.

    The root key and the signing keys are not in it unless named: whoever has them and the stores can read everything,
    so keep them apart. Mirror `logs/` elsewhere as well: what happens after the copy is put back from there.

    \b
    Examples:
      holdfast backup /srv/backup/monday
      holdfast backup /media/safe/keys-and-all --include root --include signing
    """
    from holdfast.spine.administration.scene import administer
    from holdfast.spine.recovery.backup import make_backup

    house = open_house_from(ctx)
    house.transact(administer(house, Act.BACKUP))
    made = make_backup(house, folder, include=include)
    house.transact(_told(house, made, sorted(set(include))))
    emit(
        {"folder": str(folder), "made_at": made.made_at, "files": made.files, "heads": made.heads},
        as_json=as_json,
        text=f"Both stores as of {made.made_at}, {made.leaves} leaves, in {folder}",
    )
    if include:
        say("With what was included, this folder opens everything: guard it.", colour="yellow")


def _told(house: House, made: Backup, included: list[str]) -> Work[None]:
    from holdfast.spine.administration.scene import administer, tell_in
    from holdfast.spine.recovery.backup import DATA, KEYS
    from holdfast.vocabulary.ids import HOUSE_LOG
    from holdfast.vocabulary.leaves import LeafType

    scene = yield from administer(house, Act.BACKUP)
    yield from tell_in(
        scene,
        LeafType.BACKUP_MADE,
        (HOUSE_LOG,),
        data=made.files[DATA]["sha256"],
        keys=made.files[KEYS]["sha256"],
        included=included,
    )


@click.command()
@click.argument("folder", metavar="[DIR]", required=False, type=_EXISTING)
@click.option(
    "--repair",
    is_flag=True,
    help="Put no copy back: only bring the stores that are here up to what was published.",
)
@click.option(
    "--bundle",
    "bundles",
    type=_EXISTING,
    multiple=True,
    help="A copy of a log that somebody else kept: a client's export, or a mirror of a folder under logs/.",
)
@click.option(
    "--lose",
    "losing",
    metavar="LOG",
    multiple=True,
    help="Give up what was signed in this log and nobody has. A second person approves it; the log says so for ever.",
)
@json_option
def restore(
    folder: Path | None,
    *,
    repair: bool,
    bundles: tuple[Path, ...],
    losing: tuple[str, ...],
    as_json: bool,
) -> None:
    """Put the stores of a stopped house back from DIR, a folder that `holdfast backup` wrote.

    What is replaced is kept beside, in a folder `replaced-…`. Then what has happened since the copy is put back from
    the published logs: their lines stand again, erased customers are erased again, suspensions and revocations are
    done again, open contacts and approvals are closed. What widened since is not done again; it is listed. The restore
    is a line in every log that had a gap, and until all is done the house does not start.

    Interrupted, or with stores that were put back by hand: `--repair` goes on from where it stands.

    A line that was signed and never published is nowhere, once the store is lost that had it. `--lose` goes on without,
    if nobody has it: the client then answers nobody until its contract is published again; of the house's own log, all
    tokens of persons end.

    \b
    Examples:
      holdfast restore /srv/backup/monday
      holdfast restore --repair
      holdfast restore --repair --bundle /media/bank-01-log
      holdfast restore --repair --lose client-bank-01
    """
    from holdfast.edges.cli.house import give_roles

    if (folder is None) is not repair:
        raise InvalidInput(
            "say either which copy to put back, or --repair",
            field="DIR",
            remedy="holdfast restore DIR, or holdfast restore --repair",
        )
    settings = load_settings()
    _require_home(settings)
    done = _restored(settings, folder, bundles, losing)
    if not settings.embedded:
        give_roles(settings)
    emit(_as_data(done), as_json=as_json, text=_as_text(done))
    if not done.gaps:
        say("Nothing to do: the stores reach everything that was signed.")
        return
    say("The house may start. What stands above was not done again: look at it.")


def _require_home(settings: Settings) -> None:
    """Raise :class:`NotFound` where there is nothing that a copy could be put back to; no lock is made there."""
    from holdfast.spine.ledger.keys import FOLDER

    if not (settings.home / FOLDER).is_dir():
        raise NotFound(
            f"no house in {settings.home}: it has no signing keys",
            remedy="Put root.key and the folder signing back from their safe copy first, or set HOLDFAST_HOME.",
            code="no_house",
        )


def _restored(
    settings: Settings,
    folder: Path | None,
    bundles: tuple[Path, ...],
    losing: tuple[str, ...],
) -> Recovered:
    from holdfast.spine.house import open_house
    from holdfast.spine.recovery.alone import alone
    from holdfast.spine.recovery.run import recover
    from holdfast.spine.recovery.swap import swap_under_way

    with alone(settings):
        if folder is not None:
            if swap_under_way(settings.home) is not None:
                raise Conflict(
                    "another restore is under way",
                    remedy="End it first: holdfast restore --repair",
                    code="restore_under_way",
                )
            _begin(settings, folder)
        with closing(open_house(settings)) as house:
            return recover(house, by=_acting, bundles=bundles, losing=losing, consent=_agreed)


def _agreed(house: House, what: Sequence[str], summary: dict[str, Any]) -> str:
    """Ask for a second person, who approves exactly this; the command is run again then, as a repair."""
    from holdfast.spine.administration.scene import administer, digest_of

    scene = house.transact(administer(house, Act.RESTORE, digest=digest_of(*what), summary=summary))
    return scene.second


def _begin(settings: Settings, folder: Path) -> None:
    """Ask who may restore, and begin.

    The stores that are here say so, with a second person. Where they are lost or damaged, the copy itself is asked, and
    the second person at the end, before the house serves; if the copy knows nobody else who might, the lines in the
    logs say that there was none.
    """
    from holdfast.spine.house import open_house
    from holdfast.spine.recovery.backup import read_backup
    from holdfast.spine.recovery.swap import begin_swap

    with closing(open_house(settings)) as house:
        made = read_backup(folder, house.signing_keys)
        scene = _judged(house, made)
        now_us = house.clock.now_us()
    by, second = scene.acting.person, scene.second
    begin_swap(settings, made, by=by, second=second, asks=not second, now_us=now_us)


def _judged(house: House, made: Backup) -> Scene:
    from holdfast.kit.db.shell import drive
    from holdfast.kit.db.sqlite import read_only
    from holdfast.spine.administration.scene import Scene, administer, digest_of, enter
    from holdfast.spine.recovery.backup import DATA, KEYS
    from holdfast.spine.recovery.swap import is_sound

    if is_sound(house.settings):
        digests = [made.files[name]["sha256"] for name in (DATA, KEYS)]
        summary = {"made_at": made.made_at, "leaves": made.leaves}
        return house.transact(
            administer(house, Act.RESTORE, digest=digest_of(*digests), summary=summary)
        )
    with (
        closing(read_only(made.folder / DATA)) as data,
        closing(read_only(made.folder / KEYS)) as keys,
    ):
        acting = drive(enter(house, Act.RESTORE), data, keys).acting
    return Scene(acting, house.clock.now_us())


def _acting(house: House) -> str:
    """Who repairs, if it is a person that the store knows; a repair is not refused for want of one."""
    from holdfast.spine.identity.acting import named_person

    try:
        return house.read(named_person(house)).person
    except HoldfastError:
        return ""


def _as_data(done: Recovered) -> dict[str, Any]:
    return {
        "gaps": [
            {
                "log": gap.log,
                "from_size": gap.from_size,
                "to_size": gap.to_size,
                "from_time": rfc3339(gap.from_us) if gap.from_us else "",
                "to_time": rfc3339(gap.to_us) if gap.to_us else "",
                "source": gap.source,
                "erased": gap.erased,
                "narrowed": gap.narrowed,
                "not_redone": gap.not_redone,
                "lost": gap.lost,
            }
            for gap in done.gaps
        ],
        "not_redone": [
            {"log": one.log, "index": one.at, "type": one.type, "says": one.says}
            for one in done.listed
        ],
    }


def _as_text(done: Recovered) -> str:
    lines = []
    for gap in done.gaps:
        lines.append(
            f"{gap.log}: leaves {gap.from_size} to {gap.to_size} put back ({gap.source});"
            f" erased again {gap.erased}, narrowed again {gap.narrowed}, not redone {gap.not_redone}"
            + (f"; {gap.lost} leaves after them are lost" if gap.lost else "")
        )
        lines += [
            f"  leaf {one.at}  {one.type}  {one.says}" for one in done.listed if one.log == gap.log
        ]
    return "\n".join(lines)
