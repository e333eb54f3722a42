"""``holdfast export open``: what a recipient runs on their own machine. No Django, no database, no network."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from holdfast.kit.errors import InvalidInput
from holdfast.kit.terminal import say


@click.command("open")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--key",
    "key_file",
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Your private key, PEM, as `openssl genpkey -algorithm x25519` makes it.",
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
