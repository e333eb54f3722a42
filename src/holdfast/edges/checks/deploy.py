"""Checks of a house in production: its settings, its files, and the machine. ``holdfast doctor --deploy`` asks them."""

from __future__ import annotations

import ctypes
import json
import os
import resource
import stat
import tempfile
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from holdfast.edges.checks.findings import Skipped, doubtful, wrong
from holdfast.edges.checks.house import DEMO_FILE
from holdfast.edges.checks.opened import files
from holdfast.edges.listening import MOST_CONNECTIONS, OTHER_FILES
from holdfast.kit.clock import monotonic_s
from holdfast.kit.config import is_loopback
from holdfast.spine.ledger.keys import FOLDER as SIGNING
from holdfast.spine.vault.roots import ROOT_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.kit.config import Settings
    from holdfast.vocabulary.manifest import Finding

SLOW_FSYNC_S: Final = 0.02
SWAPS: Final = Path("/proc/swaps")
RESUME: Final = Path("/sys/power/resume")
_STA_UNSYNC: Final = 0x40
_TIMEX_BYTES: Final = 512  # more than any kernel's struct timex
_STATUS_AT: Final = 40  # struct timex on 64-bit Linux: int status


def origin(settings: Settings) -> Iterator[Finding]:
    """Passkeys, cookies and the names of the logs hang on the public origin."""
    parts = urlsplit(settings.origin)
    if parts.scheme != "https":
        yield wrong(
            f"origin is {settings.origin}: what browsers send and see can be read on the way",
            "Set origin to the public https address.",
        )
    if is_loopback(parts.hostname or ""):
        yield wrong(
            f"origin is {settings.origin}: nobody else reaches the house by it",
            "Set origin to the public name.",
        )


def encryption(settings: Settings) -> Iterator[Finding]:
    """Behind a proxy that is not named, every request seems to come from the proxy's own address."""
    if not settings.encrypted and not settings.trusted_proxies:
        yield wrong(
            "the data plane speaks no TLS and knows no proxy that does",
            "Set tls.certificate and tls.key, or trusted_proxies to the address of the proxy in front.",
        )


def in_front(settings: Settings) -> Iterator[Finding]:
    """Idle and slow senders are cut off here; who never reads an answer holds a connection until a proxy ends it."""
    reached = (settings.data_plane_host, settings.console_host)
    if not settings.trusted_proxies and not all(map(is_loopback, reached)):
        yield doubtful(
            "the listeners face clients without a proxy: one that never reads its answer keeps its connection",
            "Put a proxy with time limits for both directions in front, or let a firewall say who may connect.",
        )
    _, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = MOST_CONNECTIONS + OTHER_FILES
    if most_files != resource.RLIM_INFINITY and most_files < needed:
        yield doubtful(
            f"a process may open {most_files} files, which is fewer than {MOST_CONNECTIONS} connections need",
            f"Raise the hard limit (LimitNOFILE={needed} in the unit of systemd).",
        )


def root_apart(settings: Settings) -> Iterator[Finding]:
    """Whoever copies a bare root key with the stores can read all values, past every rule."""
    path = settings.home / ROOT_FILE
    if not path.exists():
        raise Skipped
    if json.loads(path.read_bytes()).get("kind") != "plain":
        return
    folder = path.resolve().parent
    beside = [p.name for p in files(settings) if p.resolve().parent == folder]
    if beside:
        yield wrong(
            f"{ROOT_FILE} is not sealed and lies beside {' and '.join(beside)}: one copy of the folder holds all",
            "Seal it under a passphrase (HOLDFAST_ROOT_PASSPHRASE at `holdfast init`), or keep the stores elsewhere.",
        )


def memory_apart(settings: Settings) -> Iterator[Finding]:
    """A disk that is set back takes the signer's memory back with the store, and with it what would notice."""
    signing = settings.home / SIGNING
    stores = [path for path in files(settings) if path.exists()]
    if not signing.is_dir() or not stores:
        raise Skipped
    if signing.stat().st_dev == stores[0].stat().st_dev:
        yield doubtful(
            f"{SIGNING}/ and {stores[0].name} are on one disk: set back together, nobody here notices",
            f"Mount another disk at {signing}, and let clients keep the checkpoints that they verified.",
        )


def file_modes(settings: Settings) -> Iterator[Finding]:
    """Keys and stores are for their owner; the folder's mode alone does not protect a copy of it."""
    if not settings.home.is_dir():
        raise Skipped
    named = [settings.home / ROOT_FILE, *files(settings), *_inside(settings.home / SIGNING)]
    for path in named:
        if path.is_file() and stat.S_IMODE(path.stat().st_mode) & 0o077:
            mode = stat.S_IMODE(path.stat().st_mode)
            yield wrong(f"{path} has mode {mode:04o}: others may read it", f"chmod 600 {path}")


