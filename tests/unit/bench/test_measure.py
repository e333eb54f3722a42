"""What the workloads compute from what they see."""

from __future__ import annotations

import subprocess
import sys

import pytest
from bench import measure
from bench.measure import Process, cpu_of, cpu_seconds, parse_stat, percentile, settle


def test_percentiles_of_a_hundred():
    values = [float(number) for number in range(100, 0, -1)]
    assert (percentile(values, 0), percentile(values, 0.5), percentile(values, 0.99)) == (
        1,
        51,
        100,
    )


def test_the_last_value_is_the_hundredth_percentile():
    assert percentile([3.0, 1.0], 1) == 3.0


def test_a_line_of_proc_with_a_command_that_holds_blanks_and_parentheses():
    ticks = measure.TICKS
    text = f"42 (a (b) c) S 7 42 42 0 -1 4194304 1 2 3 4 {2 * ticks} {ticks} {5 * ticks} {ticks} 20"
    assert parse_stat(text) == Process(42, 7, 3.0, 6.0)


def test_cpu_time_is_of_a_process_and_of_all_it_has_started():
    """A backend of PostgreSQL that has ended counts with who started it; a stranger's child does not."""
    among = [
        Process(1, 0, own_s=100.0, ended_s=100.0),
        Process(10, 1, own_s=1.0, ended_s=0.5),
        Process(11, 10, own_s=2.0, ended_s=0.0),
        Process(12, 11, own_s=4.0, ended_s=0.25),
        Process(20, 1, own_s=50.0, ended_s=0.0),
    ]
    assert cpu_of(10, among) == 7.75


def test_cpu_time_of_a_child_that_has_ended_is_counted():
    before = cpu_seconds(measure.os.getpid())
    burn = "import time\nuntil = time.process_time() + 0.2\nwhile time.process_time() < until: pass"
    subprocess.run([sys.executable, "-c", burn], check=True)
    assert cpu_seconds(measure.os.getpid()) - before >= 0.15


@pytest.mark.parametrize(
    ("seen", "quiet"), [([8000, 200, 300], True), ([200, 8000, 200, 200], True), ([8000], False)]
)
def test_a_disk_is_quiet_when_it_is_twice_in_a_row(tmp_path, seen, quiet):
    probes = iter([float(one) for one in seen])
    asked = []

    def probe(_folder, _count):
        asked.append(1)
        return next(probes)

    assert settle(tmp_path, limit_s=30.0 if quiet else 0.0, pause_s=0, probe=probe) is quiet
    assert len(asked) == len(seen)
