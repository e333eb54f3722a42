"""A data plane that samples itself: ``python -m bench.sampled FILE``; what it saw is written when it ends.

On SIGUSR1 a phase begins. A timer of the process's CPU time interrupts the main thread; to the part of the path that is
being run then goes all CPU time that the thread has used since the last sample. What the process used beyond the main
thread's time is that of other threads. It samples time on the processor, not waiting.
"""

from __future__ import annotations

import holdfast.kit.db.sqlite  # noqa: F401 - swaps in a safe SQLite before anything else opens one

import json
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from bench.parts import THREADS, part_of_stack
from holdfast.edges.dataplane.process import main as serve

if TYPE_CHECKING:
    from types import FrameType

EVERY_S = 0.002


class Sampler:
    """Attributes the main thread's CPU time, phase by phase."""

    def __init__(self) -> None:
        self.phases: list[dict[str, float]] = []
        self._parts: Counter[str] = Counter()
        self._samples = 0
        self._last_ns = self._thread_ns = self._process_ns = 0

    def start(self) -> None:
        """Listen for the signals."""
        signal.signal(signal.SIGPROF, self._sample)
        signal.signal(signal.SIGUSR1, self._begin)

    def _begin(self, _number: int, _frame: FrameType | None) -> None:
        self.end()
        self._parts, self._samples = Counter(), 0
        self._process_ns, self._thread_ns = time.process_time_ns(), time.thread_time_ns()
        self._last_ns = self._thread_ns
        signal.setitimer(signal.ITIMER_PROF, EVERY_S, EVERY_S)

    def _sample(self, _number: int, frame: FrameType | None) -> None:
        now = time.thread_time_ns()
        self._parts[part_of_stack(frame)] += now - self._last_ns
        self._samples += 1
        self._last_ns = time.thread_time_ns()  # the sampler's own time is nobody's

    def end(self) -> None:
        """End the phase, if one is under way."""
        signal.setitimer(signal.ITIMER_PROF, 0)
        if not self._samples:
            return
        beyond = time.process_time_ns() - self._process_ns
        beyond -= time.thread_time_ns() - self._thread_ns
        seconds = {part: spent / 1e9 for part, spent in self._parts.items()}
        self.phases.append({**seconds, THREADS: beyond / 1e9})
        self._samples = 0


def main() -> None:
    """Serve, and write what was seen."""
    out, sampler = Path(sys.argv[1]), Sampler()
    del sys.argv[1:]
    sampler.start()
    try:
        serve()
    finally:
        sampler.end()
        out.write_text(json.dumps(sampler.phases))


if __name__ == "__main__":
    main()