def _inside(folder: Path) -> tuple[Path, ...]:
    return tuple(sorted(folder.iterdir())) if folder.is_dir() else ()


def demo(settings: Settings) -> Iterator[Finding]:
    """The demo's secrets stand in a file, and its people and customers are everybody's."""
    if (settings.home / DEMO_FILE).exists():
        yield wrong(
            f"this is the demo house: {DEMO_FILE} holds its secrets",
            "Found another house with `holdfast init` in another folder.",
        )


def talk(settings: Settings) -> Iterator[Finding]:
    """Tracebacks and debug lines say more than they need to."""
    if settings.debug:
        yield wrong("debug is on: tracebacks may show what they must not", "Set debug = false.")
    if settings.log_level == "debug":
        yield doubtful("log_level is debug", "Set log_level = info.")


def swap(settings: Settings) -> Iterator[Finding]:  # noqa: ARG001
    """Keys in memory go to the disk when the machine swaps or hibernates."""
    yield from judge_swap(_text(SWAPS), _text(RESUME))


def judge_swap(swaps: str | None, resume: str | None) -> Iterator[Finding]:
    """Tell from the kernel's words whether memory may reach a disk; ``None`` where it does not say."""
    if swaps is None:
        yield doubtful(
            "whether this machine swaps cannot be told", "See that swap is off or encrypted."
        )
        return
    areas = [line.split()[0] for line in swaps.splitlines()[1:] if line.split()]
    disks = [area for area in areas if not area.startswith("/dev/zram")]
    if disks:
        yield doubtful(
            f"memory is swapped to {', '.join(disks)}: keys may reach the disk",
            "Turn swap off (swapoff -a), or encrypt it with a key that is made anew at each start.",
        )
    if resume is not None and resume.strip() not in {"", "0:0"}:
        yield doubtful(
            "the machine can hibernate: keys would be written to the disk",
            "Mask hibernation (systemctl mask hibernate.target).",
        )


def clock_synchronised(settings: Settings) -> Iterator[Finding]:  # noqa: ARG001
    """Rights open and close by time; an event counts for 120 seconds."""
    yield from judge_clock(_clock_status())


def judge_clock(status: int | None) -> Iterator[Finding]:
    """Tell from the kernel's status word whether something keeps the clock; ``None`` where it does not say."""
    if status is None:
        yield doubtful(
            "whether the clock is kept by a time server cannot be told",
            "See that chrony or systemd-timesyncd runs, here or on the machine that hosts this one.",
        )
    elif status & _STA_UNSYNC:
        yield wrong(
            "no time server keeps the clock",
            "Turn it on (timedatectl set-ntp true), and wait a minute.",
        )


def _clock_status() -> int | None:
    """Ask the kernel (adjtimex with modes 0 only reads); systemd's own mark where that is not allowed."""
    timex = (ctypes.c_char * _TIMEX_BYTES)()
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(timex))
    except (AttributeError, OSError):
        state = -1
    if state >= 0:
        return int.from_bytes(timex.raw[_STATUS_AT : _STATUS_AT + 4], "little")
    return 0 if Path("/run/systemd/timesync/synchronized").exists() else None


def fsync(settings: Settings) -> Iterator[Finding]:
    """Every look waits for one fsync: on a slow disk the house is slow, and without one nothing is durable."""
    stores = [path for path in files(settings) if path.exists()]
    if not stores:
        raise Skipped
    try:
        yield from judge_fsync(_fsync_s(stores[0].parent))
    except OSError as error:
        yield wrong(
            f"the disk does not take an fsync ({error.strerror})", "Put the house on a local disk."
        )


def judge_fsync(took_s: float) -> Iterator[Finding]:
    """Tell a disk that is fit from one that is slow."""
    if took_s > SLOW_FSYNC_S:
        yield doubtful(
            f"an fsync takes {took_s * 1000:.0f} ms: no more than {1 / took_s:.0f} turns in a second",
            "Put the stores on a faster local disk.",
        )


def _fsync_s(folder: Path, count: int = 9) -> float:
    times = []
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        for _ in range(count):
            begun_s = monotonic_s()
            file.write(b"\0" * 4096)
            file.flush()
            os.fdatasync(file.fileno())
            times.append(monotonic_s() - begun_s)
    return median(times)


def _text(path: Path) -> str | None:
    try:
        return path.read_text("utf-8")
    except OSError:
        return None
