"""Reports of something odd: taken with or without a name, answered by security on a clock.

What was written is sealed under the console's key. The house's log gets a line that a report was made, without who made
it and without a word of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from django.db import transaction

from holdfast.kit.db import Round
from holdfast.kit.errors import InvalidInput, NotFound
from holdfast.kit.ids import new_id
from holdfast.procedures.culture.models import Report
from holdfast.procedures.culture.rules import MOST_TEXT, Kind, overdue
from holdfast.router import DATA
from holdfast.spine.ledger.recorder import append_signal
from holdfast.vocabulary.ids import HOUSE_LOG, REPORT
from holdfast.vocabulary.signals import Signal

if TYPE_CHECKING:
    from holdfast.kit.db import Work
    from holdfast.spine.house import House

_KIND = "report"


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One report as its readers see it."""

    id: str
    person: str
    kind: Kind
    text: str
    at_us: int
    answered_us: int | None
    answer: str
    overdue: bool


def report(house: House, *, kind: str, text: str, person: str, contact: str = "") -> str:
    """Take a report; return its id. ``person`` is "" for one without a name.

    Raises :class:`InvalidInput`, naming the field, for an unknown kind, or nothing or too much written.
    """
    if kind not in set(Kind):
        raise InvalidInput("choose what it is about", field="kind")
    if not 0 < len(text.strip()) <= MOST_TEXT:
        raise InvalidInput(f"write from 1 to {MOST_TEXT} characters", field="text")
    now_us = house.clock.now_us()
    ident = new_id(REPORT, now_us)
    with transaction.atomic(using=DATA):
        Report.objects.create(
            id=ident,
            person=person,
            kind=kind,
            sealed=house.console_key.seal(_KIND, text.strip().encode(), about=ident.encode()),
            contact=contact,
            at_us=now_us,
            answered_us=None,
            answered_by="",
            answer=b"",
        )
    house.transact(_told(ident, now_us))
    return ident


def _told(ident: str, now_us: int) -> Work[None]:
    yield Round(data=(append_signal(HOUSE_LOG, Signal.REPORT_MADE, now_us, subject=ident),))


def reports(house: House, *, person: str | None = None, limit: int = 100) -> list[Told]:
    """Return reports, the newest first: all, or those that one person made under their name."""
    found = Report.objects.order_by("-at_us")
    if person is not None:
        found = found.filter(person=person)
    now_us = house.clock.now_us()
    return [_read(house, one, now_us) for one in found[:limit]]


def answer(house: House, ident: str, text: str, *, by: str) -> None:
    """Answer a report. Raises :class:`InvalidInput` for an empty answer, :class:`NotFound` for no such report."""
    if not 0 < len(text.strip()) <= MOST_TEXT:
        raise InvalidInput(f"write from 1 to {MOST_TEXT} characters", field="answer")
    sealed = house.console_key.seal(_KIND, text.strip().encode(), about=f"{ident}/answer".encode())
    with transaction.atomic(using=DATA):
        done = Report.objects.filter(id=ident).update(
            answered_us=house.clock.now_us(), answered_by=by, answer=sealed
        )
    if not done:
        raise NotFound("no such report")


def _read(house: House, one: Report, now_us: int) -> Told:
    key = house.console_key
    said = bytes(one.answer)
    return Told(
        id=one.id,
        person=one.person,
        kind=Kind(one.kind),
        text=key.unseal(_KIND, bytes(one.sealed), about=one.id.encode()).decode(),
        at_us=one.at_us,
        answered_us=one.answered_us,
        answer=key.unseal(_KIND, said, about=f"{one.id}/answer".encode()).decode() if said else "",
        overdue=overdue(one.at_us, one.answered_us, now_us),
    )
