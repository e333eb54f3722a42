"""Checks of the house's folder and of where it listens."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from holdfast.edges.checks.findings import Skipped, doubtful, wrong
from holdfast.kit.config import is_loopback
from holdfast.kit.db.opening import is_there

DEMO_FILE: Final = "demo.json"

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.kit.config import Settings
    from holdfast.vocabulary.manifest import Finding


def made(settings: Settings) -> Iterator[Finding]:
    """`holdfast init` makes the folder and both stores."""
    missing: list[object] = [] if settings.home.exists() else [settings.home]
    missing += [store for store in (settings.data, settings.keys) if not is_there(store)]
    if missing:
        yield wrong(
            f"there is no house here: {missing[0]} is missing",
            "Make one with `holdfast init`, or name its folder with --home or HOLDFAST_HOME.",
        )


def folder_mode(settings: Settings) -> Iterator[Finding]:
    """Key file, stores and temporary files stand in this folder."""
    if not settings.home.is_dir():
        raise Skipped
    about = settings.home.stat()
    mode = stat.S_IMODE(about.st_mode)
    if mode & 0o077:
        yield wrong(
            f"{settings.home} has mode {mode:04o}: other accounts of this machine can enter it",
            f"chmod 700 {settings.home}",
        )
    if about.st_uid != os.geteuid():
        yield wrong(
            f"{settings.home} belongs to another account (uid {about.st_uid})",
            "Run holdfast as the account that made the house.",
        )


def listeners(settings: Settings) -> Iterator[Finding]:
    """Values leave the data plane in clear, so beyond loopback it speaks TLS, or only with a proxy that does."""
    yield from _exposed(settings)
    for key, path in (
        ("tls.certificate", settings.tls_certificate),
        ("tls.key", settings.tls_key),
        ("tls.client_ca", settings.tls_client_ca),
    ):
        if path is not None and not os.access(path, os.R_OK):
            yield wrong(f"{key} names {path}, which cannot be read", "Name a PEM file.")
    if settings.tls_key is not None and settings.tls_key.exists():
        mode = stat.S_IMODE(settings.tls_key.stat().st_mode)
        if mode & 0o077:
            yield doubtful(
                f"{settings.tls_key} has mode {mode:04o}: other accounts can read the key",
                f"chmod 600 {settings.tls_key}",
            )
    if (settings.console_host, settings.console_port) == (
        settings.data_plane_host,
        settings.data_plane_port,
    ):
        yield wrong(
            "console and data plane are told to listen on the same port",
            "Give console.port and data_plane.port different numbers.",
        )


def _exposed(settings: Settings) -> Iterator[Finding]:
    if settings.encrypted or settings.trusted_proxies:
        return
    for name, host in (
        ("console.host", settings.console_host),
        ("data_plane.host", settings.data_plane_host),
    ):
        if not is_loopback(host):
            yield wrong(
                f"{name} is {host}: without encryption it may listen on this machine only",
                f"Set tls.certificate and tls.key, or trusted_proxies; or leave {name} at 127.0.0.1.",
            )


def origin(settings: Settings) -> Iterator[Finding]:
    """Browsers accept passkeys for a name only, and cookies for the origin that they see."""
    parts = urlsplit(settings.origin)
    if is_loopback(parts.hostname or "") and parts.hostname != "localhost":
        yield doubtful(
            f"origin is {settings.origin}: browsers need the name localhost for passkeys",
            f"Set origin to http://localhost:{settings.console_port}.",
        )
    if parts.hostname == "localhost" and (parts.port or 80) != settings.console_port:
        yield doubtful(
            f"origin is {settings.origin}, but the console listens on port {settings.console_port}",
            f"Set HOLDFAST_ORIGIN=http://localhost:{settings.console_port}.",
        )


def demo(settings: Settings) -> Iterator[Finding]:
    """A demo signs anybody in as anybody: only in the demo's own house, and only for browsers on this machine."""
    if not settings.demo:
        return
    reached = (settings.console_host, urlsplit(settings.origin).hostname or "")
    if not all(is_loopback(name) for name in reached) or settings.trusted_proxies:
        yield wrong(
            "demo is on, and others than this machine can reach the console",
            "Unset HOLDFAST_DEMO, or leave origin, console.host and trusted_proxies as they are.",
        )
    if not (settings.home / DEMO_FILE).exists():
        yield wrong(
            "demo is on in a house that is not the demo's",
            "Unset HOLDFAST_DEMO; `holdfast demo` makes a house of its own.",
        )
