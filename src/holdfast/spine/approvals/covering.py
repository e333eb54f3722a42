"""Whether an approval is for exactly what is asked. Pure.

Who asks for less than was approved is covered; an attempt to verify is for exactly its fields, because a verdict over
fewer answers tells more. For anything else, or in any other state of things, the approval is as if it had not been
sent, and the reason says in a word why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.spine.approvals.subject import ABOUT, fields_of
from holdfast.vocabulary.levels import ApprovalKind, Presentation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.spine.approvals.requests import Request

SOMETHING_ELSE: Final = "the approval is for something else"
_STANDING: Final = {
    "asked": "the approval is not decided yet",
    "refused": "the approval was refused",
    "used": "the approval is used",
    "lapsed": "the approval has lapsed",
}
_WEIGHT: Final = {Presentation.WITHHELD: 0, Presentation.MASKED: 1, Presentation.CLEAR: 2}


class Sought(NamedTuple):
    """What is asked with an approval in the hand.

    ``fields`` says how each is asked for; ``about`` what else is asked (``subject.py``).
    """

    kind: ApprovalKind
    operation: str
    requester: str
    client: str
    contact: str
    customer: str
    reason: str
    collection: str
    policies: str
    fields: Mapping[str, Presentation]
    about: Mapping[str, str] = {}


def uncovered(request: Request | None, sought: Sought, now_us: int) -> str:
    """Say why the approval does not count, in a few words; empty when it covers what is sought.

    An approval that does not exist is told like one for something else: whose it is, is not told.
    """
    if request is None or not _same(request, sought):
        return SOMETHING_ELSE
    standing = request.standing(now_us)
    if standing != "granted":
        return _STANDING[standing]
    if not request.approver_active:
        return "its approver may approve no longer"
    if request.policies != sought.policies:
        return "the contract was changed since it was approved"
    about = {name: said for name, said in request.subject.items() if name.startswith(ABOUT)}
    inside = all(_within(request.subject.get(name, ""), how) for name, how in sought.fields.items())
    if request.kind is ApprovalKind.ATTEMPT:
        inside = inside and set(fields_of(request.subject)) == set(sought.fields)
    something = bool(sought.fields or sought.about)
    return "" if something and inside and about == dict(sought.about) else SOMETHING_ELSE


def _same(request: Request, sought: Sought) -> bool:
    asked = (request.kind, request.operation, request.requester.person, request.client)
    about = (request.contact, request.customer, request.reason, request.collection)
    return (*asked, *about) == (
        *(sought.kind, sought.operation, sought.requester, sought.client),
        *(sought.contact, sought.customer, sought.reason, sought.collection),
    )


def _within(approved: str, how: Presentation) -> bool:
    return approved in _NAMES and _WEIGHT[how] <= _WEIGHT[Presentation(approved)]


_NAMES: Final = frozenset(item.value for item in Presentation)
