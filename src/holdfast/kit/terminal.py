"""How commands speak: data on standard output, talk on standard error, colours only where a person looks.

``NO_COLOR`` and a pipe switch colours and progress bars off. ``rich`` is imported only to draw a bar or a table on a
terminal, so that short commands start fast.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Protocol

import click

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import TextIO


class ExitCode(IntEnum):
    """What a command's exit code says; the same in every command."""

    OK = 0
    INTERNAL = 1  # our mistake; HOLDFAST_DEBUG=true shows the traceback
    REFUSED = 2  # usage, or input that does not make sense
    PARTIAL = 3  # done in part: some rows or lines were rejected
    NOT_AUTHENTICATED = 4  # consistent with itself, but nothing says who made it
    DENIED = 5  # a rule refuses, or the person may not do this
    INTEGRITY = 6  # stored or published state does not verify
    UNAVAILABLE = 7  # a part is missing or busy; nothing was done, try again
    HISTORY = 8  # a log was rolled back, or shows another history than it showed before
    PROMISE = 9  # a leaf that a receipt promised is not in the log


json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON on standard output, for programs."
)


def wants_colour(stream: TextIO) -> bool:
    """Tell whether a person looks at ``stream`` and has not asked for plain text (https://no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def paint(text: str, colour: str, *, stream: TextIO | None = None) -> str:
    """Colour ``text`` (``red``, ``green``, ``yellow``, ``dim``, ``bold``) if ``stream`` (default: stdout) shows it."""
    if not wants_colour(stream or sys.stdout):
        return text
    if colour in {"dim", "bold"}:
        return click.style(text, **{colour: True})
    return click.style(text, fg=colour)


def printable(text: str) -> str:
    """Return ``text`` with everything escaped that moves a cursor, breaks a line or turns the reading around.

    What others wrote (a bundle, a file's name) must not draw on the reader's screen.
    """
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape", "surrogatepass").decode()
        for one in text
    )


def say(text: str = "", *, colour: str = "") -> None:
    """Talk to the person: standard error, never data."""
    click.echo(paint(text, colour, stream=sys.stderr) if colour else text, err=True)


def emit(data: Any, *, as_json: bool, text: str | None = None) -> None:
    """Print the command's data on standard output.

    With ``as_json`` it is one JSON document, keys in their order; otherwise ``text``, or a plain rendering of a
    mapping (``key  value`` lines) or of a list of mappings (a table with aligned columns).
    """
    if as_json:
        click.echo(json.dumps(data, ensure_ascii=False, indent=2))
    elif text is not None:
        click.echo(text)
    elif isinstance(data, dict):
        click.echo(_pairs(data))
    elif isinstance(data, list | tuple):
        if data:
            click.echo(table(data))
    else:
        click.echo(str(data))


def emit_secret(label: str, secret: str, *, as_json: bool, also: Mapping[str, object]) -> None:
    """Print a secret that is shown this once: alone on standard output, so that it can be piped into a file."""
    if as_json:
        click.echo(json.dumps({**also, label: secret}, ensure_ascii=False, indent=2))
        return
    for key, value in also.items():
        say(f"{key}: {_shown(value)}")
    say(f"{label} (shown once, not stored in clear):")
    click.echo(secret)


def table(rows: Sequence[Mapping[str, object]]) -> str:
    """Lay out mappings with the same keys as aligned columns under a heading."""
    heads = list(rows[0])
    lines = [[_shown(row.get(head)) for head in heads] for row in rows]
    widths = [
        max(len(head), *(len(line[column]) for line in lines)) for column, head in enumerate(heads)
    ]

    def laid(cells: Sequence[str]) -> str:
        return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))

    body = [laid(line).rstrip() for line in lines]
    return "\n".join([paint(laid(heads).rstrip(), "bold"), *body])


def _pairs(data: Mapping[str, object]) -> str:
    width = max((len(key) for key in data), default=0)
    return "\n".join(f"{key.ljust(width)}  {_shown(value)}".rstrip() for key, value in data.items())


def _shown(value: object) -> str:
    match value:
        case None | "":
            return "–"
        case bool():
            return "yes" if value else "no"
        case list() | tuple():
            return ", ".join(str(item) for item in value) or "–"
        case _:
            return str(value)


class Progress(Protocol):
    """What long work tells while it runs; the core takes it as a parameter and never prints."""

    def advance(self, count: int) -> None:
        """``count`` more units are done."""
        ...

    def total(self, count: int | None) -> None:
        """The whole is ``count`` units (``None``: unknown)."""
        ...


class Quiet:
    """Progress that nobody sees."""

    def advance(self, count: int) -> None:
        """See :class:`Progress`."""

    def total(self, count: int | None) -> None:
        """See :class:`Progress`."""


class _Bar:
    def __init__(self, bars: Any, task: Any) -> None:
        self._bars = bars
        self._task = task

    def advance(self, count: int) -> None:
        self._bars.advance(self._task, count)

    def total(self, count: int | None) -> None:
        self._bars.update(self._task, total=count)


@contextmanager
def progress(label: str, *, total: int | None = None, unit: str = "rows") -> Iterator[Progress]:
    """Show a bar with rate and time left on a terminal's standard error; show nothing elsewhere."""
    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield Quiet()
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        ProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Bars
    from rich.text import Text

    class Rate(ProgressColumn):
        """Units in a second, over the last stretch."""

        def render(self, task: Any) -> Text:
            speed = task.finished_speed or task.speed
            return Text("" if speed is None else f"{speed:,.0f} {unit}/s")

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True, no_color=not wants_colour(sys.stderr))
    with Bars(*columns, console=console, transient=True) as bars:
        yield _Bar(bars, bars.add_task(label, total=total))
