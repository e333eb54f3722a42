"""Produces the README's excerpt: a demo house in a temporary folder, its walk, and what it printed.

    python tools/excerpt.py           prints the excerpt
    python tools/excerpt.py --write   puts it into README.md

``tests/stories/test_readme.py`` runs the same and compares, but for ids and counts.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
BEGIN, END = "<!-- excerpt:begin -->", "<!-- excerpt:end -->"


def produce() -> str:
    """Run ``holdfast demo --walk-only`` on a new house and return its walk."""
    with tempfile.TemporaryDirectory() as folder, socket.socket() as one, socket.socket() as two:
        one.bind(("127.0.0.1", 0))
        two.bind(("127.0.0.1", 0))
        ports = one.getsockname()[1], two.getsockname()[1]
        one.close()
        two.close()
        clean = {name: value for name, value in os.environ.items() if "HOLDFAST_" not in name}
        done = subprocess.run(
            [sys.executable, "-m", "holdfast", "demo", "--walk-only"],
            env={
                **clean,
                "HOLDFAST_HOME": str(Path(folder) / "demo"),
                "HOLDFAST_CONSOLE_PORT": str(ports[0]),
                "HOLDFAST_DATA_PLANE_PORT": str(ports[1]),
                "XDG_STATE_HOME": str(Path(folder) / "state"),
            },
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise SystemExit(f"the demo failed ({done.returncode}):\n{done.stdout}\n{done.stderr}")
    walk = done.stdout[done.stdout.index("1. ") :].rstrip()
    return masked("\n".join(line.rstrip() for line in walk.splitlines()))


def masked(text: str) -> str:
    """Replace what differs from run to run."""
    return re.sub(r"\b(dec|stp|lf)_[0-9a-z]{26}", r"\1_…", text)


def block(excerpt: str) -> str:
    """The excerpt as it stands in the README."""
    return f"{BEGIN}\n```text\n$ make run\n…\n{excerpt}\n```\n{END}"


def in_readme() -> str:
    """The block as the README has it now."""
    text = (ROOT / "README.md").read_text("utf-8")
    return text[text.index(BEGIN) : text.index(END) + len(END)]


def main() -> None:
    """Print or write."""
    made = block(produce())
    if "--write" not in sys.argv:
        sys.stdout.write(made + "\n")
        return
    path = ROOT / "README.md"
    text = path.read_text("utf-8")
    path.write_text(text.replace(in_readme(), made), "utf-8")


if __name__ == "__main__":
    main()
