"""Attacks on the file: read by others, cut off, taken too late, half written, left in clear somewhere."""

from __future__ import annotations

import hashlib
import json
from io import BytesIO

import pytest

from holdfast.drills.bank.build import import_customers
from holdfast.kit.errors import Conflict, IntegrityBroken
from holdfast.spine.actions.sealed_file import CHUNK_BYTES, SealedWriter, open_file
from holdfast.spine.operations.export import list_exports
from holdfast.spine.operations.export_job import expire_exports, run_export
from support.bank import customer
from support.exporting import FIELDS, Exporter, new_key
from support.stores import raw

HOUR = 3600


@pytest.fixture
def exporter(tmp_path):
    exporter = Exporter(tmp_path / "house")
    yield exporter
    exporter.bank.close()


@pytest.fixture
def done(exporter):
    ordered = exporter.ordered()
    exporter.run(ordered)
    return ordered


def types(exporter):
    return [leaf["type"] for leaf in exporter.bank.leaves() if leaf["type"].startswith("export.")]


def test_the_recipient_reads_it_masked_where_the_contract_says(exporter, done):
    rows = exporter.opened(exporter.fetch(done))
    assert len(rows) == 5
    assert set(rows[0]) == set(FIELDS)
    assert {row["name"] for row in rows} == {customer(n)["name"] for n in range(1, 6)}
    assert {row["balance"] for row in rows} == {customer(n)["balance"] for n in range(1, 6)}
    assert all(row["phone"].startswith("••••••••") for row in rows)
    assert all("••••••" in row["card"] for row in rows)
    assert types(exporter) == ["export.requested", "export.finished", "export.fetched"]


def test_no_value_stands_in_clear_anywhere(exporter):
    before = exporter.bank.all_bytes()
    ordered = exporter.ordered()
    exporter.run(ordered)
    exporter.fetch(ordered)
    after = exporter.bank.all_bytes()
    for number in range(1, 6):
        for field in ("name", "balance", "phone"):
            value = customer(number)[field].encode()
            assert after.count(value) == before.count(value), field


def test_by_another_key(exporter, done):
    sealed = exporter.fetch(done)
    with pytest.raises(IntegrityBroken):
        exporter.opened(sealed, new_key()[1])


def test_a_file_that_was_cut_off_or_changed(exporter, done):
    sealed = exporter.fetch(done)
    for broken in (sealed[:-1], sealed[:-40], sealed[:-1] + b"x", b"x" + sealed[1:], sealed + b"x"):
        with pytest.raises(IntegrityBroken):
            exporter.opened(broken)


def test_a_header_that_says_something_else(exporter, done):
    sealed = exporter.fetch(done)
    with pytest.raises(IntegrityBroken):
        exporter.opened(sealed.replace(b'"client":"bank-01"', b'"client":"bank-02"'))


