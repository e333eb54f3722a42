"""Reveals without HTTP, for a tool that counts: ``python -m bench.counted HOME COUNT CLIENTS``.

The house is one that :meth:`bench.house.BenchHouse.write_down` has written down, with its agents on their calls.
"""

from __future__ import annotations

import holdfast.kit.db.sqlite  # noqa: F401 - swaps in a safe SQLite before anything else opens one

import asyncio
import json
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.house import FIELDS, HOUSE_FILE
from holdfast.drills.bank.build import CLIENT, COLLECTION
from holdfast.edges.dataplane.receipts import Receipts
from holdfast.edges.dataplane.runner import runner_for
from holdfast.kit.config import load_settings
from holdfast.spine.decision.policies import warm
from holdfast.spine.house import open_house
from holdfast.spine.identity.credentials import hash_secret
from holdfast.spine.operations.reveal import reveal
from holdfast.spine.timekeeping import begin
from holdfast.spine.turn.answers import Asked, Revealed

if TYPE_CHECKING:
    from holdfast.spine.house import House


def asked(house: House, look: dict[str, str]) -> Any:
    """What makes the work of one look."""
    request = Asked(
        client=CLIENT,
        collection=COLLECTION,
        contact=look["contact"],
        secret_hash=hash_secret(look["token"]),
        peer="127.0.0.1",
    )
    return partial(reveal, house, request, look["customer"], FIELDS)


async def run(home: Path, count: int, clients: int) -> None:
    """Reveal ``count`` times, ``clients`` at once."""
    house = open_house(load_settings(home, {}))
    begin(house)
    house.read(warm(house.policies))
    looks = json.loads((home / HOUSE_FILE).read_text())
    works = [asked(house, look) for look in looks[:clients]]
    loop = asyncio.get_running_loop()
    runner = runner_for(house, loop, opens=house.keep_time, seals=Receipts(house).attach)
    await runner.open()
    for _ in range(count // clients):
        answers = await asyncio.gather(*map(runner.submit, works))
        assert all(isinstance(answer, Revealed) for answer in answers), answers
    await runner.close()


if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
