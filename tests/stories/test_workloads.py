"""Every workload of bench/ runs, on both storages, and says what it found; how fast is not asked here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from importlib import import_module
from pathlib import Path

import pytest
from bench.catalogue import NAMES
from bench.house import found as found_house

from support.cluster import binaries
from support.peers import TOKEN, Bunker, Transit, served

ROOT = Path(__file__).parents[2]
COMMANDS = [
    (module, storage)
    for module in NAMES
    for storage in import_module(f"bench.{module}").WORKLOAD.storages
]


@pytest.fixture(scope="module")
def blank(tmp_path_factory):
    """An empty house, which workloads on SQLite copy; on PostgreSQL each founds its own."""
    home = tmp_path_factory.mktemp("blank") / "house"
    home.mkdir(mode=0o700)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("HOLDFAST_HOME")
        found_house(home)
    return home


@pytest.fixture
def run(monkeypatch, blank):
    """A workload's quick result, with more of the environment if that is given."""
    monkeypatch.delenv("HOLDFAST_HOME")
    monkeypatch.setenv("BENCH_BLANK", str(blank))
    in_memory = Path("/dev/shm")  # a server that waits for the disk takes a while to be made on one
    if os.access(in_memory, os.W_OK):
        monkeypatch.setenv("BENCH_DIR", str(in_memory))

    def quick(module, storage, **more):
        words = [sys.executable, "-m", f"bench.{module}", "--quick", "--json"]
        environment = {**os.environ, **more}
        done = subprocess.run(
            [*words, "--storage", storage],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout)

    return quick


@pytest.mark.slow
@pytest.mark.server
@pytest.mark.parametrize(("module", "storage"), COMMANDS)
def test_runs(module, storage, run):
    if storage == "postgresql" and binaries() is None:
        pytest.skip("PostgreSQL is not installed: `make setup-services`")
    kept = sorted(ROOT.glob("bench/results/*"))
    found = run(module, storage)
    assert (found["workload"], found["storage"]) == (module, storage)
    assert all(line["operations"] > 0 for line in found["lines"])
    if storage == "postgresql":
        assert any(line["cpu_us"]["database"] is not None for line in found["lines"])
    assert sorted(ROOT.glob("bench/results/*")) == kept, "a quick result is not kept"


@pytest.mark.slow
@pytest.mark.server
def test_holdfast_and_both_peers_run_in_one_go(run):
    with served(Transit()) as transit, served(Bunker()) as bunker:
        found = run(
            "peers",
            "sqlite",
            HOLDFAST_BENCH_OPENBAO_URL=transit,
            HOLDFAST_BENCH_OPENBAO_TOKEN=TOKEN,
            HOLDFAST_BENCH_DATABUNKER_URL=bunker,
            HOLDFAST_BENCH_DATABUNKER_TOKEN=TOKEN,
        )
    assert found["details"]["not_present"] == []
    asked = [line["what"].partition(": ")[0] for line in found["lines"]]
    assert Counter(asked) == {"Holdfast": 5, "OpenBao transit": 4, "Databunker": 5}
