"""``holdfast export key`` and ``open``: what a recipient runs, on their own machine.

No house, no Django, no database, no network.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from holdfast.kit.errors import InvalidInput
from holdfast.kit.terminal import emit, json_option, say


@click.command("key")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=None,
    help="Make a key, and write its private half to this new file.",
)
@click.option(
    "--of",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    default=None,
    help="Print the public half of the key in this file again.",
)
@json_option
def key(*, out: Path | None, of: Path | None, as_json: bool) -> None:
    """Make the key to which exports are sealed for you. Its public half, which is printed, goes into the contract.

    The private half, PEM, is readable by you alone, and never leaves your machine. Without it nobody opens what was
    exported for you: keep a copy of it as you keep the data itself.

    \b
    Examples:
      holdfast export key --out me.pem
      holdfast export key --of me.pem
    """
    from holdfast.kit.files import create_file
    from holdfast.spine.actions.sealed_file import new_key, public_half

    if (out is None) is (of is None):
        raise InvalidInput("give either --out or --of", field="out")
    private = new_key().reveal() if of is None else of.read_bytes()
    try:
        public = public_half(private)
    except ValueError as error:
        raise InvalidInput(str(error), field="of") from None
    if out is not None:
        try:
            create_file(out, private)
        except FileExistsError:
            raise InvalidInput(
                f"{out} exists, and a key is never written over",
                field="out",
                remedy="Name another file, or print the public half of that key with --of.",
            ) from None
        say(f"The private half is in {out}. The public one is for the contract's [[export]]:")
    emit({"key": public}, as_json=as_json, text=public)


@click.command("open")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--key",
    "key_file",
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Your private key, PEM, as `holdfast export key` makes it.",
)
def open_export(file: Path, key_file: Path) -> None:
    """Open a sealed FILE of an export with your private key; its lines, JSON, go to standard output.

    An error after the first lines means that the file was cut off: what came is genuine, but not all.

    \b
    Examples:
      holdfast export open exp_01k8yhzq0x5k3t9d8q2m4n6p7r.hfex --key me.pem > customers.ndjson
    """
    from holdfast.spine.actions.sealed_file import open_file

    with file.open("rb") as sealed:
        try:
            for part in open_file(sealed, key_file.read_bytes()):
                sys.stdout.buffer.write(part)
        except ValueError as error:
            raise InvalidInput(str(error), field="key") from None
    sys.stdout.buffer.flush()
    say("Whole, and sealed to your key.")
