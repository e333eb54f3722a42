"""``holdfast policy check``, ``test`` and ``publish``."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from holdfast.kit.errors import InvalidInput, NotFound
from holdfast.kit.terminal import ExitCode, emit, json_option, paint, say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.procedures.protocols.services.contracts import Checked, Stand
    from holdfast.spine.decision.cases import Result
    from holdfast.spine.house import House

_LOOK_FIRST: Final = (
    "Before it is approved: holdfast policy diff {client} --contract {path} says "
    "which real decisions it would change."
)
_BEFORE_THE_NEXT: Final = (
    "Before the next one: holdfast policy diff CLIENT --contract FILE says "
    "which real decisions it would change."
)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
contract_option = click.option(
    "--contract", "path", type=_FILE, help="A contract.toml; without it, the one in force."
)


@click.command()
@click.argument("client", required=False)
@contract_option
@json_option
def check(client: str | None, path: Path | None, as_json: bool) -> None:
    """Compile a contract into policies, say what it would change, and run its own tests. Nothing is written.

    Names of collections and fields are looked up if the client has collections. A contract can be checked without a
    house. Without CLIENT and --contract, every client's contract in force is checked.

    \b
    Examples:
      holdfast policy check --contract contract.toml
      holdfast policy check bank-01 --contract contract.toml --json
      holdfast policy check
    """
    found = _checked(client, path)
    emit([_check_data(one) for one in found], as_json=as_json, text=_text(found, _check_text))
    if path is not None and any(one.changes for one in found):
        say("Which real decisions it would change: holdfast policy diff CLIENT --contract FILE")
    _exit(found)


@click.command()
@click.argument("client", required=False)
@contract_option
@json_option
def test(client: str | None, path: Path | None, as_json: bool) -> None:
    """Run the tests that a contract brings along ([[test]]), and show how each situation is judged.

    Exits with 2 when one is judged otherwise than it expects.

    \b
    Examples:
      holdfast policy test --contract contract.toml
      holdfast policy test bank-01
    """
    found = _checked(client, path)
    data = [
        {"client": one.contract.client, "tests": [_result_data(r) for r in one.results]}
        for one in found
    ]
    emit(data, as_json=as_json, text=_text(found, _test_text))
    _exit(found)


@click.command()
@click.argument("client", required=False)
@click.option(
    "--contract", "path", type=_FILE, required=True, help="The new version's contract.toml."
)
@click.option(
    "--signature",
    type=_FILE,
    help="The client's Ed25519 signature over the file; needed if the contract in force names a signing key.",
)
@json_option
def publish(client: str | None, path: Path, signature: Path | None, as_json: bool) -> None:
    """Put a new version of a client's contract in force, from the next decision on.

    It is checked and tested first; a failing test refuses it. What lets more be seen takes a second person: run it, let
    another administrator approve, run it again. The client sees the version in its log with all that it changes.
    `holdfast policy diff` says beforehand which real decisions of the last days it would have changed.

    \b
    Examples:
      holdfast policy publish bank-01 --contract contract.toml
      holdfast policy publish bank-01 --contract contract.toml --signature contract.sig
    """
    from holdfast.procedures.protocols.services import contracts
    from holdfast.spine.administration.second import NeedsSecondPerson

    text = read_contract(path)
    with opened_house() as house:
        stand = house.read(contracts.stand_of(house, client or client_of(text)))
        checked, made = contracts.prepared(
            text, signature.read_bytes() if signature else b"", stand
        )
        try:
            done = house.transact(contracts.published(house, made))
        except NeedsSecondPerson:
            say(_LOOK_FIRST.format(client=made.contract.client, path=path))
            raise
    data = {
        "client": done.client,
        "contract_version": done.version,
        "policies": done.policies,
        "signed": done.signed,
        "changed": done.changed,
        "changes": [change._asdict() for change in checked.changes],
    }
    emit(data, as_json=as_json, text=_changes_text(checked) or "no change in what it allows")
    if done.changed:
        say(f"Version {done.version} of {done.client}'s contract is in force.")
        if checked.changes:
            say(_BEFORE_THE_NEXT)
    else:
        say(f"Nothing to do: this is version {done.version}, which is in force.")


def _checked(client: str | None, path: Path | None) -> list[Checked]:
    from holdfast.procedures.protocols.services import contracts

    if path is not None:
        text = read_contract(path)
        return [contracts.check_contract(text, _stand_or_none(client or client_of(text), client))]
    with opened_house() as house:
        ids = (client,) if client else house.read(contracts.client_ids(house))
        stands = [house.read(contracts.stand_of(house, ident)) for ident in ids]
    return [contracts.check_contract(stand.text, stand) for stand in stands]


def _stand_or_none(client: str, asked: str | None) -> Stand | None:
    """What the client has; None when it need not exist: nobody asked for it by name, or there is no house."""
    from holdfast.procedures.protocols.services import contracts

    try:
        with opened_house() as house:
            return house.read(contracts.stand_of(house, client))
    except NotFound as error:
        if asked or not contracts.unknown_client(error):
            raise
        say("No such client here: names of collections and fields are not looked up.", colour="dim")
        return None


def client_of(text: str) -> str:
    """Return the client whom a contract names."""
    from holdfast.spine.decision.contract import compile_contract

    return compile_contract(text).client


def read_contract(path: Path) -> str:
    """Read a contract's file; :class:`InvalidInput` when it is not UTF-8."""
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidInput(f"{path} is not UTF-8", field="contract") from None


