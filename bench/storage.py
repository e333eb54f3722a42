"""Where a workload's house stands: files of SQLite, or two databases of a durable PostgreSQL of its own."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from bench.measure import cpu_seconds
from support.cluster import Cluster, binaries

if TYPE_CHECKING:
    from collections.abc import Iterator

Name = Literal["sqlite", "postgresql", "none"]
BOTH: tuple[Name, ...] = ("sqlite", "postgresql")
#: The workload has no store.
NONE: tuple[Name, ...] = ("none",)


class Storage(Protocol):
    """What a workload asks of where its house stands."""

    name: Name

    def settings(self) -> str:
        """The lines of ``holdfast.toml`` by which a new house finds its stores."""
        ...

    def cpu_seconds(self) -> float | None:
        """CPU seconds of the database's processes so far; None where the database is a library."""
        ...

    def version(self) -> str:
        """What it is, with its version."""
        ...


class Files:
    """SQLite: in the house's folder, in our own processes."""

    name: Name = "sqlite"

    def settings(self) -> str:
        """Nothing: files are the default."""
        return ""

    def cpu_seconds(self) -> None:
        """None: its time is that of our processes."""

    def version(self) -> str:
        """SQLite's version as Holdfast uses it."""
        from holdfast.kit.db.sqlite import VERSION  # noqa: PLC0415  a result of PostgreSQL needs none

        return f"SQLite {'.'.join(map(str, VERSION))}"


class Nowhere(Files):
    """For workloads that compute and store nothing."""

    name: Name = "none"

    def version(self) -> str:
        """None."""
        return "none"


class Server:
    """PostgreSQL, started for this workload: it waits for the disk, and keeps no segment of its log for reuse."""

    name: Name = "postgresql"

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self._made = 0

    def settings(self) -> str:
        """Make two databases, and name them."""
        self._made += 1
        made = [self.cluster.make(f"{store}{self._made}") for store in ("data", "keys")]
        names = ("database_url", "keys_url")
        return "".join(f'{name} = "{url}"\n' for name, url in zip(names, made, strict=True))

    def cpu_seconds(self) -> float:
        """CPU seconds of the server and its backends, those that have ended included."""
        return cpu_seconds(self.pid)

    @property
    def pid(self) -> int:
        """The process that started all others of the server."""
        return int((Path(self.cluster.data) / "postmaster.pid").read_text().split()[0])

    def version(self) -> str:
        """The server's version."""
        with self.cluster.connect() as connection:
            return f"PostgreSQL {connection.info.server_version // 10_000}"


def place() -> Path:
    """The folder on the disk that is measured: ``BENCH_DIR``, or the temporary one."""
    return Path(os.environ.get("BENCH_DIR") or tempfile.gettempdir())


@contextmanager
def storage(name: Name) -> Iterator[Storage]:
    """Start what the storage needs, and end it with the workload. :class:`SystemExit` where it is not installed."""
    if name != "postgresql":
        yield Files() if name == "sqlite" else Nowhere()
        return
    if binaries() is None:
        raise SystemExit("PostgreSQL 15 or newer is not installed: `make setup-services`")
    folder = Path(tempfile.mkdtemp(prefix="holdfast-bench-cluster-", dir=place()))
    cluster = Cluster(folder, "wal_recycle=off", durable=True)
    try:
        cluster.start()
        yield Server(cluster)
    finally:
        cluster.stop("fast")
        shutil.rmtree(folder, ignore_errors=True)
