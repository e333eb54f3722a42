"""Every workload of bench/ runs, on both storages, and says what it found; how fast is not asked here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from bench.catalogue import NAMES

from support.cluster import binaries

ROOT = Path(__file__).parents[2]
COMMANDS = [
    (module, storage)
    for module in NAMES
    for storage in import_module(f"bench.{module}").WORKLOAD.storages
]


@pytest.mark.slow
@pytest.mark.server
@pytest.mark.parametrize(("module", "storage"), COMMANDS)
def test_runs(module, storage, monkeypatch):
    if storage == "postgresql" and binaries() is None:
        pytest.skip("PostgreSQL is not installed: `make setup-services`")
    monkeypatch.delenv("HOLDFAST_HOME")
    in_memory = Path("/dev/shm")  # a server that waits for the disk takes a while to be made on one
    if os.access(in_memory, os.W_OK):
        monkeypatch.setenv("BENCH_DIR", str(in_memory))
    kept = sorted(ROOT.glob("bench/results/*"))
    words = [sys.executable, "-m", f"bench.{module}", "--quick", "--json", "--storage", storage]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout)
    assert (found["workload"], found["storage"]) == (module, storage)
    assert all(line["operations"] > 0 for line in found["lines"])
    if storage == "postgresql":
        assert any(line["cpu_us"]["database"] for line in found["lines"])
    assert sorted(ROOT.glob("bench/results/*")) == kept, "a quick result is not kept"
