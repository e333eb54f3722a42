"""What holds for every test: no network beyond this machine, no settings from outside, no deadlines."""

from __future__ import annotations

import os
import socket
import sys
from ipaddress import ip_address

import pytest
from hypothesis import settings as hypothesis_settings

for name in [name for name in os.environ if name.startswith("HOLDFAST_")]:
    value = os.environ.pop(name)
    if name in {"HOLDFAST_VECTORS", "HOLDFAST_STORAGE"}:  # for tests, not for a house
        os.environ[f"_{name}"] = value
# A test that forgets to make its own house must not find one.
os.environ["HOLDFAST_HOME"] = "/nonexistent/house"
os.environ["DJANGO_SETTINGS_MODULE"] = "holdfast.settings"

# A machine under load is slow; a promise about time belongs into bench/.
hypothesis_settings.register_profile("holdfast", deadline=None, print_blob=True)
hypothesis_settings.load_profile("holdfast")


def _is_here(host: object) -> bool:
    if isinstance(host, bytes):
        host = host.decode(errors="replace")
    if host in {None, "", "localhost"}:
        return True
    try:
        return ip_address(str(host)).is_loopback
    except ValueError:
        return str(host).endswith(".localhost")


def _stay_here(event: str, arguments: tuple[object, ...]) -> None:
    """Refuse every connection, datagram, bind and name look-up that leaves this machine."""
    if event in {"socket.connect", "socket.bind", "socket.sendto"}:
        sock, address = arguments[0], arguments[1]
        family = getattr(sock, "family", socket.AF_INET)
        if family in {socket.AF_INET, socket.AF_INET6} and isinstance(address, tuple):
            host = address[0]
            if not _is_here(host):
                raise PermissionError(f"a test may not reach {host!r}")
    elif event == "socket.getaddrinfo" and not _is_here(arguments[0]):
        raise PermissionError(f"a test may not look up {arguments[0]!r}")


sys.addaudithook(_stay_here)


STORAGE = os.environ.get("_HOLDFAST_STORAGE", "sqlite")
MISSING = "PostgreSQL 15 or newer is not installed: `make setup-services` installs it"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    """Skip what is marked for the other storage; on the second storage, leave out what is the same on both."""
    if STORAGE == "postgresql":
        again = [item for item in items if _differs_by_storage(item)]
        config.hook.pytest_deselected(items=[item for item in items if item not in set(again)])
        items[:] = again
    for item in items:
        mark = item.get_closest_marker("storage")
        if mark is not None and mark.args != (STORAGE,):
            item.add_marker(
                pytest.mark.skip(reason=f"{mark.args[0]} only: {mark.kwargs['reason']}")
            )


def _differs_by_storage(item):
    """A house stands in a folder: a test that asks for none has no house."""
    from support.touching import differs_by_storage

    folders = {"tmp_path", "tmp_path_factory"} & set(item.fixturenames)
    return bool(folders) and differs_by_storage(item.path)


def pytest_runtest_setup(item):
    """Without a server every test of the second storage is skipped, and says why."""
    if STORAGE == "postgresql" and not _server_is_here():
        pytest.skip(MISSING)


def _server_is_here():
    from support.cluster import binaries

    return binaries() is not None


@pytest.fixture(autouse=True)
def _databases():
    """On PostgreSQL each test's house has databases of its own, which go with it."""
    if STORAGE != "postgresql":
        yield
        return
    from support.stores import dropping

    with dropping():
        yield
