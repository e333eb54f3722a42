"""The process dies before any write, or any move of a file, of an export: the next run ends it, with one whole file."""

from __future__ import annotations

import os
import shutil
import sys
from hashlib import sha256

import pytest

from holdfast.spine.operations.export_job import expire_exports, run_export
from support.bank import Bank
from support.exporting import Exporter, the_file
from support.stores import FakeClock
from support.vault import Killed, MortalHouse

MOST_STEPS = 100
DIED = 9
FILES = (".part", ".hfex")


class Doomed(MortalHouse):
    """A house whose process ends, without a chance to tidy up, before its ``lives``-th step."""

    def watch_files(self) -> None:
        """Opening, moving and removing the files of an export are steps, too."""
        sys.addaudithook(self._step)

    def _step(self, event: str, arguments: tuple[object, ...]) -> None:
        if event in {"open", "os.rename", "os.remove"} and str(arguments[0]).endswith(FILES):
            self._life[0] -= 1
            if self._life[0] <= 0:
                os._exit(DIED)


def ends_in_a_child(home, now_us, export, lives):
    """Run the job in a process of its own; return whether it came to its end."""
    child = os.fork()
    if child == 0:  # nothing of the parent's may run in here
        code = 1
        try:
            house = Doomed(Bank(home, FakeClock(now_us)).house, lives)
            house.watch_files()
            run_export(house, {"export": export}, lambda: None)
            code = 0
        except Killed:
            code = DIED
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in {0, DIED}
    return code == 0


@pytest.fixture
def ordered(tmp_path):
    exporter = Exporter(tmp_path / "made")
    done = exporter.ordered()
    exporter.bank.close()
    return exporter, done


def files_of(home):
    return sorted(path.name for path in (home / "exports").rglob("*") if path.is_file())


@pytest.mark.slow
def test_an_export_killed_before_any_step_is_whole_after_the_next_run(tmp_path, ordered):
    exporter, export = ordered
    now_us, deaths = exporter.bank.clock.now_us(), 0
    for lives in range(1, MOST_STEPS):
        home = tmp_path / str(lives)
        shutil.copytree(tmp_path / "made", home)
        ended = ends_in_a_child(home, now_us, export.export, lives)
        bank = Bank(home, FakeClock(now_us))
        if not ended:
            deaths += 1
            ((state,),) = bank.sql("SELECT state FROM actions_export")
            assert len(bank.leaves("export.finished")) == (state == "done")
        run_export(bank.house, {"export": export.export}, lambda: None)
        file = the_file(home, export.export)
        assert files_of(home) == [file.name], "no half file"
        (told,) = bank.leaves("export.finished")
        assert told["count"] == 5
        ((state, digest),) = bank.sql("SELECT state, digest FROM actions_export")
        sealed = file.read_bytes()
        assert (state, digest) == ("done", sha256(sealed).hexdigest())
        assert len(exporter.opened(sealed)) == 5
        bank.close()
        shutil.rmtree(home)
        if ended:
            break
    else:
        pytest.fail("it never came to its end")
    assert deaths > 5


@pytest.mark.slow
def test_what_nobody_comes_back_for_is_gone_when_its_time_is_over(tmp_path, ordered):
    exporter, export = ordered
    now_us = exporter.bank.clock.now_us()
    left = set()
    for lives in range(1, MOST_STEPS):
        home = tmp_path / str(lives)
        shutil.copytree(tmp_path / "made", home)
        ended = ends_in_a_child(home, now_us, export.export, lives)
        left.update(name.rpartition(".")[2] for name in files_of(home))
        bank = Bank(home, FakeClock(now_us))
        for _ in range(3):
            bank.advance(49 * 3600)
            bank.connect(f"CT-{_}")
            bank.reveal("C00001", ["name"], contact=f"CT-{_}")  # whose line tells the time
            expire_exports(bank.house)
        assert files_of(home) == [], lives
        assert bank.sql("SELECT state FROM actions_export") == [("expired",)]
        bank.close()
        shutil.rmtree(home)
        if ended:
            break
    assert {"part", "hfex"} <= left, "it was killed with either on the disk"
