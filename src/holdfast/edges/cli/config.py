"""``holdfast config explain``."""

from __future__ import annotations

import click

from holdfast.kit.config import load_settings
from holdfast.kit.terminal import emit, json_option


@click.command()
@json_option
def explain(as_json: bool) -> None:
    """Show every setting with its value, where the value came from, and the default.

    A secret is never printed, only whether it is set.

    \b
    Examples:
      holdfast config explain
      HOLDFAST_CONSOLE_PORT=9000 holdfast config explain --json
    """
    rows = [row._asdict() for row in load_settings().explain()]
    shown = [{k: row[k] for k in ("key", "value", "source", "default", "env")} for row in rows]
    emit(rows if as_json else shown, as_json=as_json)
