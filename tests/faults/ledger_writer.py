"""A process that appends and keeps logs until it is killed: ``python ledger_writer.py HOME ROUND``.

It prints the id of each leaf after the commit that holds it: an acknowledgement as a caller would get it.
"""

from __future__ import annotations

import sys
from pathlib import Path

from support.ledger import BANK, LedgerHouse
from support.stores import FakeClock

home, number = Path(sys.argv[1]), int(sys.argv[2])
clock = FakeClock()
clock.advance(number * 3_600_000_000)
house = LedgerHouse(home, clock, fresh=False)
house.count = number * 1_000_000
for turn in range(1_000_000):
    for leaf in house.append(BANK, 1 + turn % 7):
        sys.stdout.write(leaf.id + "\n")
    sys.stdout.flush()
    house.tick()
