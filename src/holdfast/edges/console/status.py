"""What the status page shows, gathered in one look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.error import URLError
from urllib.request import urlopen

import holdfast
from holdfast.edges.checks.run import Examined, examine
from holdfast.kit.clock import SystemClock, rfc3339
from holdfast.vocabulary.manifest import Severity

if TYPE_CHECKING:
    from holdfast.kit.config import Settings

_PATIENCE_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Status:
    """One look at the house. Everything here is a count, a time or a name that the house chose."""

    name: str
    version: str
    at: str
    data_plane: str
    data_plane_answers: bool
    checks: tuple[Examined, ...]

    @property
    def failed(self) -> int:
        """How many checks failed."""
        return sum(examined.severity is Severity.ERROR for examined in self.checks)

    @property
    def sound(self) -> bool:
        """Whether the house serves and nothing is wrong."""
        return self.data_plane_answers and not self.failed


def look(settings: Settings) -> Status:
    """Gather everything; a part that does not answer is shown as such and never fails the page."""
    return Status(
        name=settings.house,
        version=holdfast.__version__,
        at=rfc3339(SystemClock().now_us()),
        data_plane=f"{settings.data_plane_host}:{settings.data_plane_port}",
        data_plane_answers=_answers(settings.data_plane_host, settings.data_plane_port),
        checks=examine(settings),
    )


def _answers(host: str, port: int) -> bool:
    name = f"[{host}]" if ":" in host else host
    try:
        with urlopen(f"http://{name}:{port}/readyz", timeout=_PATIENCE_S) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False