@pytest.mark.parametrize(
    "size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES]
)
def test_chunks_that_are_left_out_or_put_in_another_order(size):
    public, private = new_key()
    file, content = BytesIO(), bytes(range(256)) * (size // 256 + 1)
    writer = SealedWriter(file, public, {"x": 1})
    for start in range(0, size, 1000):
        writer.write(content[start : min(size, start + 1000)])
    writer.finish()
    sealed = file.getvalue()
    assert b"".join(open_file(BytesIO(sealed), private)) == content[:size]
    length = 12 + int.from_bytes(sealed[8:12], "big")
    parts = [
        sealed[at : at + CHUNK_BYTES + 16] for at in range(length, len(sealed), CHUNK_BYTES + 16)
    ]
    wrong = [parts[:-1], parts[1:], parts[::-1], [*parts, parts[-1]]]
    for chosen in wrong:
        if chosen == parts:
            continue
        with pytest.raises(IntegrityBroken):
            list(open_file(BytesIO(sealed[:length] + b"".join(chosen)), private))


def test_taken_after_its_time(exporter, done):
    path = exporter.file(done)
    exporter.bank.advance(48 * HOUR)
    with pytest.raises(Conflict):
        exporter.fetch(done)
    exporter.ordered()  # whose line tells the time
    expire_exports(exporter.house)
    assert path.exists(), "what destroys was due at two checks, a day apart"
    exporter.bank.advance(25 * HOUR)
    exporter.ordered()  # whose line tells the time
    for _ in range(2):
        expire_exports(exporter.house)
    assert not path.exists()
    with pytest.raises(Conflict):
        exporter.fetch(done)
    assert types(exporter)[-1] == "export.expired"
    assert types(exporter).count("export.expired") == 1


def test_a_file_that_an_earlier_version_has_sealed_is_taken_and_deleted(exporter, done):
    file = exporter.file(done)
    earlier = file.rename(file.with_name(f"{done.export}.hfex"))
    assert len(exporter.opened(exporter.fetch(done))) == 5
    for hours in (48, 25):
        exporter.bank.advance(hours * HOUR)
        exporter.ordered()  # whose line tells the time
        expire_exports(exporter.house)
    assert not earlier.exists()


def test_taken_before_it_is_done(exporter):
    ordered = exporter.ordered()
    with pytest.raises(Conflict):
        exporter.fetch(ordered)


def test_a_file_that_is_gone_is_not_told_as_taken(exporter, done):
    exporter.file(done).unlink()
    with pytest.raises(Conflict):
        exporter.fetch(done)
    assert "export.fetched" not in types(exporter)


def test_the_contract_is_narrowed_before_the_worker_comes(exporter):
    ordered = exporter.ordered()
    with exporter.house.stores() as stores:
        raw(stores.data, "UPDATE actions_export SET key = ?", (new_key()[0],))
    exporter.run(ordered)
    assert exporter.state(ordered) == "failed"
    (leaf,) = exporter.bank.leaves("export.failed")
    assert leaf["reason"] == "export.recipient"


class Killed(BaseException):
    """What ends a process without a word."""


def test_killed_in_the_middle(exporter):
    ordered = exporter.ordered()
    beat, exporter.beat = exporter.beat, None

    def die():
        raise Killed

    exporter.beat = die
    with pytest.raises(Killed):
        exporter.run(ordered)
    folder = exporter.house.home / "exports" / "bank-01"
    assert list(folder.iterdir()) == []
    (folder / f"{ordered.export}.part").write_bytes(b"half")  # what a power failure leaves
    assert exporter.state(ordered) == "waiting"
    exporter.beat = beat
    exporter.run(ordered)
    assert len(exporter.opened(exporter.fetch(ordered))) == 5
    assert [path.suffix for path in folder.iterdir()] == [".hfex"]


def test_two_runs_at_once_whoever_is_faster(exporter):
    """A worker that was stopped for longer than its lease wakes when another has begun the same job anew."""
    ordered = exporter.ordered()
    exporter.beat = lambda: run_export(exporter.house, {"export": ordered.export}, lambda: None)
    with pytest.raises(Conflict):
        exporter.run(ordered)  # with a whole run of another worker in the middle
    sealed = exporter.file(ordered).read_bytes()
    assert len(exporter.opened(sealed)) == 5
    (leaf,) = exporter.bank.leaves("export.finished")
    (shown,) = exporter.house.transact(list_exports(exporter.house, exporter.dpo, "bank-01"))
    assert shown.sha256 == hashlib.sha256(sealed).hexdigest()
    assert leaf["file"] == shown.commitment


def test_a_run_that_wakes_when_another_is_under_way_takes_nothing_from_it(exporter):
    """The one that wakes has lost the job: it ends without a file, and the other's is whole."""
    ordered = exporter.ordered()

    def lost():
        raise Conflict("the lease has lapsed", code="lease_lost")

    def wakes():
        with pytest.raises(Conflict):
            run_export(exporter.house, {"export": ordered.export}, lost)

    exporter.beat = wakes
    exporter.run(ordered)
    assert len(exporter.opened(exporter.file(ordered).read_bytes())) == 5
    assert types(exporter).count("export.finished") == 1


def test_run_twice(exporter, done):
    sealed = exporter.fetch(done)
    exporter.run(done)
    assert exporter.fetch(done) == sealed
    assert types(exporter).count("export.finished") == 1


def test_the_log_commits_to_the_file(exporter, done):
    sealed = exporter.fetch(done)
    (shown,) = exporter.house.transact(list_exports(exporter.house, exporter.dpo, "bank-01"))
    (leaf,) = exporter.bank.leaves("export.finished")
    assert shown.sha256 == hashlib.sha256(sealed).hexdigest()
    assert leaf["file"] == shown.commitment
    assert leaf["count"] == 5


def test_a_customer_who_was_erased_since_it_was_ordered(exporter):
    from holdfast.spine.vault.hierarchy import client_keys
    from holdfast.spine.vault.shred import request_shred

    ordered = exporter.ordered()
    keys = exporter.house.read(client_keys(exporter.house.keks, "bank-01", 1))
    gone = exporter.bank.id_of("C00002")
    now = exporter.bank.clock.now_us()
    exporter.house.transact(request_shred(keys, gone, by="p_x", now_us=now))
    exporter.run(ordered)
    names = {row["name"] for row in exporter.opened(exporter.fetch(ordered))}
    assert len(names) == 4
    assert customer(2)["name"] not in names


@pytest.mark.parametrize(("grown_by", "state"), [(0, "done"), (1, "done"), (2, "failed")])
def test_what_is_imported_after_the_yes_carries_more_out_than_the_contract_allows(
    tmp_path, grown_by, state
):
    exporter = Exporter(tmp_path / "capped", rows_at_most=6)
    export = exporter.ordered()
    more = [customer(n) for n in range(6, 6 + grown_by)]
    if more:
        import_customers(exporter.house, exporter.bank.admin, more)
    exporter.run(export)
    assert exporter.state(export) == state
    if state == "failed":
        assert exporter.bank.leaves("export.failed")[-1]["reason"] == "export.rows"
        assert not list((tmp_path / "capped").rglob("*.hfex"))
    else:
        assert exporter.bank.leaves("export.finished")[-1]["count"] == 5 + grown_by
    exporter.bank.close()


def test_a_record_that_was_changed_in_the_store(exporter):
    ordered = exporter.ordered()
    with exporter.house.stores() as stores:
        raw(
            stores.data,
            "UPDATE vault_record SET body = ? WHERE id = (SELECT MIN(id) FROM vault_record)",
            (bytes(64),),
        )
    exporter.run(ordered)
    assert exporter.state(ordered) == "failed"
    (leaf,) = exporter.bank.leaves("export.failed")
    assert leaf["reason"] == "vault.integrity"
    assert list((exporter.house.home / "exports" / "bank-01").iterdir()) == []


def test_the_row_holds_no_list_of_customers_once_it_is_over(exporter):
    ordered = exporter.ordered(customers=("C00001", "C00002"))
    assert "cus_" in json.dumps(exporter.bank.sql("SELECT customers FROM actions_export"))
    exporter.run(ordered)
    assert exporter.bank.sql("SELECT customers FROM actions_export") == [("null",)]
    assert len(exporter.opened(exporter.fetch(ordered))) == 2
