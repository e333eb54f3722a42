"""The user's own memory of logs: the last head that was verified with a key, by origin.

It stands in the user's state folder (``XDG_STATE_HOME``, else ``~/.local/state``). It is what shows a rollback or a
second history to somebody who has only one bundle at a time.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from holdfast.kit.clock import rfc3339
from holdfast.kit.errors import Unavailable
from holdfast.kit.files import write_durably
from holdfast.spine.ledger.checkpoint import Head, base64_text, from_base64
from holdfast.spine.ledger.tree import HASH_BYTES
from holdfast.spine.ledger.verify.reading import moment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from holdfast.spine.ledger.verify.report import Report


class Seen(NamedTuple):
    """A head that was verified before, and when."""

    head: Head
    at: str


class UserMemory:
    """Verified heads, one file for each origin, in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def last(self, origin: str) -> Seen | None:
        """The last verified head; :class:`Unavailable` when its file cannot be read as one."""
        path = self._path(origin)
        try:
            document = json.loads(path.read_bytes())
            root, size = from_base64(document["root"]), document["size"]
            at = moment(document["at"])
            same_log = document["origin"] == origin
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            raise _unreadable(path) from None
        proper = type(size) is int and size >= 0 and at is not None
        if not same_log or not proper or root is None or len(root) != HASH_BYTES:
            raise _unreadable(path)
        return Seen(Head(origin, size, root), document["at"])

    def remember(self, head: Head, now_us: int) -> None:
        """Keep ``head`` as the last verified one of its log; ``OSError`` when that cannot be written."""
        document = {
            "origin": head.origin,
            "size": head.size,
            "root": base64_text(head.root),
            "at": rfc3339(now_us),
        }
        write_durably(self._path(head.origin), json.dumps(document, indent=1).encode(), mode=0o600)

    def _path(self, origin: str) -> Path:
        return self._folder / f"{sha256(origin.encode()).hexdigest()}.json"


def _unreadable(path: Path) -> Unavailable:
    return Unavailable(
        f"the memory of earlier verifications cannot be read: {path}",
        remedy="Restore it. If you delete it, the next verification is a first sight again.",
    )


def state_folder(environ: Mapping[str, str], home: Path) -> Path:
    """Where the memory stands for this user (XDG Base Directory Specification)."""
    given = environ.get("XDG_STATE_HOME", "")
    base = type(home)(given) if given.startswith("/") else home / ".local" / "state"
    return base / "holdfast" / "verified"


def compare(
    report: Report, head: Head, roots: Mapping[int, bytes], *, earlier: Head, when: str
) -> bool:
    """Judge ``head`` against an earlier head of the same log; ``when`` says which, for people."""
    if head.size < earlier.size:
        report.history_broken(
            "rolled_back",
            f"the log was rolled back: it has {head.size} leaves, and {when} it had {earlier.size}",
        )
    elif head.size == earlier.size and head.root != earlier.root:
        report.history_broken(
            "split_view", f"two histories of {head.size} leaves: {when} the log had another root"
        )
    elif earlier.size and roots.get(earlier.size) != earlier.root:
        report.history_broken(
            "not_consistent",
            f"the first {earlier.size} leaves are not those that the log had {when}",
        )
    else:
        return True
    return False
