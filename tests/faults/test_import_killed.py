"""An import killed with -9 between any two statements leaves whole batches, and the next run ends as if nothing was."""

from __future__ import annotations

import os
import random
import signal
from contextlib import contextmanager

import pytest

from holdfast.kit.terminal import Quiet
from holdfast.procedures.classification.services.importing import Options, Target, import_file
from holdfast.spine.house import House, Stores
from support.customers import plain_rows, write_csv
from support.imports import ImportHouse

ROWS = 130  # in batches of 50
BAD = (3, 120)  # in the first and in the last
OPTIONS = Options(batch_rows=50)
KILLS = 50
TARGET = Target("bank-01", "customers")


class DoomedHouse(House):
    """A house whose process is killed before the n-th statement that the vault runs."""

    left = 0

    @contextmanager
    def stores(self):
        with super().stores() as stores:
            for connection in (stores.data, stores.keys):
                connection.raw.set_trace_callback(self._tick)
            yield Stores(*stores)

    def _tick(self, _statement):
        type(self).left -= 1
        if type(self).left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def killed_at(imports, file, statement):
    """Import in a child process that dies before the given statement; say whether it died."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            DoomedHouse.left = statement
            house = DoomedHouse(imports.house.settings, imports.clock)
            import_file(house, TARGET, file, options=OPTIONS, told=Quiet())
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return True
    assert os.WEXITSTATUS(status) == 0
    return False


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    rows = list(plain_rows(ROWS))
    for number in BAD:
        rows[number] = {**rows[number], "dob": "soon"}
    return write_csv(tmp_path_factory.mktemp("file") / "bank.csv", rows)


@pytest.fixture(scope="module")
def expected(file, tmp_path_factory):
    """What an import that nobody disturbs leaves, and how many statements it takes."""
    imports = ImportHouse(tmp_path_factory.mktemp("whole") / "home")
    counting = DoomedHouse(imports.house.settings, imports.clock)
    DoomedHouse.left = 10**9
    outcome = import_file(counting, TARGET, file, options=OPTIONS, told=Quiet())
    statements = 10**9 - DoomedHouse.left
    counting.close()
    records = imports.records()
    listed = outcome.rejects.read_bytes()
    imports.close()
    return records, statements, listed


def committed(imports):
    """Records by leaf and by row: the same, or a batch stands half."""
    told = sum(leaf["new"] for leaf in imports.leaves("records.imported"))
    return told, sum(imports.versions().values())


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(KILLS))
def test_an_import_killed_anywhere_ends_the_same(seed, file, expected, tmp_path):
    records, statements, listed = expected
    imports = ImportHouse(tmp_path / "home")
    imports.house.close()
    # Early and late statements are as likely as the many in the middle.
    chance = random.Random(seed)
    edge = chance.choice((0, statements // 2, statements))
    at = (
        chance.randrange(1, statements)
        if seed % 2
        else min(max(1, edge + chance.randrange(-40, 40)), statements)
    )
    assert killed_at(imports, file, at)
    told, stored = committed(imports)
    assert told == stored, "no batch stands half"
    assert imports.records().items() <= records.items(), "what is in can be opened and is right"
    outcome = imports.run(file, batch_rows=50)
    assert imports.records() == records
    assert imports.versions() == {1: ROWS - len(BAD)}
    assert outcome.new + outcome.unchanged == ROWS - len(BAD)
    assert outcome.rejected == len(BAD)
    assert outcome.rejects.read_bytes() == listed
    assert imports.under_way() == 0
    assert committed(imports) == (ROWS - len(BAD),) * 2
    again = imports.run(file, batch_rows=50)
    assert (again.new, again.changed, again.unchanged) == (0, 0, ROWS - len(BAD))
    imports.close()


@pytest.mark.slow
def test_an_import_killed_again_and_again_ends_the_same(file, expected, tmp_path):
    records, statements, _ = expected
    imports = ImportHouse(tmp_path / "home")
    imports.house.close()
    chance = random.Random(7)
    for _ in range(12):
        if not killed_at(imports, file, chance.randrange(1, statements)):
            break
    imports.run(file, batch_rows=50)
    assert imports.records() == records
    assert set(imports.versions()) == {1}
    imports.close()
