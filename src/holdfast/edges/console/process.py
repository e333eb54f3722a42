"""The console as a process: Django on a few threads behind granian.

``python -m holdfast.edges.console.process <parent pid>``. Granian runs the application in a worker process of its own;
both die with their parent.
"""

from __future__ import annotations

import holdfast.kit.db.sqlite  # noqa: F401 - swaps in a safe SQLite before anything else opens one

import os
import sys
from granian.constants import Interfaces
from granian.server import Server

from holdfast.edges.checks.run import require_sound
from holdfast.edges.console.doorway import Doorway
from holdfast.edges.listening import bounds
from holdfast.kit.config import load_settings
from holdfast.kit.process import die_with_parent, forbid_core_dumps, refuse_taken_port

THREADS = 4


def main() -> None:
    """Serve until told to stop."""
    if len(sys.argv) > 1:
        die_with_parent(int(sys.argv[1]))
    forbid_core_dumps()
    settings = load_settings()
    require_sound(settings)
    refuse_taken_port(settings.console_host, settings.console_port)
    server = Server(
        "holdfast.edges.console.process:load_application",
        address=settings.console_host,
        port=settings.console_port,
        interface=Interfaces.ASGI,
        workers=1,
        factory=True,
        log_enabled=False,
        ssl_cert=settings.tls_certificate,
        ssl_key=settings.tls_key,
        ssl_ca=settings.tls_client_ca,
        ssl_client_verify=settings.tls_client_ca is not None,
        **bounds(),
    )
    server.serve()


def load_application() -> Doorway:
    """Build the application inside granian's worker, tied to the life of its parent."""
    die_with_parent(os.getppid())
    forbid_core_dumps()
    from holdfast.wsgi import application  # noqa: PLC0415 - Django starts in the worker, not beside its parent

    return Doorway(application, threads=THREADS)


if __name__ == "__main__":
    main()
