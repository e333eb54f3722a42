"""What a request for approval is about: fields with how each is asked for, and names that no field can have. Pure.

What begins with one colon is told: ``:action``, ``:target``. What begins with two binds the approval and is told to
nobody: a keyed hash of new values, the id of a record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdfast.vocabulary.levels import ApprovalKind, Operation

if TYPE_CHECKING:
    from collections.abc import Mapping

ABOUT: Final = ":"
BOUND: Final = "::"
VALUES: Final = f"{BOUND}values"
RECORD: Final = f"{BOUND}record"
#: What can be approved by a decision's id, and as what it is asked for.
KINDS: Final[Mapping[Operation, ApprovalKind]] = {
    Operation.REVEAL: ApprovalKind.LOOK,
    Operation.UPDATE: ApprovalKind.LOOK,
    Operation.ACT: ApprovalKind.ACT,
    Operation.VERIFY: ApprovalKind.ATTEMPT,
}


def told(subject: Mapping[str, str]) -> dict[str, str]:
    """Return what of a subject stands in answers and leaves."""
    return {name: said for name, said in subject.items() if not name.startswith(BOUND)}


def fields_of(subject: Mapping[str, str]) -> list[str]:
    """Return the fields that a subject names."""
    return [name for name in subject if not name.startswith(ABOUT)]
