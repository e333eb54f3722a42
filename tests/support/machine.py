"""A machine whose wall clock somebody sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from holdfast.kit.clock import SECOND_US, SystemClock, Uptime
from support.stores import NOON_US

if TYPE_CHECKING:
    from support.bank import Bank


class Machine:
    """A wall clock that somebody sets, and a monotonic one that nobody does; ``boot`` names its last start."""

    def __init__(self, at_us: int = NOON_US) -> None:
        self.wall_us = at_us
        self.passed_us = 7 * SECOND_US
        self.boot = "boot-1"

    def clock(self) -> SystemClock:
        return SystemClock(
            lambda: self.wall_us, lambda: self.passed_us, lambda: Uptime(self.boot, self.passed_us)
        )

    def pass_time(self, by_us: int) -> None:
        self.wall_us += by_us
        self.passed_us += by_us

    def set_wall(self, by_us: int) -> None:
        self.wall_us += by_us


class SetClock:
    """The clock of a bank, on a machine."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.clock = machine.clock()
        self.now_us = self.clock.now_us
        self.floor = self.clock.floor
        self.take_step = self.clock.take_step
        self.step_us = self.clock.step_us
        self.uptime = self.clock.uptime

    def advance(self, by_us: int) -> None:
        self.machine.pass_time(by_us)


def on_machine(bank: Bank) -> Machine:
    """Let a bank that stands already run on a machine's clock from now on."""
    machine = Machine(bank.clock.now_us())
    clock: Any = SetClock(machine)
    bank.clock = bank.house.clock = clock
    return machine
