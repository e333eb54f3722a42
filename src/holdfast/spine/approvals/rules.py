"""Who may approve for whom, how often, and for how long. Pure.

* Nobody approves for themselves: not as the same person, not from the same device, not by the same credential, not
  where one person may have both credentials and, where the contract says so, not within the requester's reporting line.
* Within a shift one approver gives at most so many approvals, and at most so many to one requester.
* A request lapses by time alone; nothing has to run for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.kit.clock import DAY_US, HOUR_US, MINUTE_US
from holdfast.vocabulary.levels import ApprovalKind, Role

if TYPE_CHECKING:
    from collections.abc import Collection

SHIFT_US: Final = 12 * HOUR_US
LIFE_US: Final = 15 * MINUTE_US
LONG_LIFE_US: Final = DAY_US
NO_LIMIT: Final = 2**31
PAIR_AT_LEAST: Final = 4  # approvals of one requester in a shift, before a share means anything
PAIR_PERCENT: Final = 50
#: The kind that waits for somebody who is not beside the requester: a day to be decided, and a day to be used.
_PATIENT: Final = ApprovalKind.ADMINISTER


class Party(NamedTuple):
    """Somebody who asks or approves. An empty device or credential is one that is not known; it equals no other.

    ``device`` may hold several marks of one device, separated by spaces: its name, the key that it holds.
    """

    person: str
    device: str = ""
    credential: str = ""


class Limits(NamedTuple):
    """What a contract allows within a shift. ``other_line``: the approver is of another reporting line."""

    per_pair: int = 3
    per_approver: int = 12
    other_line: bool = False


UNLIMITED: Final = Limits(NO_LIMIT, NO_LIMIT)


def decide_by_us(kind: ApprovalKind, created_us: int) -> int:
    """Until when a request can be decided; of the short-lived kinds, also used."""
    return created_us + (LONG_LIFE_US if kind is _PATIENT else LIFE_US)


def use_by_us(kind: ApprovalKind, created_us: int, decided_us: int) -> int:
    """Until when a granted request can be used."""
    return decided_us + LONG_LIFE_US if kind is _PATIENT else created_us + LIFE_US


def dependence(
    requester: Party,
    approver: Party,
    *,
    other_line: bool = False,
    requester_line: Collection[str] = (),
    approver_line: Collection[str] = (),
    requester_seen_by: Collection[str] = (),
    approver_seen_by: Collection[str] = (),
) -> str:
    """Say why ``approver`` is not independent of ``requester``; empty when they are.

    The lines are the chains of leads above each. With ``other_line`` neither may stand in the other's. Who has seen a
    credential may act as its holder: nobody may have both.

    >>> dependence(Party("per_1"), Party("per_2"))
    ''
    >>> dependence(Party("per_1", "desk-7"), Party("per_2", "desk-7"))
    'same_device'
    """
    if approver.person == requester.person:
        return "same_person"
    if approver.credential and approver.credential == requester.credential:
        return "same_credential"
    if set(approver.device.split()) & set(requester.device.split()):
        return "same_device"
    hands = {requester.person, *requester_seen_by} & {approver.person, *approver_seen_by}
    if hands:
        return "one_hand"
    if other_line and (approver.person in requester_line or requester.person in approver_line):
        return "same_line"
    return ""


def on_call(
    named: Collection[str], *, staff_id: str, employer: str, roles: Collection[str]
) -> bool:
    """Tell whether somebody with these roles at the client is a user of it whom the contract names as on call.

    >>> on_call(["U7"], staff_id="U7", employer="bank", roles=["client_user"])
    True
    >>> on_call(["U7"], staff_id="U7", employer="house", roles=["agent"])
    False
    """
    return Role.CLIENT_USER in roles and bool({staff_id, f"{employer}/{staff_id}"} & set(named))


class Share(NamedTuple):
    """Of a requester's approvals in a shift: how many were given by one approver, and how many in all."""

    pair: int
    total: int

    @property
    def percent(self) -> int:
        """The pair's share, rounded down."""
        return 100 * self.pair // self.total if self.total else 0

    @property
    def odd(self) -> bool:
        """Whether one approver gave so much of it that somebody should look."""
        return self.total >= PAIR_AT_LEAST and self.percent >= PAIR_PERCENT
