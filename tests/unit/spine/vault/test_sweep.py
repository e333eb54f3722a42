from __future__ import annotations

import pytest

from holdfast.kit.clock import HOUR_US
from holdfast.spine.ledger import lease as leases
from holdfast.spine.vault.drafting import draft
from holdfast.spine.vault.sweep import sweep
from support.vault import Killed, MortalHouse, new_vault, row

TABLES = ("dek", "index", "import_key", "head", "operation")


@pytest.fixture
def vault(tmp_path):
    vault = new_vault(tmp_path)
    vault.write(row(1))
    yield vault
    vault.close()


def counts(vault):
    return {t: vault.sql(f"SELECT COUNT(*) FROM keyring_{t}", store="keys")[0][0] for t in TABLES}


def prepare(vault, *rows):
    """Add keys of a batch that never commits, as a killed import leaves them."""
    with vault.writer() as writer:
        read, _ = writer._read(rows)
        made = draft(writer._tools, read, writer._known(read), now_us=vault.clock.now_us())
        assert writer._add_keys(made)
        writer._owed = []
    return made


def test_what_never_committed_is_removed_after_an_hour_and_nothing_else(vault):
    before = counts(vault)
    prepare(vault, row(1, balance="9"), row(2), row(3))
    assert sweep(vault.house) == (0, 0)
    vault.clock.advance(HOUR_US)
    assert sweep(vault.house) == (0, 1)
    assert counts(vault) == before
    assert vault.reveal(1, "balance") == {"balance": "1.50"}


def test_keys_that_a_second_run_took_over_are_not_removed(vault):
    prepare(vault, row(2), row(3))
    vault.clock.advance(HOUR_US - 1)
    assert vault.write(row(2)).new == 1
    vault.clock.advance(1)
    assert sweep(vault.house) == (0, 1)
    assert vault.reveal(2, "name") == {"name": "Ana Cruz c"}
    assert vault.write(row(2), row(3))[:4] == (1, 0, 1, 0)
    assert vault.reveal(3, "name") == {"name": "Ana Cruz d"}


def test_a_writer_that_slept_through_the_sweep_does_not_commit_without_keys(vault):
    with vault.writer() as writer:
        read, _ = writer._read([row(2)])
        made = draft(writer._tools, read, writer._known(read), now_us=vault.clock.now_us())
        assert writer._add_keys(made)
        vault.clock.advance(2 * HOUR_US)
        assert sweep(vault.house) == (0, 1)
        assert not writer._commit(made)
        assert writer.write([row(2)]).new == 1
    assert vault.reveal(2, "name") == {"name": "Ana Cruz c"}


def test_keys_swept_while_a_second_run_was_looking_are_made_anew(vault):
    prepare(vault, row(2))
    with vault.writer() as writer:
        read, _ = writer._read([row(2)])
        stale = draft(writer._tools, read, writer._known(read), now_us=vault.clock.now_us())
        assert stale.taken_deks
        vault.clock.advance(2 * HOUR_US)
        assert sweep(vault.house) == (0, 1)
        assert not writer._add_keys(stale)
        assert writer.write([row(2)]).new == 1
    assert vault.reveal(2, "name") == {"name": "Ana Cruz c"}


def test_a_batch_that_died_after_its_commit_is_tidied_up_after(vault):
    before = counts(vault)
    house = MortalHouse(vault.house, 10_000)

    def dies():
        with vault.writer(house=house) as writer:
            assert writer.write([row(1, phone="+12025550155")]).changed == 1
            house._life[0] = 0

    with pytest.raises(Killed):
        dies()
    assert counts(vault) != before
    assert sweep(vault.house) == (1, 0)
    assert counts(vault) == before
    assert vault.reveal(1, "phone") == {"phone": "••••••••55"}


def test_nothing_that_was_superseded_goes_while_a_copy_is_begun(vault):
    """The copy's snapshot of the records may still refer to it."""
    before = counts(vault)
    taken = leases.take(leases.COPY, "c", "c", now_us=vault.clock.now_us())
    vault.house.transact(taken)
    vault.write(row(1, phone="+12025550155"))
    vault.update(1, phone="+12025550156")
    assert counts(vault)["head"] == before["head"] + 2
    assert sweep(vault.house) == (0, 0)
    assert counts(vault)["head"] == before["head"] + 2
    vault.clock.advance(leases.TIME_TO_LIVE_US)  # who held it has died
    assert sweep(vault.house) == (2, 0)
    assert counts(vault) == before
