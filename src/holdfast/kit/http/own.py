"""Asking one's own listeners whether they answer: on this machine, whatever their certificate says."""

from __future__ import annotations

from socket import create_connection
from ssl import CERT_NONE, create_default_context
from typing import TYPE_CHECKING
from urllib.request import urlopen

if TYPE_CHECKING:
    from holdfast.kit.config import Settings


def ask_own(settings: Settings, host: str, port: int, path: str, *, timeout_s: float = 1.0) -> None:
    """Ask one address of the house; ``OSError`` without an answer, or with one that is an error.

    The certificate is not checked: it is made out to a public name, and no secret is sent. Where clients need a
    certificate of their own, to connect is all that can be asked for.
    """
    if settings.tls_client_ca is not None:
        create_connection((host, port), timeout=timeout_s).close()
        return
    scheme, context = "http", None
    if settings.encrypted:
        scheme, context = "https", create_default_context()
        context.check_hostname = False
        context.verify_mode = CERT_NONE
    shown = f"[{host}]" if ":" in host else host
    url = f"{scheme}://{shown}:{port}{path}"
    urlopen(url, timeout=timeout_s, context=context).close()  # noqa: S310  the scheme stands above
