"""``holdfast move``."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from holdfast.kit.config import load_settings
from holdfast.kit.db.address import PostgresDatabase, parse_address
from holdfast.kit.db.opening import is_there
from holdfast.kit.errors import Conflict, InvalidInput, NotFound
from holdfast.kit.terminal import emit, json_option, progress, say
from holdfast.vocabulary.acts import Act

if TYPE_CHECKING:
    from holdfast.kit.config import Settings
    from holdfast.kit.db.address import StoreAddress
    from holdfast.spine.recovery.moving import Moved, Route


@click.command()
@click.option("--to-data", metavar="URL", help="The database for records and logs, empty.")
@click.option("--to-keys", metavar="URL", help="The database for keys and indexes, empty.")
@click.option("--dry-run", is_flag=True, help="Say what would be moved, and examine the databases.")
@click.option("--abandon", is_flag=True, help="Give up a move that has not ended.")
@json_option
@click.pass_context
def move(
    ctx: click.Context,
    *,
    to_data: str | None,
    to_keys: str | None,
    dry_run: bool,
    abandon: bool,
    as_json: bool,
) -> None:
    """Move a stopped house from its SQLite files to two PostgreSQL databases, keys, logs and all.

    Every log is verified before and after, every table compared by digest. Interrupted, the same command goes on; until
    it has ended, neither the old house nor the new one is served. At the end the keys are destroyed in the old files,
    which then refuse to open, and so does any copy of them; holdfast.toml names the new databases.

    A password is not written on the command line: PGPASSFILE, ~/.pgpass or PGPASSWORD give it.

    \b
    Examples:
      holdfast move --to-data postgres://holdfast@db/data --to-keys postgres://holdfast@db/keys --dry-run
      holdfast move --to-data postgres://holdfast@db/data --to-keys postgres://holdfast@db/keys
      holdfast move                                         (goes on after an interruption)
      holdfast move --abandon
    """
    from holdfast.edges.cli.house import give_roles
    from holdfast.spine.recovery.alone import alone
    from holdfast.spine.recovery.moving import abandon as give_up
    from holdfast.spine.recovery.moving import route_of

    route = route_of(load_settings().home)
    source = _source(load_settings(), route)
    if abandon:
        with alone(source):
            give_up(source)
        say("The move is given up; the house may start. Drop the databases that it was to go to.")
        return
    target = _target(source, _addresses(route, to_data, to_keys))
    if dry_run:
        _rehearse(ctx, source, target, as_json=as_json)
        return
    with alone(source):
        done = _moved(source, target, route)
    give_roles(target)
    emit(
        {
            "to_data": str(target.data),
            "to_keys": str(target.keys),
            "rows": done.rows,
            "logs": done.leaves,
            "left": [str(path) for path in done.left],
        },
        as_json=as_json,
        text=f"Moved {sum(done.rows.values())} rows and {len(done.leaves)} logs, {sum(done.leaves.values())} leaves,"
        f" to {target.data} and {target.keys}",
    )
    say("The house may start. What is left behind has sealed records and no keys; destroy it:")
    say(f"  shred --remove {' '.join(map(str, done.left))}")


def _source(settings: Settings, route: Route | None) -> Settings:
    """The house in files: as configured, or as a move that is under way has found it."""
    from holdfast.kit.db.moved import MOVED
    from holdfast.spine.recovery.moving import stores_of

    if route is not None and route.state != MOVED:
        settings = stores_of(settings, route.data, route.keys)
    elif route is not None or not settings.embedded:
        raise Conflict(
            "this house stands in PostgreSQL already",
            remedy="Elsewhere it goes with `holdfast backup` and `holdfast restore`.",
            code="house_moved",
        )
    if not is_there(settings.data) or not is_there(settings.keys):
        raise NotFound(
            f"there is no house in {settings.home}",
            remedy="Make one with `holdfast init`.",
            code="no_house",
        )
    return settings


def _addresses(route: Route | None, to_data: str | None, to_keys: str | None) -> tuple[str, str]:
    """The addresses given, or those of the move under way; no others than those."""
    known = (route.to_data, route.to_keys) if route is not None else (None, None)
    given = (to_data or known[0], to_keys or known[1])
    if route is not None and given != known:
        raise InvalidInput(
            "another move is under way, to other databases",
            field="--to-data",
            remedy="`holdfast move` carries it to its end, `holdfast move --abandon` gives it up.",
            code="house_moving",
        )
    if given[0] is None or given[1] is None:
        raise InvalidInput(
            "name both databases",
            field="--to-data" if given[0] is None else "--to-keys",
            remedy="holdfast move --to-data postgres://user@host/data --to-keys postgres://user@host/keys",
        )
    return given[0], given[1]


def _target(source: Settings, addresses: tuple[str, str]) -> Settings:
    data, keys = (
        _address(raw, option, source)
        for raw, option in zip(addresses, ("--to-data", "--to-keys"), strict=True)
    )
    if str(data) == str(keys):
        raise InvalidInput("is the database of --to-data; the two are apart", field="--to-keys")
    return replace(source, data=data, keys=keys)


def _address(raw: str, option: str, source: Settings) -> StoreAddress:
    try:
        store = parse_address(raw, source.home)
    except ValueError as error:
        raise InvalidInput(str(error), field=option) from None
    if not isinstance(store, PostgresDatabase):
        raise InvalidInput("must be like postgres://user@host:5432/database", field=option)
    if urlsplit(raw.strip()).password is not None:
        raise InvalidInput(
            "has a password in it, which everybody on this machine can read",
            field=option,
            remedy="Leave it out, and let PGPASSFILE, ~/.pgpass or PGPASSWORD give it.",
        )
    return store


def _rehearse(ctx: click.Context, source: Settings, target: Settings, *, as_json: bool) -> None:
    from holdfast.kit.terminal import ExitCode
    from holdfast.spine.house import open_house
    from holdfast.spine.ledger.audit import recompute
    from holdfast.spine.recovery.moving import closing_old, plan, unfit

    rows = plan(source)
    with closing_old(source) as old:
        states = recompute(old, open_house(source).signing_keys)
    wrong = unfit(target)
    lines = [
        f"{which}: {sum(tables.values())} rows in {len(tables)} tables"
        for which, tables in rows.items()
    ]
    lines += [f"log {state.log}: {state.size} leaves, verified" for state in states]
    lines += [f"✗ {told}" for told in wrong]
    data: dict[str, Any] = {
        "rows": rows,
        "logs": {state.log: state.size for state in states},
        "unfit": wrong,
    }
    emit(data, as_json=as_json, text="\n".join(lines))
    if wrong:
        ctx.exit(ExitCode.REFUSED)
    say("Nothing was moved. The databases can take the house.")


def _moved(source: Settings, target: Settings, route: Route | None) -> Moved:
    from holdfast.spine.house import open_house
    from holdfast.spine.recovery.moving import Telling, move

    by = "" if route is not None else _allowed(source)
    with progress("moving") as bar:
        return move(open_house(source), target, by=by, telling=Telling(_say, bar))


def _allowed(source: Settings) -> str:
    """Who moves the house; raises where they may not."""
    from holdfast.spine.administration.scene import administer
    from holdfast.spine.house import open_house

    with closing(open_house(source)) as house:
        return house.transact(administer(house, Act.MOVE)).acting.person


def _say(step: str) -> None:
    say(f"· {step}", colour="dim")
