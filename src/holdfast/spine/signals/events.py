"""The canonical event: one JSON object per line, strictly typed. Pure.

What a line says wrongly is told by a code and the name of the field, never by its value: a line may hold a customer's
telephone number, and reports and dead letters are read by people who must not see it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import msgspec
from msgspec import Meta

from holdfast.kit.errors import InvalidInput, TooLarge
from holdfast.spine.purpose.contact import Channel
from holdfast.spine.purpose.merge import EventType

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

MOST_BODY_BYTES: Final = 1024 * 1024
MOST_EVENTS: Final = 1000
MOST_LINE_BYTES: Final = 8 * 1024

_ID = r"^[A-Za-z0-9][A-Za-z0-9._:@/+-]*\Z"
Id = Annotated[str, Meta(max_length=128, pattern=_ID)]
OptionalId = Annotated[str, Meta(max_length=128, pattern=rf"{_ID}|^\Z")]
FieldName = Annotated[str, Meta(max_length=64, pattern=r"^[a-z][a-z0-9_]*\Z")]
Value = Annotated[str, Meta(min_length=1, max_length=512, pattern=r"^[^\x00-\x1f\x7f]*\Z")]


class Refusal(StrEnum):
    """Why a line was not taken in."""

    NOT_JSON = "not_json"
    LINE_TOO_LARGE = "line_too_large"
    MISSING_FIELD = "missing_field"
    UNKNOWN_FIELD = "unknown_field"
    INVALID_VALUE = "invalid_value"
    NO_OFFSET = "no_offset"
    OTHER_CLIENT = "other_client"
    OTHER_TYPE = "other_type"
    OTHER_PROGRAMME = "other_programme"
    OTHER_SITE = "other_site"
    UNKNOWN_QUEUE = "unknown_queue"
    UNKNOWN_REASON = "unknown_reason"
    UNKNOWN_PERSON = "unknown_person"
    UNKNOWN_IDENTIFIER = "unknown_identifier"
    TOO_LATE = "too_late"
    TOO_EARLY = "too_early"
    ID_REUSED = "id_reused"


class Rejected(msgspec.Struct, frozen=True):
    """A line that was not taken in: its number from 1, a code, and the field that is wrong."""

    line: int
    reason: Refusal
    field: str = ""


class Hint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """By what the feed knows the customer: one identifier. It becomes a reference at intake and is dropped."""

    by: Annotated[dict[FieldName, Value], Meta(min_length=1, max_length=1)]
    collection: FieldName | None = None

    def __repr__(self) -> str:
        return "Hint(…)"


class Event(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An event as a feed sends it. Ids are the sender's own; ``person`` is a staff id or ``per_…``."""

    id: Id
    type: EventType
    occurred_at: datetime
    client: Id
    contact: OptionalId = ""
    programme: OptionalId = ""
    queue: OptionalId = ""
    reason: OptionalId = ""
    person: OptionalId = ""
    site: OptionalId = ""
    channel: Channel = Channel.VOICE
    customer: Hint | None = None


_NEEDS: Final[dict[EventType, tuple[str, ...]]] = {
    EventType.QUEUED: ("contact", "queue"),
    EventType.CONNECTED: ("contact", "queue", "person"),
    EventType.LOGGED_IN: ("person",),
    EventType.LOGGED_OUT: ("person",),
}
_decode_event = msgspec.json.Decoder(Event).decode
_encode_event = msgspec.json.Encoder().encode
_decode_raw = msgspec.json.Decoder(msgspec.Raw).decode


class Line(NamedTuple):
    """One line of a body, as an adaptor hands it over: canonical JSON of one event, or why there is none."""

    number: int
    event: bytes
    refusal: Refusal | None = None


def split(body: bytes) -> Iterator[Line]:
    """Split a body that is one JSON object, or one per line (NDJSON); blank lines are skipped."""
    if len(body) > MOST_BODY_BYTES:
        raise TooLarge(f"the body is over {MOST_BODY_BYTES} bytes", field="body")
    text = body.removeprefix(b"\xef\xbb\xbf")
    if not text.strip():
        raise InvalidInput("the body holds no event", field="body")
    lines = text.split(b"\n")
    if len(lines) > 1 and _is_one_value(text):
        lines = [b" ".join(lines)]
    if len(lines) > MOST_EVENTS:
        raise TooLarge(f"the body has over {MOST_EVENTS} lines", field="body")
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield Line(number, line)


def _is_one_value(text: bytes) -> bool:
    """Tell whether a body of several lines is a single object, printed with line breaks."""
    try:
        _decode_raw(text)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def read(line: Line) -> Event | Rejected:
    """Read one line strictly."""
    if line.refusal is not None:
        return Rejected(line.number, line.refusal)
    if len(line.event) > MOST_LINE_BYTES:
        return Rejected(line.number, Refusal.LINE_TOO_LARGE)
    try:
        event = _decode_event(line.event)
    except msgspec.ValidationError as error:
        return _refused(line.number, str(error))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Rejected(line.number, Refusal.NOT_JSON)
    for name in _NEEDS.get(event.type, ("contact",)):
        if not getattr(event, name):
            return Rejected(line.number, Refusal.MISSING_FIELD, name)
    return event


_AT = re.compile(r" - at `\$\.?(.*?)`$")
_UNKNOWN = re.compile(r"unknown field `(.*?)`")
_MISSING = re.compile(r"missing required field `(.*?)`")
_PLAIN = re.compile(r"[a-z_]{1,32}(\.[a-z_]{1,32}){0,2}\Z")


def _refused(number: int, message: str) -> Rejected:
    at = _AT.search(message)
    unknown, missing = _UNKNOWN.search(message), _MISSING.search(message)
    named = unknown or missing
    at_path = at[1].replace("[...]", "") if at else ""  # [...]: some key or entry of it
    path = ".".join(part for part in (at_path, named[1] if named else "") if part)
    # A sender's own key could be anything, even a customer's number: only plain words are repeated.
    field = path if _PLAIN.match(path) else ""
    if unknown:
        return Rejected(number, Refusal.UNKNOWN_FIELD, field)
    return Rejected(number, Refusal.MISSING_FIELD if missing else Refusal.INVALID_VALUE, field)


def occurred_us(event: Event, zone: ZoneInfo | None, near_us: int) -> int | None:
    """Return the event's time in microseconds; None if it has no offset and the feed has no time zone.

    A local time that a change of clocks repeats is taken as the one nearer to ``near_us``, its arrival.
    """
    at = event.occurred_at
    if at.tzinfo is not None:
        return (at - _EPOCH) // _MICROSECOND
    if zone is None:
        return None
    both = [
        (at.replace(tzinfo=zone, fold=fold).astimezone(UTC) - _EPOCH) // _MICROSECOND
        for fold in (0, 1)
    ]
    return min(both, key=lambda us: abs(us - near_us))


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def canonical_bytes(event: Event) -> bytes:
    """Return the same bytes for the same event, however it was spaced: what tells a repeat from a reused id."""
    return bytes(_encode_event(event))
