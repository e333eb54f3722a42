"""The second person of an administrative act: asked for, found again by what exactly was approved, and taken once.

The command is simply run again. An approval is bound to who acts, the act, the clients, the person concerned and a
digest of all that the act would write: another file, another person, and it is another request.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, Protocol

from holdfast.kit.canonical import length_prefixed
from holdfast.kit.db import Round
from holdfast.kit.errors import Denied
from holdfast.spine.approvals.requests import Wanted, ask, granted, take
from holdfast.spine.approvals.rules import Party
from holdfast.vocabulary.levels import ApprovalKind

if TYPE_CHECKING:
    from holdfast.kit.clock import Clock
    from holdfast.kit.db import Work
    from holdfast.spine.identity.acting import Acting
    from holdfast.spine.identity.people import Member
    from holdfast.vocabulary.acts import Act

_LABEL: Final = b"holdfast/administration/v1"


class StillMay(Protocol):
    """Tells whether a person might do the act in question."""

    def __call__(self, person: str, *, now_us: int) -> Work[bool]:
        """Judge them as they are now."""
        ...


class NeedsSecondPerson(Denied):
    """The act would be allowed if a second person approved exactly this.

    The request for approval is written although the act is not; ``approval`` is its id from then on.
    """

    code = "approval_required"

    def __init__(self, wanted: Wanted, clock: Clock) -> None:
        super().__init__(
            f"{wanted.operation} takes a second person: nobody has approved exactly this yet",
            remedy="Let another administrator approve it, then run this command again.",
        )
        self.approval = ""
        self.aftermath = lambda: self._ask(wanted, clock)

    def _ask(self, wanted: Wanted, clock: Clock) -> Work[None]:
        self.approval = yield from ask(wanted, now_us=clock.now_us())
        self.remedy = (
            f"Let another administrator run: holdfast approval approve {self.approval}; "
            f"then run this command again."
        )


def wanted(
    act: Act,
    acting: Acting,
    clients: tuple[str, ...],
    *,
    member: Member | None,
    digest: bytes,
    summary: dict[str, Any] | None,
) -> Wanted:
    """What a second person would approve, and what they are shown of it."""
    concerned = member.id if member is not None else ""
    named = {"person": f"{member.employer}/{member.staff_id}"} if member is not None else {}
    parts = (acting.person, act.value, ",".join(clients), concerned)
    encoded = [part.encode() for part in parts]
    return Wanted(
        kind=ApprovalKind.ADMINISTER,
        operation=act.value,
        requester=Party(acting.person, acting.key, acting.credential),
        digest=sha256(length_prefixed(_LABEL, *encoded, digest)).digest(),
        clients=clients,
        summary={**named, **(summary or {})},
    )


def taken(what: Wanted, still_may: StillMay, *, now_us: int) -> Work[str]:
    """Use up an approval that was given for exactly this; return who gave it, "" when there is none.

    It counts only while ``still_may`` says that who gave it might do the act themselves.
    """
    for found in (yield from granted(what, now_us=now_us)):
        if not (yield from still_may(found.decided_by, now_us=now_us)):
            continue
        (rows,) = yield Round(data=(take(found, now_us=now_us),))
        if rows:
            return found.decided_by
    return ""
