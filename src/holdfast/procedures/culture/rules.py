"""What a report is about, and by when it is answered. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from holdfast.kit.clock import HOUR_US

ANSWER_WITHIN_US: Final = 24 * HOUR_US
MOST_TEXT: Final = 4000


class Kind(StrEnum):
    """What somebody saw, as they would say it."""

    ODD_REQUEST = "odd_request"  # a caller, or a colleague, asked for what they should not
    OFFER = "offer"  # money or favours for data
    LOST = "lost"  # a device, a badge, a paper
    MISTAKE = "mistake"  # one's own, too: nobody is punished for telling
    OTHER = "other"


def overdue(at_us: int, answered_us: int | None, now_us: int) -> bool:
    """Tell whether a report should have been answered by now."""
    return answered_us is None and now_us - at_us > ANSWER_WITHIN_US
