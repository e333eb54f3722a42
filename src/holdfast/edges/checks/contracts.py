"""Checks of clients' contracts."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from holdfast.edges.checks.findings import doubtful
from holdfast.edges.checks.opened import require_stores
from holdfast.spine.decision.publish import clients
from holdfast.spine.house import open_house

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.kit.config import Settings
    from holdfast.vocabulary.manifest import Finding


def signed(settings: Settings) -> Iterator[Finding]:
    """Name the clients whose contract in force they have not signed: allowed, and to be known (SPINE 12)."""
    require_stores(settings)
    with closing(open_house(settings)) as house:
        found = [one.client for one in house.read(clients()) if not one.signature]
    if found:
        yield doubtful(
            f"unsigned: the contract in force of {', '.join(found)}",
            "Ask the client for a signing key ([client] signing_key), and publish a version that it has signed.",
        )
