"""What a person sees whose machine lacks something."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[3]


def set_up(python: str, kind: str = "run") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", str(ROOT / "tools" / "setup.sh"), kind],
        env={**os.environ, "PYTHON": python},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_machine_without_python_3_11_is_told_what_to_install():
    done = set_up("python3.99-that-nobody-has")
    assert done.returncode == 2
    assert "apt-get install python3.11 python3.11-venv" in done.stderr


def test_an_interpreter_that_is_too_old_is_refused(tmp_path):
    old = tmp_path / "python"
    old.write_text("#!/bin/sh\n[ \"$1\" = -V ] && { echo 'Python 3.9.2'; exit 0; }\nexit 1\n")
    old.chmod(0o755)
    done = set_up(str(old))
    assert done.returncode == 2
    assert "Python 3.9.2" in done.stderr


def test_every_locked_package_is_pinned_with_hashes_and_names_no_index():
    for lock in ("requirements.txt", "requirements-dev.txt"):
        text = (ROOT / lock).read_text()
        assert "://" not in text
        entries = [line for line in text.splitlines() if line and line[0] not in " #"]
        assert entries
        assert all("==" in entry and entry.endswith("\\") for entry in entries)


def test_what_the_house_needs_is_a_part_of_what_its_tests_need():
    def pins(lock: str) -> set[str]:
        lines = (ROOT / lock).read_text().splitlines()
        return {line.split(" ")[0] for line in lines if "==" in line}

    assert pins("requirements.txt") <= pins("requirements-dev.txt")
