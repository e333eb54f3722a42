"""``holdfast verify``: what a client runs on its own machine. No Django, no database, no network."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from holdfast.kit.clock import SystemClock
from holdfast.kit.errors import IntegrityBroken, InvalidInput
from holdfast.kit.terminal import emit, json_option, paint, printable, say
from holdfast.spine.ledger.note import MOST_BYTES, parse_vkey
from holdfast.spine.ledger.verify import Given, Outcome, verify_bundle
from holdfast.spine.ledger.verify.bundle import read_bounded
from holdfast.spine.ledger.verify.history import UserMemory, state_folder

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.spine.ledger.note import VerifierKey
    from holdfast.spine.ledger.verify import Report

_VERDICTS = {
    Outcome.AUTHENTIC: ("AUTHENTIC: whole, and signed by every key that was given.", "green"),
    Outcome.NOT_AUTHENTICATED: (
        "CONSISTENT WITH ITSELF, NOT AUTHENTICATED: nothing says who made it. Give --key.",
        "yellow",
    ),
    Outcome.BROKEN: ("BROKEN: do not rely on this log.", "red"),
    Outcome.HISTORY_BROKEN: (
        "ANOTHER HISTORY: whole in itself, but it contradicts what was seen before.",
        "red",
    ),
    Outcome.PROMISE_BROKEN: (
        "BROKEN PROMISE: a leaf that the house promised in writing is not in the log.",
        "red",
    ),
}


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--key",
    "keys",
    metavar="VKEY",
    multiple=True,
    help="Key of the log, or a file with one key a line; every key given must have signed.",
)
@click.option(
    "--since",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A checkpoint that you kept: the log must continue it.",
)
@click.option(
    "--receipt",
    "receipts",
    metavar="FILE",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="A saved answer, or its `leaf`: was the promised leaf written? Needs the Ed25519 key.",
)
@json_option
@click.pass_context
def verify(ctx: click.Context, /, folder: Path, *, as_json: bool, **given: Any) -> None:
    """Verify a log: an exported bundle, or a mirror of its published files.

    Every entry is hashed anew, every tile and the root compared, every signature of a key that you give checked, and
    the whole held against what was verified on this machine before. Nothing in the bundle is trusted: take the key
    from your contract, not from the bundle.

    \b
    Exit codes:
      0  authentic
      2  the input makes no sense: no log there, a mistyped key
      4  consistent with itself, not authenticated (no --key)
      6  broken: edited, cut or forged, or a given key did not sign
      7  the memory of earlier verifications cannot be read
      8  rolled back, or another history than was seen before
      9  whole, but a leaf that a genuine receipt promised is missing

    \b
    Examples:
      holdfast verify bundle --key 'house.example/1a2b3c4d/client-bank-01+9f8e7d6c+AZ…'
      holdfast verify bundle --key keys.txt --since last-month/checkpoint
      holdfast verify bundle --key keys.txt --receipt answer.json
      holdfast verify bundle --key keys.txt --json
    """
    if not folder.is_dir():
        raise InvalidInput(f"{folder} is not a folder", field="DIR")
    brought = _brought(**given)
    report = verify_bundle(folder, brought)
    emit(report.as_data(), as_json=as_json, text="\n".join(_text(report)))
    if not brought.keys and (folder / "vkeys").is_file() and not as_json:
        say("The bundle names keys in its file 'vkeys'. Compare them with your contract's first.")
    ctx.exit(report.outcome)


def _brought(keys: tuple[str, ...], since: Path | None, receipts: tuple[Path, ...]) -> Given:
    return Given(
        memory=UserMemory(state_folder(os.environ, Path.home())),
        now_us=SystemClock().now_us(),
        keys=tuple(dict.fromkeys(key for text in keys for key in _keys(text))),
        since=_read(since, "--since") if since else None,
        receipts=tuple((path.name, _read(path, "--receipt")) for path in receipts),
    )


def _keys(text: str) -> Iterable[VerifierKey]:
    """One key, or the keys in a file; a key holds ``+`` and a file of that name is not meant."""
    if "+" in text and not Path(text).is_file():
        return [parse_vkey(text)]
    content = _read(Path(text), "--key").decode(errors="replace")
    lines = [line.strip() for line in content.splitlines()]
    found = [parse_vkey(line) for line in lines if line and not line.startswith("#")]
    if not found:
        raise InvalidInput(f"{text} holds no key", field="--key")
    return found


def _read(path: Path, field: str) -> bytes:
    try:
        return read_bounded(path, MOST_BYTES)
    except (OSError, IntegrityBroken) as error:
        why = error.strerror if isinstance(error, OSError) else error.message
        raise InvalidInput(f"{path} cannot be read: {why}", field=field) from None


def _text(report: Report) -> Iterable[str]:
    """The report for a person. The verdict comes last, and nothing of the bundle can draw one of its own."""
    yield from map(printable, _lines(report))
    yield from (paint(printable(line), "red") for line in _wrong(report))
    yield paint(*_VERDICTS[report.outcome])


def _lines(report: Report) -> Iterable[str]:
    if report.origin:
        yield f"log      {report.origin}"
        span = f", {report.first_leaf} to {report.last_leaf}" if report.first_leaf else ""
        yield f"leaves   {report.size:,}{span}"
        yield f"root     {report.root}"
    for signer in report.signed_by:
        yield f"signed   {signer}"
    if report.signed_at:
        yield f"signed   at {report.signed_at}"
    if report.history:
        yield f"history  {report.history}"
    for certificate in report.certificates:
        state = "accepted" if certificate.accepted else "not accepted"
        yield f"erasure  {certificate.customer} ({certificate.file}): {state}; {certificate.says}"
    for receipt in report.receipts:
        yield f"receipt  {receipt.leaf} ({receipt.file}): {receipt.promise.value}; {receipt.says}"
    for note in report.notes:
        yield f"note     {note}"


def _wrong(report: Report) -> Iterable[str]:
    for finding in report.findings:
        yield f"WRONG    {finding.message} [{finding.code}]"
    if report.more_findings:
        yield f"WRONG    and {report.more_findings} more"
