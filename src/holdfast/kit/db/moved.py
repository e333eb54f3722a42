"""A mark inside an SQLite store that is being moved elsewhere, or has been: whoever opens it is told so and refused.

It stands in the file, so that a copy of the file has it too. What it says is the note of whoever moves: JSON.
"""

from __future__ import annotations

import json
from typing import Any, Final

from holdfast.kit.errors import Conflict

TABLE: Final = "holdfast_moved"
_FLAG: Final = 0x486F4D76
MOVING: Final = "moving"
MOVED: Final = "moved"
Note = dict[str, Any]


def mark(raw: Any, note: Note) -> None:
    """Write the note; the caller owns the transaction. ``state`` is ``moving`` or ``moved``, ``to`` says where to."""
    raw.execute("CREATE TABLE IF NOT EXISTS holdfast_moved (note TEXT NOT NULL)")
    raw.execute("DELETE FROM holdfast_moved")
    raw.execute("INSERT INTO holdfast_moved (note) VALUES (?)", (json.dumps(note),))
    raw.execute(f"PRAGMA application_id = {_FLAG}")


def unmark(raw: Any) -> None:
    """Take the note away; the caller owns the transaction."""
    raw.execute("DROP TABLE IF EXISTS holdfast_moved")
    raw.execute("PRAGMA application_id = 0")


def note_of(raw: Any) -> Note | None:
    """Return the note, or None."""
    if raw.execute("PRAGMA application_id").fetchone()[0] != _FLAG:
        return None
    note: Note = json.loads(raw.execute("SELECT note FROM holdfast_moved").fetchone()[0])
    return note


def refuse_moved(raw: Any) -> None:
    """Raise :class:`Conflict` when the store bears the mark."""
    note = note_of(raw)
    if note is None:
        return
    if note["state"] == MOVED:
        raise Conflict(
            f"this house has moved to {note['to']}; these are the stores that it left behind",
            remedy="Name the new ones in holdfast.toml (database_url, keys_url), and destroy these files.",
            code="house_moved",
        )
    raise Conflict(
        f"this house is being moved to {note['to']}",
        remedy="`holdfast move` goes on; `holdfast move --abandon` gives it up.",
        code="house_moving",
    )