@contextmanager
def opened_house() -> Iterator[House]:
    """Open the house of the settings for a while."""
    from holdfast.kit.config import load_settings
    from holdfast.spine.house import open_house

    house = open_house(load_settings())
    try:
        yield house
    finally:
        house.close()


def _check_data(one: Checked) -> dict[str, Any]:
    return {
        "client": one.contract.client,
        "contract": one.contract.digest,
        "in_force": one.in_force,
        "policies": one.policies.digest,
        "rules": len(one.policies),
        "fields_looked_up": one.looked_up,
        "changes": [change._asdict() for change in one.changes],
        "tests": [_result_data(result) for result in one.results],
    }


def _result_data(result: Result) -> dict[str, Any]:
    return {
        "name": result.case.name,
        "expected": result.case.expect,
        "found": result.found,
        "rules": list(result.rules),
        "passed": result.passed,
        "skipped": result.skipped,
    }


def _text(found: list[Checked], one: Any) -> str:
    return "\n\n".join(one(checked) for checked in found)


def _check_text(one: Checked) -> str:
    skipped = sum(bool(result.skipped) for result in one.results)
    ran = len(one.results) - skipped
    lines = [
        f"{one.contract.client}: {len(one.policies)} policies, {one.policies.digest[:16]}…",
        f"  tests: {ran - len(one.failed)} of {ran} as expected"
        + (f", {skipped} skipped" if skipped else ""),
    ]
    if not one.looked_up:
        lines.append("  names of collections and fields: not looked up")
    return "\n".join([*lines, *filter(None, [_changes_text(one)]), *_failures(one)])


def _changes_text(one: Checked) -> str:
    colours = {"wider": "yellow", "narrower": "green"}
    return "\n".join(
        f"  {paint(change.kind.ljust(9), colours.get(change.kind, 'dim'))} {change.where}: {change.text}"
        for change in one.changes
    )


def _failures(one: Checked) -> list[str]:
    return [_result_text(result) for result in one.failed]


def _test_text(one: Checked) -> str:
    heading = (
        f"{one.contract.client}: {len(one.results)} test{'' if len(one.results) == 1 else 's'}"
    )
    return "\n".join([heading, *(_result_text(result) for result in one.results)])


def _result_text(result: Result) -> str:
    if result.skipped:
        return f"  {paint('–', 'dim')} {result.case.name}: skipped, {result.skipped}"
    if result.passed:
        return f"  {paint('✓', 'green')} {result.case.name}: {result.found}"
    wanted = (
        f"{result.case.expect} because of {result.case.because}"
        if result.case.because
        else result.case.expect
    )
    rules = f" ({', '.join(result.rules)})" if result.rules else ""
    return (
        f"  {paint('✗', 'red')} {result.case.name}: expected {wanted}, found {result.found}{rules}"
    )


def _exit(found: list[Checked]) -> None:
    if any(one.failed for one in found):
        sys.exit(ExitCode.REFUSED)
