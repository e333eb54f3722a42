"""Counters of the data plane. Labels are closed sets: never an id, a name or a value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

if TYPE_CHECKING:
    from holdfast.edges.dataplane.turn import Turns


class Metrics:
    """One registry per process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._answers = Counter(
            "holdfast_answers", "Answers by status.", ["status"], registry=self.registry
        )
        self._unauthenticated = Counter(
            "holdfast_unauthenticated",
            "Requests without a valid credential (counted, no leaf).",
            registry=self.registry,
        )
        self._by_status: dict[int, Counter] = {}

    def watch(self, turns: Turns) -> None:
        """Publish the figures of the turns."""
        for name, meaning, read in (
            ("holdfast_turns", "Committed turns.", lambda: turns.turns),
            ("holdfast_operations", "Operations in committed turns.", lambda: turns.operations),
            (
                "holdfast_busy_retries",
                "Turns that waited for another writer.",
                lambda: turns.busy_retries,
            ),
        ):
            Gauge(name, meaning, registry=self.registry).set_function(read)

    def answered(self, status: int) -> None:
        """Count an answer."""
        counter = self._by_status.get(status)
        if counter is None:
            counter = self._by_status[status] = self._answers.labels(str(status))
        counter.inc()
        if status == 401:
            self._unauthenticated.inc()

    def text(self) -> bytes:
        """Write all figures in the Prometheus text format."""
        return generate_latest(self.registry)
