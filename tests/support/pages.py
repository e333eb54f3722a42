"""Pages whose commands are run: every ``sh`` block in one shell, and what the ``text`` block after it promises.

In a ``text`` block ``…`` stands for anything: alone in a line for any number of lines, elsewhere for any text in the
line. Ids and times are compared by their form. A ``console`` block is for the reader's eyes only and is not run.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from support.ports import free_ports

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ID = re.compile(r"\b([a-z]{1,4})_(?:[0-9a-z]{26}\b|…)")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
_MARK: Final = "\x1e"
# A house's own settings, and a verifier's memory, must not come from the machine that runs the test.
_OURS: Final = ("HOLDFAST_", "XDG_")

CURL: Final = r'''
"""What the pages use of curl, for machines without it."""
import argparse, sys, time, urllib.error, urllib.request
p = argparse.ArgumentParser()
p.add_argument("url")
p.add_argument("-H", action="append", default=[])
p.add_argument("-d")
p.add_argument("-o")
p.add_argument("-s", action="store_true")
p.add_argument("--retry", type=int, default=0)
p.add_argument("--retry-delay", type=float, default=0)
p.add_argument("--retry-connrefused", action="store_true")
a = p.parse_intermixed_args()
headers = dict(h.split(": ", 1) for h in a.H)
request = urllib.request.Request(a.url, a.d.encode() if a.d is not None else None, headers)
for left in range(a.retry, -1, -1):
    try:
        body = urllib.request.urlopen(request, timeout=30).read()
        break
    except urllib.error.HTTPError as refused:
        body = refused.read()
        break
    except urllib.error.URLError:
        if not left:
            sys.exit(7)
        time.sleep(a.retry_delay)
(open(a.o, "wb") if a.o else sys.stdout.buffer).write(body)
'''


@dataclass(frozen=True)
class Step:
    """One executed block: where it stands, what it says, and what it must print (None: not promised)."""

    place: str
    commands: str
    promised: str | None


@dataclass(frozen=True)
class Done:
    """What came of a step."""

    step: Step
    code: int
    printed: str


def steps(page: Path, *, until: str = "") -> list[Step]:
    """The executed blocks of ``page``, in order; with ``until`` only those before that text."""
    text = page.read_text()
    text = text[: text.index(until)] if until else text
    found: list[Step] = []
    previous = None
    for block in _BLOCK.finditer(text):
        kind, body = block.groups()
        if kind == "sh":
            line = text.count("\n", 0, block.start()) + 1
            found.append(Step(f"{page.name}:{line}", body, None))
        elif kind == "text" and previous == "sh":
            found[-1] = replace(found[-1], promised=body)
        previous = kind
    return found


def run(found: Sequence[Step], folder: Path) -> Iterator[Done]:
    """Run the steps in one shell in ``folder``, on free ports, and yield what each did.

    Whatever they leave running is ended.
    """
    console, data_plane = free_ports(2)
    script = "exec 2>&1\n" + "".join(
        f'{step.commands}printf "{_MARK}%s{_MARK}" $?\n' for step in found
    )
    kept = {k: v for k, v in os.environ.items() if not k.startswith(_OURS)}
    process = subprocess.Popen(
        ["bash", "-c", script],
        cwd=folder,
        env={
            **kept,
            "PATH": os.pathsep.join(_path(folder)),
            "HOLDFAST_DATA_PLANE_PORT": str(data_plane),
            "HOLDFAST_CONSOLE_PORT": str(console),
            "XDG_STATE_HOME": str(folder / "state"),
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        told, _ = process.communicate(timeout=600)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    parts = told.split(_MARK)
    for step, printed, code in zip(found, parts[0::2], parts[1::2], strict=False):
        yield Done(step, int(code), printed)
    assert len(parts) // 2 == len(found), f"the shell ended early: {parts[-1][-2000:]}"


def _path(folder: Path) -> list[str]:
    """The project's own commands first; a small curl last, if this machine has none."""
    path = [str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]
    if shutil.which("curl") is None:
        tools = folder / ".tools"
        tools.mkdir()
        (tools / "curl").write_text(f"#!{sys.executable}\n{CURL}")
        (tools / "curl").chmod(0o755)
        path.append(str(tools))
    return path


def wrong(done: Iterable[Done]) -> str:
    """Say which steps failed or printed something else than their page promises; nothing if all is true."""
    return "\n".join(
        f"--- {one.step.place} promises\n{one.step.promised}--- ended with {one.code}, printed\n{one.printed}"
        for one in done
        if one.code or not _kept(one)
    )


def _kept(done: Done) -> bool:
    promised = done.step.promised
    if promised is None:
        return True
    return bool(re.fullmatch(_pattern(_masked(promised)), _masked(done.printed)))


def _masked(text: str) -> str:
    text = "".join(f"{line.rstrip()}\n" for line in text.strip("\n").splitlines())
    return _TIME.sub("TIME", _ID.sub(r"\1_ID", text))


def _pattern(promised: str) -> str:
    lines = []
    for line in promised.splitlines():
        if line == "…":
            lines.append(r"(?:[^\n]*\n)*?")
        else:
            lines.append(r"[^\n]*?".join(map(re.escape, line.split("…"))) + r"\n")
    return "".join(lines)
