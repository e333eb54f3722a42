"""How this house's listeners take connections: one protocol, one time limit, one bound (SPINE 23).

HTTP/2 is not spoken: to tell it from HTTP/1 the server waits for a first byte, and without end. The server has no limit
for a peer that does not *read*: such a connection stays until the peer goes, and counts against the bound. A proxy in
front ends those, too (check ``deploy.W007``).
"""

from __future__ import annotations

import resource
from typing import Any, Final

from granian.constants import HTTPModes
from granian.http import HTTP1Settings

HEADERS_WITHIN_MS: Final = 10_000  # also how long a connection may wait for its next request
MOST_BUFFER_BYTES: Final = 64 * 1024  # of one connection; headers must fit in
MOST_CONNECTIONS: Final = 4096
BACKLOG: Final = 1024
OTHER_FILES: Final = 256  # what the process opens beside its connections


def bounds() -> dict[str, Any]:
    """Arguments of the server; and let this process open as many files as it may take connections."""
    return {
        "http": HTTPModes.http1,
        "http1_settings": HTTP1Settings(
            header_read_timeout=HEADERS_WITHIN_MS, max_buffer_size=MOST_BUFFER_BYTES
        ),
        "backlog": BACKLOG,
        "backpressure": _open_files(MOST_CONNECTIONS + OTHER_FILES) - OTHER_FILES,
        "websockets": False,
    }


def _open_files(wanted: int) -> int:
    """Raise the limit of open files to what is wanted, or as far as the system allows; return what there is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = resource.RLIM_INFINITY
    allowed = wanted if hard == unlimited else min(wanted, hard)
    if soft != unlimited and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return max(allowed, OTHER_FILES * 2)
