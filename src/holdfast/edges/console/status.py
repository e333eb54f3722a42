"""What the status page shows, gathered in one look: counts, times, and names that the house chose."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Final

from django.db import DatabaseError
from django.db.models import Count, Max

import holdfast
from holdfast.edges.checks.run import Examined, examine
from holdfast.kit.clock import (
    DAY_US,
    HOUR_US,
    MINUTE_US,
    SECOND_US,
    SystemClock,
    monotonic_s,
    rfc3339,
)
from holdfast.kit.db.opening import connect, is_there
from holdfast.kit.errors import Unavailable
from holdfast.kit.http.own import ask_own
from holdfast.spine.decision.freezing import Standing
from holdfast.spine.decision.models import Client
from holdfast.spine.ledger.models import Checkpoint, Clock, Pending, Tree
from holdfast.spine.ledger.sequencer import Moment
from holdfast.spine.vault.models import Collection, Customer, Record
from holdfast.vocabulary.manifest import Severity

if TYPE_CHECKING:
    from holdfast.kit.config import Settings

_PATIENCE_S: Final = 0.5
_LATE_US: Final = 2 * HOUR_US  # an idle log is signed anew every hour


@dataclass(frozen=True, slots=True)
class ClientRow:
    """One client. An erased customer still counts: its tombstone stands."""

    client: str
    name: str
    state: str
    contract_version: int
    collections: int
    customers: int
    records: int


@dataclass(frozen=True, slots=True)
class LogRow:
    """One log: leaves committed, leaves under the newest signed checkpoint, and how old that is."""

    log: str
    size: int
    signed: int
    signed_at: str
    age: str
    late: bool


@dataclass(frozen=True, slots=True)
class Status:
    """One look at the house."""

    name: str
    version: str
    at: str
    data_plane: str
    data_plane_answers: bool
    clients: tuple[ClientRow, ...]
    logs: tuple[LogRow, ...]
    pending: int
    stores_mb: str
    checks: tuple[Examined, ...]

    @property
    def failed(self) -> int:
        """How many checks failed."""
        return sum(examined.severity is Severity.ERROR for examined in self.checks)

    @property
    def warned(self) -> int:
        """How many checks found something that deserves attention."""
        return sum(examined.severity is Severity.WARNING for examined in self.checks)

    @property
    def sound(self) -> bool:
        """Whether the house serves and nothing is wrong."""
        return self.data_plane_answers and not self.failed

    @property
    def leaves(self) -> int:
        """Leaves in all logs."""
        return sum(log.size for log in self.logs)

    @property
    def records(self) -> int:
        """Records of all clients."""
        return sum(client.records for client in self.clients)


class Lookout:
    """Keeps the last look for a few seconds: however many people reload the page, the stores are asked once."""

    def __init__(self, settings: Settings, *, keep_s: float = 3.0) -> None:
        self._settings = settings
        self._keep_s = keep_s
        self._lock = Lock()
        self._last: tuple[float, Status] | None = None

    def status(self) -> Status:
        """Return the last look if it is fresh enough, else look again."""
        with self._lock:
            if self._last is None or monotonic_s() - self._last[0] > self._keep_s:
                found = look(self._settings)
                self._last = (monotonic_s(), found)
            return self._last[1]


def look(settings: Settings) -> Status:
    """Gather everything; a part that does not answer is shown as such and never fails the page."""
    now = SystemClock().now_us()
    checks = examine(settings)
    try:
        clients, logs, pending = _clients(_sure_us(now)), _logs(now), Pending.objects.count()
    except DatabaseError:  # no house yet, or an old one: the checks say which, and what to do
        clients, logs, pending = (), (), 0
    return Status(
        name=settings.house,
        version=holdfast.__version__,
        at=rfc3339(now),
        data_plane=f"{settings.data_plane_host}:{settings.data_plane_port}",
        data_plane_answers=_answers(settings),
        clients=clients,
        logs=logs,
        pending=pending,
        stores_mb=_megabytes(settings),
        checks=checks,
    )


def _sure_us(now_us: int) -> int:
    """The time by which a freeze may have ended; see :mod:`holdfast.spine.decision.freezing`."""
    clock = Clock.objects.first()
    known = Moment(0, 0, clock.stepped_us, clock.by_s) if clock else Moment(0, 0, 0, 0)
    return min(now_us, known.sure_until_us)


def _clients(sure_us: int) -> tuple[ClientRow, ...]:
    collections: dict[str, set[str]] = {}
    for client, name in Collection.objects.values_list("client", "name"):
        collections.setdefault(client, set()).add(name)
    customers, records = _per_client(Customer), _per_client(Record)
    return tuple(
        ClientRow(
            client=row.client,
            name=row.name,
            state=Standing(row.state, row.frozen_until_us).word(sure_us),
            contract_version=row.contract_version,
            collections=len(collections.get(row.client, ())),
            customers=customers.get(row.client, 0),
            records=records.get(row.client, 0),
        )
        for row in Client.objects.order_by("client")
    )


def _per_client(model: type[Customer | Record]) -> dict[str, int]:
    # The primary key begins with the client, so this reads the index and no row.
    counted = model.objects.values("client").annotate(rows=Count("*"))
    return dict(counted.values_list("client", "rows"))


def _logs(now_us: int) -> tuple[LogRow, ...]:
    newest = Checkpoint.objects.values("log").annotate(size=Max("size"), at_us=Max("at_us"))
    signed = {row["log"]: (row["size"], row["at_us"]) for row in newest}
    return tuple(_log(tree, *signed.get(tree.log, (0, 0)), now_us) for tree in _trees())


def _trees() -> tuple[Tree, ...]:
    return tuple(Tree.objects.order_by("log"))


def _log(tree: Tree, size: int, at_us: int, now_us: int) -> LogRow:
    return LogRow(
        log=tree.log,
        size=tree.size,
        signed=size,
        signed_at=rfc3339(at_us) if at_us else "",
        age=ago(now_us - at_us) if at_us else "",
        late=now_us - at_us > _LATE_US,
    )


def ago(span_us: int) -> str:
    """Say how long ago in the largest unit that fits: ``12 s ago``."""
    for unit_us, unit in ((DAY_US, "d"), (HOUR_US, "h"), (MINUTE_US, "min"), (SECOND_US, "s")):
        if span_us >= unit_us:
            return f"{span_us // unit_us} {unit} ago"
    return "just now"


def _megabytes(settings: Settings) -> str:
    size = 0
    try:
        for store in filter(is_there, (settings.data, settings.keys)):
            with closing(connect(store)) as connection:
                size += connection.size_bytes()
    except Unavailable:
        return "–"
    return f"{size / 1_000_000:,.1f}"


def _answers(settings: Settings) -> bool:
    host, port = settings.data_plane_host, settings.data_plane_port
    try:
        ask_own(settings, host, port, "/readyz", timeout_s=_PATIENCE_S)
    except OSError:
        return False
    return True
