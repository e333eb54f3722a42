"""Figures of the data plane, and of what runs beside it. Labels are closed sets: never an id or a value of anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

from holdfast.kit.clock import SECOND_US
from holdfast.spine.signals.pace import NO_SITE, State

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.edges.dataplane.evidence import Following
    from holdfast.edges.dataplane.runner import Runner
    from holdfast.kit.jobs.queue import Backlog
    from holdfast.spine.signals.pace import Measured
    from holdfast.spine.stream.standing import Standing


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
        self._feeds = Gauge(
            "holdfast_feeds",
            "Feeds by how they are, measured against their own pace.",
            ["state"],
            registry=self.registry,
        )
        self._lag = Gauge(
            "holdfast_feed_lag_seconds", "Greatest present lag of a feed.", registry=self.registry
        )
        self._silence = Gauge(
            "holdfast_feed_silence_seconds",
            "Longest present silence of a feed.",
            registry=self.registry,
        )
        self._jobs = Gauge(
            "holdfast_jobs", "Background work by state.", ["state"], registry=self.registry
        )
        self._jobs_wait = Gauge(
            "holdfast_jobs_overdue_seconds",
            "For how long the work waits that is due longest.",
            registry=self.registry,
        )
        self._stream = {
            name: Gauge(f"holdfast_stream_{name}", meaning, ["subscriber"], registry=self.registry)
            for name, meaning in (
                ("behind", "Leaves of all logs that a subscriber has not read."),
                ("most_behind", "Leaves that it has not read of the log it is furthest behind in."),
                ("lag_seconds", "Age of the oldest leaf that it has not read."),
                ("parked", "Leaves that it could not take."),
                ("stopped", "Logs that are not the ones it has followed."),
            )
        }
        self._replica_lag: Gauge | None = None
        self._replica_answers: Gauge | None = None
        self._by_status: dict[int, Counter] = {}
        self._untold = 0

    def watch(self, runner: Runner) -> None:
        """Publish the figures of the runner."""
        for name, meaning, read in (
            ("holdfast_turns", "Committed turns.", lambda: runner.turns),
            ("holdfast_operations", "Operations in committed turns.", lambda: runner.operations),
            (
                "holdfast_queue_full",
                "Requests refused because too many waited.",
                lambda: runner.refused,
            ),
            (
                "holdfast_busy_retries",
                "Turns that waited for another writer.",
                lambda: runner.busy_retries,
            ),
        ):
            Gauge(name, meaning, registry=self.registry).set_function(read)

    def feeds(self, given: Iterable[Measured]) -> None:
        """Publish how feeds are: how many in each state, and the greatest lag and silence."""
        whole = [one for one in given if one.site == NO_SITE]
        for state in State:
            self._feeds.labels(state.value).set(sum(one.state is state for one in whole))
        self._lag.set(max((one.lag_us or 0 for one in whole), default=0) / SECOND_US)
        self._silence.set(max((one.silence_us for one in whole), default=0) / SECOND_US)

    def stream(self, given: Iterable[Standing], now_us: int) -> None:
        """Publish how far each subscriber of the logs is: over all logs, and in the worst; never by log."""
        for one in given:
            figures = {
                "behind": one.behind,
                "most_behind": one.most_behind,
                "lag_seconds": one.lag_us(now_us) / SECOND_US,
                "parked": one.parked,
                "stopped": len(one.stopped),
            }
            for name, figure in figures.items():
                self._stream[name].labels(one.name).set(figure)

    def jobs(self, given: Backlog, now_us: int) -> None:
        """Publish how much background work there is, and how long it waits."""
        for state in ("ready", "leased", "dead"):
            self._jobs.labels(state).set(given.counts.get(state, 0))
        self._jobs_wait.set(given.lag_us(now_us) / SECOND_US)

    def replica(self, given: Following | None) -> None:
        """Publish how the replica is, where there is one."""
        if given is None:
            return
        if self._replica_lag is None or self._replica_answers is None:
            lag, answers = "holdfast_replica_lag_seconds", "holdfast_replica_answers"
            self._replica_lag = Gauge(
                lag, "How much older the replica's newest line is.", registry=self.registry
            )
            self._replica_answers = Gauge(
                answers, "Whether the replica answers (1) or not (0).", registry=self.registry
            )
        self._replica_lag.set(given.lag_s)
        self._replica_answers.set(int(given.answers))

    def answered(self, status: int) -> None:
        """Count an answer."""
        counter = self._by_status.get(status)
        if counter is None:
            counter = self._by_status[status] = self._answers.labels(str(status))
        counter.inc()
        if status == 401:
            self._unauthenticated.inc()
            self._untold += 1

    def take_unauthenticated(self) -> int:
        """How many requests came without a valid credential since this was asked last."""
        untold, self._untold = self._untold, 0
        return untold

    def text(self) -> bytes:
        """Write all figures in the Prometheus text format."""
        return generate_latest(self.registry)
