"""The addresses at which is read what a log says of one reference, and how much it says of what."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from holdfast.edges.dataplane.app import Route, json_reply
from holdfast.kit.errors import InvalidInput
from holdfast.spine.operations.log_reading import (
    MOST_DAYS,
    MOST_LEAVES,
    read_tally,
    read_timeline,
)

if TYPE_CHECKING:
    from holdfast.edges.dataplane.app import Reply, Request
    from holdfast.edges.dataplane.runner import Runner
    from holdfast.spine.house import House

_DAYS: Final = 7
_LONGEST_REFERENCE: Final = 64
_MOST_DIGITS: Final = 15
_LAST_INDEX: Final = 10**_MOST_DIGITS - 1


class LogReading:
    """Bound to one house and its runner."""

    def __init__(self, house: House, runner: Runner) -> None:
        self._house = house
        self._runner = runner

    def routes(self) -> tuple[Route, ...]:
        """The table of addresses."""
        return (
            Route("GET", "/v1/logs/{log}/timeline", self.timeline, "What a log says of somebody"),
            Route("GET", "/v1/logs/{log}/tally", self.tally, "How much a log says of what"),
        )

    async def timeline(self, request: Request, parts: dict[str, str]) -> Reply:
        """GET /v1/logs/{log}/timeline."""
        caller = request.caller()
        given = request.query("reference", "before", "limit")
        reference = given.get("reference", "")
        if not 0 < len(reference) <= _LONGEST_REFERENCE or not reference.isprintable():
            raise InvalidInput("a reference or id that stands in leaves", field="reference")
        work = partial(
            read_timeline,
            *(self._house, caller, parts["log"], reference),
            before=_number(given, "before", _LAST_INDEX),
            most=_number(given, "limit", MOST_LEAVES) or MOST_LEAVES,
        )
        return json_reply(await self._runner.submit(work))

    async def tally(self, request: Request, parts: dict[str, str]) -> Reply:
        """GET /v1/logs/{log}/tally."""
        caller = request.caller()
        days = _number(request.query("days"), "days", MOST_DAYS) or _DAYS
        work = partial(read_tally, self._house, caller, parts["log"], days=days)
        return json_reply(await self._runner.submit(work))


def _number(given: dict[str, str], name: str, most: int) -> int | None:
    """Read a whole number from 1 on; None where it was not given."""
    text = given.get(name)
    if text is None:
        return None
    whole = text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS
    if not whole or not 1 <= int(text) <= most:
        raise InvalidInput(f"a whole number from 1 to {most}", field=name)
    return int(text)
