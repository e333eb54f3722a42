"""``holdfast collection propose|add|list`` and ``holdfast import``."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from holdfast.kit.errors import InvalidInput, TooLarge
from holdfast.kit.terminal import ExitCode, emit, json_option, progress, say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.procedures.classification.services.importing import Outcome
    from holdfast.spine.house import House
    from holdfast.vocabulary.schema import CollectionSchema

_FILE = click.Path(path_type=Path)
_MOST_SCHEMA_BYTES = 256 * 1024
_MOST_REASONS = 10

encoding_option = click.option(
    "--encoding",
    default="",
    metavar="NAME",
    help="utf-8, utf-16-le, utf-16-be or cp1252, where it is not to be recognised.",
)
headerless_option = click.option(
    "--no-header", "headerless", is_flag=True, help="The first line is a record already."
)


@contextmanager
def opened_house() -> Iterator[House]:
    """Open the house of this command; imported only here, so that ``--help`` is quick."""
    from holdfast.kit.config import load_settings
    from holdfast.spine.house import open_house

    house = open_house(load_settings())
    try:
        yield house
    finally:
        house.close()


@click.command()
@click.argument("file", type=_FILE)
@encoding_option
@headerless_option
@json_option
def propose(file: Path, *, encoding: str, headerless: bool, as_json: bool) -> None:
    """Read a client's file and propose a schema for it.

    Prints a complete schema.toml with a reason and a confidence for each column. Read it, change what is wrong, then
    declare the collection with it. What a person must confirm is also said on standard error. No value of the file is
    printed. The file is CSV, TSV or NDJSON; encoding and layout are recognised. No house is needed.

    \b
    Examples:
      holdfast collection propose customers.csv > schema.toml
      holdfast collection propose export.txt --no-header --encoding cp1252
      holdfast collection propose customers.ndjson --json
    """
    from holdfast.procedures.classification.rules.render import as_data, as_toml
    from holdfast.procedures.classification.services.proposing import propose_for

    with progress(f"Reading {file.name}") as bar:
        proposal, sampled = propose_for(
            file, encoding=encoding, headerless=headerless, told=bar.advance
        )
    if as_json:
        emit(as_data(proposal, sampled), as_json=True)
    else:
        click.echo(as_toml(proposal, sampled), nl=False)
    for guess in proposal.guesses:
        for warning in guess.warnings:
            say(f"column {guess.column.position}{_called(guess.name)}: {warning}", colour="yellow")
    for warning in proposal.warnings:
        say(f"{file.name}: {warning}", colour="yellow")


def _called(name: str) -> str:
    return f" ({name})" if name else ""


@click.command()
@click.argument("client")
@click.argument("name")
@click.option("--schema", required=True, type=_FILE, help="The collection's schema.toml.")
@json_option
def add(client: str, name: str, *, schema: Path, as_json: bool) -> None:
    """Declare a collection of a client, or put a changed schema in force as its next version.

    The change is a leaf in the client's log. Refused are schemas that keep what may not be kept (card security codes,
    PINs), and changes that records already there could not follow: another class or type, a field taken away.

    \b
    Examples:
      holdfast collection add bank-01 customers --schema schema.toml
    """
    from holdfast.procedures.classification.services.declaring import declare

    text = _read_schema(schema)
    with opened_house() as house:
        done = declare(house, client, name, text)
    emit(
        {**_described(client, done.schema), "changed": not done.same, "notes": list(done.notes)},
        as_json=as_json,
        text=f"{client}/{name} version {done.schema.version}"
        + (" (in force already; nothing changed)" if done.same else ""),
    )
    for note in done.notes:
        say(note, colour="yellow")
    if done.before is None:
        say(f"Next: holdfast import {client}/{name} FILE")


def _read_schema(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_SCHEMA_BYTES + 1)
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}", field="schema") from None
    except UnicodeDecodeError:
        raise InvalidInput(f"{path} is not UTF-8 text", field="schema") from None
    if len(content) > _MOST_SCHEMA_BYTES:
        raise TooLarge(f"a schema has at most {_MOST_SCHEMA_BYTES // 1024} KiB", field="schema")
    return text


def _described(client: str, schema: CollectionSchema) -> dict[str, Any]:
    return {
        "client": client,
        "collection": schema.name,
        "version": schema.version,
        "digest": schema.digest,
        "owner": schema.owner,
        "fields": len(schema.fields),
        "classes": [one.name for one in schema.classes],
    }


@click.command("list")
@click.argument("client")
@json_option
def list_all(client: str, *, as_json: bool) -> None:
    """List a client's collections with their present version.

    \b
    Examples:
      holdfast collection list bank-01
    """
    from holdfast.procedures.classification.services.declaring import list_collections

    with opened_house() as house:
        found = house.transact(list_collections(house, client))
    emit([_described(client, schema) for schema in found], as_json=as_json)


@click.command("import")
@click.argument("target", metavar="CLIENT/NAME")
@click.argument("file", type=_FILE)
@click.option("--dry-run", is_flag=True, help="Say what would happen; write nothing.")
@click.option(
    "--rejects",
    type=_FILE,
    help="Where rejected rows are listed by line and reason (default: in the house's folder).",
)
@encoding_option
@headerless_option
@json_option
@click.pass_context
def import_(ctx: click.Context, /, target: str, file: Path, **given: Any) -> None:
    """Import a client's file (CSV, TSV, NDJSON; any size) into a collection.

    Rows are known by the schema's customer_ref and record_key: a second run changes nothing, a changed row makes a new
    version, a row of an erased customer is suppressed. An interrupted import goes on where it stopped when it is run
    again. Rejected rows are listed by line, field and reason; no value is printed or written anywhere in clear.

    Exit codes: 0 all rows are in · 3 some were rejected · 2 the file or the schema was refused, nothing was read.

    \b
    Examples:
      holdfast import bank-01/customers customers.csv --dry-run
      holdfast import bank-01/customers customers.csv
      holdfast import bank-01/customers delta.ndjson --rejects rejects.csv --json
    """
    from holdfast.procedures.classification.services.importing import Options, Target, import_file

    client, slash, name = target.partition("/")
    if not (client and slash and name) or "/" in name:
        raise click.UsageError("Name the target as CLIENT/NAME, such as bank-01/customers.")
    as_json = given.pop("as_json")
    with opened_house() as house, progress(f"Importing {file.name}") as bar:
        outcome = import_file(house, Target(client, name), file, options=Options(**given), told=bar)
    dry_run = given["dry_run"]
    emit(
        _outcome(outcome, Target(client, name), dry_run=dry_run),
        as_json=as_json,
        text=_summary(outcome, dry_run=dry_run),
    )
    _tell(outcome)
    if outcome.rejected:
        ctx.exit(ExitCode.PARTIAL)


def _outcome(outcome: Outcome, target: tuple[str, str], *, dry_run: bool) -> dict[str, Any]:
    counts = ("new", "changed", "unchanged", "suppressed", "rejected")
    return {
        "client": target[0],
        "collection": target[1],
        "schema_version": outcome.schema.version,
        "operation": outcome.operation or None,
        "dry_run": dry_run,
        "encoding": outcome.source.encoding,
        "layout": outcome.source.dialect.name,
        "resumed": outcome.resumed_at > 0,
        **{count: getattr(outcome, count) for count in counts},
        "rejects_file": str(outcome.rejects) if outcome.rejects else None,
        "reasons": [
            {"field": field, "reason": reason, "count": count}
            for (field, reason), count in outcome.reasons.most_common()
        ],
        "left_out": list(outcome.left_out),
        "warnings": outcome.warnings,
        "seconds": round(outcome.seconds, 3),
    }


def _summary(outcome: Outcome, *, dry_run: bool) -> str:
    would = "would be " if dry_run else ""
    return (
        f"{would}new {outcome.new:,}, {would}changed {outcome.changed:,}, unchanged {outcome.unchanged:,}, "
        f"suppressed {outcome.suppressed:,}, rejected {outcome.rejected:,}"
    )


def _tell(outcome: Outcome) -> None:
    if outcome.resumed_at:
        say(f"Went on after row {outcome.resumed_at:,}, where an earlier run had stopped.")
    for warning in outcome.warnings:
        say(warning, colour="yellow")
    for (field, reason), count in outcome.reasons.most_common(_MOST_REASONS):
        say(f"rejected {count:,}: {field + ': ' if field else ''}{reason}", colour="yellow")
    if len(outcome.reasons) > _MOST_REASONS:
        say(f"… and {len(outcome.reasons) - _MOST_REASONS} other reasons")
    if outcome.rejects:
        say(f"Rejected rows by line: {outcome.rejects}")
    if outcome.suppressed:
        say("Suppressed rows are of customers whose data were erased; they are not imported again.")
    read = outcome.position - outcome.resumed_at
    rate = f", {read / outcome.seconds:,.0f} a second" if outcome.seconds else ""
    say(f"{read:,} rows in {outcome.seconds:.1f} s{rate}.")
