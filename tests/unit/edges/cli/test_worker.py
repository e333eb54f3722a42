"""`holdfast worker` on its own publishes what was committed, and stops when asked."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from support.server import environment, holdfast

LONGEST_S = 180


@pytest.mark.slow
@pytest.mark.server
def test_a_worker_on_its_own_publishes_the_log_and_stops_when_asked(tmp_path):
    home = tmp_path / "house"
    assert holdfast(home, "init").returncode == 0
    checkpoint = home / "logs" / "house" / "checkpoint"
    process = subprocess.Popen([sys.executable, "-m", "holdfast", "worker"], env=environment(home))
    try:
        # Waits for what is promised; the bound only keeps a broken worker from hanging the run.
        patience = time.monotonic() + LONGEST_S
        while not checkpoint.exists() and process.poll() is None and time.monotonic() < patience:
            time.sleep(0.05)
        assert process.poll() is None
        assert checkpoint.exists()
        process.terminate()
        assert process.wait(LONGEST_S) == 0
    finally:
        process.kill()
        process.wait()
