"""What ends with a client: whatever let somebody or something reach it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.spine.approvals.store import END_GLASSES_OF_CLIENT, END_OF_CLIENT
from holdfast.spine.identity.store import END_CLIENT_ASSIGNMENTS, REVOKE_CLIENT
from holdfast.spine.purpose.store import END_CLIENT_CONTACTS
from holdfast.spine.signals.store import RETIRE_CLIENT_KEYS

if TYPE_CHECKING:
    from holdfast.kit.db import Query


def endings(client: str, now_us: int) -> tuple[Query, ...]:
    """Return the writes that end a client's assignments, tokens, feed keys, contacts and approvals.

    A service's token for the client's log stays: the log is still there to be read.
    """
    return (
        END_CLIENT_ASSIGNMENTS(client=client, now=now_us),
        REVOKE_CLIENT(client=client, now=now_us),
        RETIRE_CLIENT_KEYS(client=client, now_us=now_us),
        END_CLIENT_CONTACTS(client=client),
        END_OF_CLIENT(client=client, now_us=now_us),
        END_GLASSES_OF_CLIENT(client=client, now_us=now_us),
    )
