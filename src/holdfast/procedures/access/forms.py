"""What people type on the command line: durations, moments, lists."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import click

from holdfast.kit.clock import DAY_US, HOUR_US, MINUTE_US, parse_rfc3339

if TYPE_CHECKING:
    from collections.abc import Iterable

_UNITS: Final = {"m": MINUTE_US, "h": HOUR_US, "d": DAY_US}
_DURATION: Final = re.compile(r"([1-9][0-9]{0,5})([mhd])")


class Duration(click.ParamType[int]):
    """``30m``, ``12h`` or ``7d``, as microseconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read it; click tells the person when it is none."""
        if isinstance(value, int):
            return value
        match = _DURATION.fullmatch(str(value))
        if not match:
            self.fail(f"{value!r} is no duration; write 30m, 12h or 7d.", param, ctx)
        return int(match[1]) * _UNITS[match[2]]


class Moment(click.ParamType[int]):
    """A time with its offset, as microseconds since the epoch."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read it; click tells the person when it is none."""
        if isinstance(value, int):
            return value
        try:
            return parse_rfc3339(str(value))
        except ValueError:
            self.fail(
                f"{value!r} is no time with an offset; write 2026-11-23T20:00:00+08:00.", param, ctx
            )


def split(values: Iterable[str]) -> list[str]:
    """Take apart what was given as ``a,b`` or by repeating the option."""
    return [part.strip() for value in values for part in value.split(",") if part.strip()]
