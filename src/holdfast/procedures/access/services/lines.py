"""Lines of work: the programmes and queues that clients' contracts name."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from holdfast.kit.db import Round
from holdfast.kit.errors import Conflict, InvalidInput, NotFound
from holdfast.procedures.access.services.assignments import Line
from holdfast.spine.decision.contract import compile_contract
from holdfast.spine.decision.store import CLIENTS, CONTRACT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.kit.db import Work


def find_line(text: str, client: str = "") -> Work[Line]:
    """Find the programme that ``text`` names: ``PROGRAMME``, or ``CLIENT/PROGRAMME`` where two clients have it.

    Reads contracts, so run it before the write transaction. Raises :class:`NotFound` with the nearest name, or
    :class:`Conflict` when several clients have such a programme.
    """
    before, slash, programme = text.rpartition("/")
    wanted = before if slash else client
    (rows,) = yield Round(data=(CLIENTS(),))
    ids = [row[0] for row in rows if not wanted or row[0] == wanted]
    if wanted and not ids:
        raise NotFound(
            f"no client {wanted}", remedy="`holdfast client list` shows the clients of this house."
        )
    lines: list[Line] = []
    for ident in ids:
        lines += yield from _lines(ident)
    found = [line for line in lines if line.programme == programme]
    if len(found) > 1:
        choices = ", ".join(f"{line.client}/{line.programme}" for line in found)
        raise Conflict(
            f"several clients have a programme {programme}",
            remedy=f"Say which: {choices}",
            code="ambiguous",
        )
    if not found:
        raise NotFound(
            f"no contract names a programme {programme}",
            remedy=_nearest(programme, sorted({line.programme for line in lines})),
        )
    return found[0]


def all_lines() -> Work[list[Line]]:
    """List every programme of every client. Reads contracts, so run it before the write transaction."""
    (rows,) = yield Round(data=(CLIENTS(),))
    found: list[Line] = []
    for row in rows:
        found += yield from _lines(row[0])
    return found


def _lines(client: str) -> Work[list[Line]]:
    (rows,) = yield Round(data=(CONTRACT(client=client),))
    if not rows:
        return []
    contract = compile_contract(rows[0][0])
    queues = contract.queues.values()
    return [
        Line(client, programme, tuple(q.id for q in queues if q.programme == programme))
        for programme in sorted(contract.programmes)
    ]


def _nearest(given: str, names: list[str]) -> str:
    near = difflib.get_close_matches(given, names, n=1)
    if near:
        return f"Did you mean {near[0]}?"
    return f"There is: {', '.join(names)}" if names else "Add a client with its contract first."


def check_queues(line: Line, queues: Iterable[str]) -> None:
    """Raise :class:`InvalidInput` when one of ``queues`` is none of the line's."""
    for queue in queues:
        if queue not in line.queues:
            raise InvalidInput(
                f"{line.client}/{line.programme} has no queue {queue}",
                field="queue",
                remedy=_nearest(queue, list(line.queues)),
            )
