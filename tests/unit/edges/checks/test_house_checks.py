"""A house with keys and a published log passes; each thing that can be taken from it or set back is found."""

from __future__ import annotations

import shutil
from contextlib import closing

import pytest

from holdfast.edges.checks.catalogue import CHECKS
from holdfast.edges.checks.house import DEMO_FILE, demo
from holdfast.edges.checks.run import examine, require_sound
from holdfast.kit.clock import DAY_US
from holdfast.kit.config import load_settings
from holdfast.kit.db import Round
from holdfast.kit.errors import Unavailable
from holdfast.kit.ids import new_id
from holdfast.spine.actions.permit_keys import PermitKeys
from holdfast.spine.decision.store import ADD_CLIENT
from holdfast.spine.house import open_house
from holdfast.spine.ledger.keys import FOLDER
from holdfast.spine.ledger.recorder import append
from holdfast.spine.ledger.registrar import Registrar
from holdfast.spine.ledger.signer import LOGS
from holdfast.spine.vault.hierarchy import ensure_client_keys
from holdfast.spine.vault.roots import ROOT_FILE, FileRoot
from holdfast.vocabulary.ids import HOUSE_LOG, LEAF
from holdfast.vocabulary.leaves import Leaf, LeafType
from support.stores import SmallHouse, raw


class WithRoot(SmallHouse):
    """A small house that has keys, one client and a published log."""

    def __init__(self, home) -> None:
        super().__init__(home)
        home.chmod(0o700)
        self.home = home
        self.root = FileRoot.create(home / ROOT_FILE)
        self.signing = open_house(self.settings).found_signing_keys()
        self.transact(self._client())
        self.grow()

    def _client(self):
        yield Round(data=(ADD_CLIENT(client="bank-01", name="First Bank", added_us=1),))
        yield from ensure_client_keys(self.root, "bank-01")

    def grow(self) -> None:
        now = self.clock.now_us()
        leaf = Leaf(LeafType.HOUSE_FOUNDED, new_id(LEAF, now), now, {"by": "p_x", "version": "0"})

        def write():
            yield Round(data=(append(HOUSE_LOG, leaf),))

        self.transact(write())
        registrar = Registrar(self, self.signing)
        registrar.tick()
        registrar.close()

    def states(self) -> dict[str, str]:
        return {
            e.check.id: "skipped" if e.skipped else e.severity.value for e in examine(self.settings)
        }


@pytest.fixture
def house(tmp_path):
    made = WithRoot(tmp_path / "house")
    yield made
    made.close()


def test_a_whole_house_is_sound(house):
    states = house.states()
    skipped = {name for name, state in states.items() if state == "skipped"}
    assert set(states.values()) <= {"ok", "warning", "skipped"}
    assert skipped <= {check.id for check in CHECKS if ".server:" in check.run}
    require_sound(house.settings)


def test_a_root_key_that_others_can_read_is_refused(house):
    (house.home / ROOT_FILE).chmod(0o644)
    assert house.states()["keys.E001"] == "error"


def test_a_house_without_its_root_key_does_not_start(house):
    (house.home / ROOT_FILE).unlink()
    assert house.states()["keys.E001"] == "error"
    with pytest.raises(Unavailable, match=r"keys\.E001"):
        require_sound(house.settings)


def test_the_root_key_of_another_house_is_found_out(house):
    (house.home / ROOT_FILE).unlink()
    FileRoot.create(house.home / ROOT_FILE)
    found = house.states()
    assert found["keys.E001"] == "ok"
    assert found["keys.E002"] == found["logs.E001"] == "error"


def test_lost_signing_keys_are_not_replaced_by_the_check(house):
    (house.home / FOLDER / "keys").unlink()
    assert house.states()["logs.E001"] == "error"
    assert not (house.home / FOLDER / "keys").exists()


def test_a_lost_memory_of_what_was_signed_is_refused(house):
    (house.home / FOLDER / "memory.json").unlink()
    assert house.states()["logs.E001"] == "error"


def test_a_data_store_that_was_set_back_is_refused(house):
    house.data.raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    older = house.home.parent / "older.sqlite3"
    shutil.copy(house.settings.data_path, older)
    house.grow()
    house.close()
    for name in ("data.sqlite3", "data.sqlite3-wal", "data.sqlite3-shm"):
        (house.home / name).unlink(missing_ok=True)
    shutil.copy(older, house.settings.data_path)
    assert house.states()["logs.E002"] == "error"


def test_a_data_store_that_knows_nothing_of_a_published_log_is_refused(house):
    raw(house.data, "DELETE FROM ledger_tree")
    assert house.states()["logs.E002"] == "error"


def test_a_log_that_was_rewritten_is_refused(house):
    house.grow()
    raw(house.data, "UPDATE ledger_tree SET root = ?", (bytes(32),))
    assert house.states()["logs.E002"] == "error"


def test_a_house_that_never_published_is_sound_too(house):
    shutil.rmtree(house.home / LOGS)
    assert house.states()["logs.E002"] == "ok"


@pytest.mark.parametrize(("days", "state"), [(365, "ok"), (366, "warning")])
def test_a_key_for_permits_that_is_over_a_year_old_is_told_with_its_age(house, days, state):
    with closing(open_house(house.settings)) as opened:
        made_us = opened.clock.now_us() - days * DAY_US
        opened.permit_key_file.replace(PermitKeys.first(made_us))
    (found,) = [one for one in examine(house.settings) if one.check.id == "keys.W001"]
    assert found.severity.value == state
    assert all(f"{days} days old" in finding.message for finding in found.findings)


def test_the_check_makes_no_key_for_permits(house):
    assert house.states()["keys.W001"] == "ok"
    with closing(open_house(house.settings)) as opened:
        assert opened.permit_key_file.read() is None


@pytest.mark.parametrize(
    "more",
    [
        {"HOLDFAST_ORIGIN": "https://holdfast.example.com"},
        {"HOLDFAST_CONSOLE_HOST": "0.0.0.0"},
        {"HOLDFAST_TRUSTED_PROXIES": "127.0.0.0/8"},
        {},  # on this machine, but in a house that somebody uses
    ],
)
def test_a_demo_that_others_reach_or_in_a_house_of_its_own_does_not_start(tmp_path, more):
    (tmp_path / "house").mkdir(mode=0o700)
    if more:
        (tmp_path / "house" / DEMO_FILE).touch()
    settings = load_settings(tmp_path / "house", {"HOLDFAST_DEMO": "true", **more})
    assert [finding.message for finding in demo(settings)]


def test_the_demo_itself_passes(tmp_path):
    (tmp_path / DEMO_FILE).touch()
    assert list(demo(load_settings(tmp_path, {"HOLDFAST_DEMO": "true"}))) == []
