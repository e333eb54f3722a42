"""A client learns from a bundle whether it is whole, who signed it, and whether it continues what was seen."""

from __future__ import annotations

import json
import shutil

import pytest

from holdfast.kit.canonical import canonical_json
from holdfast.kit.clock import rfc3339
from holdfast.kit.db import Round
from holdfast.kit.errors import Conflict, InvalidInput, NotFound, Unavailable
from holdfast.spine.ledger.export import export_bundle
from holdfast.spine.ledger.note import parse_vkey
from holdfast.spine.ledger.recorder import append_entry
from holdfast.spine.ledger.statements import sign_statement
from holdfast.spine.ledger.verify import Given, Outcome, verify_bundle
from holdfast.spine.ledger.verify.history import UserMemory, state_folder
from holdfast.vocabulary.leaves import SPECS, Leaf, LeafType
from support.bundles import Client, codes
from support.ledger import BANK, SHOP, a_leaf
from support.stores import NOON_US
from support.vectors import vectors


@pytest.fixture
def client(house, tmp_path):
    return Client(house, tmp_path / "client")


def test_an_exported_log_is_authentic(house, client):
    house.grown(BANK, 600)
    report = client.verify(client.export())
    assert report.outcome is Outcome.AUTHENTIC
    assert report.size == 600
    assert report.origin == house.signing.origin(BANK)
    assert len(report.signed_by) == 2
    assert report.types == {"decision.read": 600}
    assert report.history.startswith("first sight")
    assert report.first_leaf < report.last_leaf
    assert report.signed_at == "2026-11-23T12:00:00.000000Z"  # whole seconds


def test_without_a_key_it_is_only_consistent_with_itself(house, client):
    house.grown(BANK, 3)
    report = client.verify(client.export(), keys=())
    assert report.outcome is Outcome.NOT_AUTHENTICATED
    assert not report.signed_by
    # Nothing was authenticated, so nothing is remembered.
    assert client.verify(client.export()).history.startswith("first sight")


def test_a_mirror_of_the_published_files_is_as_good_as_an_export(house, client):
    house.grown(BANK, 300)
    assert client.verify(house.folder(BANK)).outcome is Outcome.AUTHENTIC


def test_a_mirror_whose_tiles_have_grown_since_still_shows_its_checkpoint(house, client, tmp_path):
    house.grown(BANK, 300)
    early = (house.folder(BANK) / "checkpoint").read_bytes()
    house.grown(BANK, 300)
    mirror = tmp_path / "mirror"
    shutil.copytree(house.folder(BANK), mirror)
    (mirror / "checkpoint").write_bytes(early)
    report = client.verify(mirror)
    assert (report.outcome, report.size) == (Outcome.AUTHENTIC, 300)


def test_each_sight_continues_the_last_one(house, client):
    house.grown(BANK, 10)
    assert client.verify(client.export()).history.startswith("first sight")
    assert client.verify(client.export()).history.startswith("continues the 10 leaves")
    house.grown(BANK, 500)
    assert client.verify(client.export()).history.startswith("continues the 10 leaves")
    assert client.verify(client.export()).history.startswith("continues the 510 leaves")


def test_an_earlier_checkpoint_shows_that_the_log_only_grew(house, client):
    house.grown(BANK, 10)
    since = (client.export() / "checkpoint").read_bytes()
    house.grown(BANK, 300)
    report = client.verify(client.export(), since=since)
    assert report.outcome is Outcome.AUTHENTIC
    assert report.history == "continues the 10 leaves of the checkpoint given with --since"


def test_an_earlier_checkpoint_of_another_log_or_signer_is_refused_as_input(house, client):
    house.grown(BANK, 3)
    house.grown(SHOP, 3)
    bundle = client.export()
    other = (house.folder(SHOP) / "checkpoint").read_bytes()
    for since in (other, b"", b"nonsense", (bundle / "checkpoint").read_bytes()[:-9]):
        with pytest.raises(InvalidInput):
            client.verify(bundle, since=since)
    with pytest.raises(InvalidInput):
        client.verify(bundle, keys=(), since=other)


def test_a_key_of_another_log_authenticates_nothing(house, client):
    house.grown(BANK, 3)
    others = [parse_vkey(vkey) for vkey in house.vkeys(SHOP)]
    report = client.verify(client.export(), keys=others)
    assert report.outcome is Outcome.BROKEN
    assert codes(report) == {"signature_missing", "wrong_log"}


def test_a_folder_without_a_log_is_refused_as_input(client, tmp_path):
    with pytest.raises(InvalidInput):
        client.verify(tmp_path)


def test_an_unreadable_memory_is_not_taken_for_a_first_sight(house, client):
    house.grown(BANK, 3)
    bundle = client.export()
    client.verify(bundle)
    (file,) = (client.desk / "state").iterdir()
    for content in (b"", b"{}", file.read_bytes().replace(b"bank", b"bonk")):
        file.write_bytes(content)
        with pytest.raises(Unavailable):
            client.verify(bundle)


def test_a_memory_that_cannot_be_written_is_said(house, client, tmp_path):
    house.grown(BANK, 3)
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where the folder would be")
    report = verify_bundle(client.export(), Given(UserMemory(blocked / "x"), NOON_US, client.keys))
    assert report.outcome is Outcome.AUTHENTIC
    assert "could not be remembered" in report.notes[-1]


def test_the_memory_stands_where_the_user_keeps_state(tmp_path):
    assert state_folder({}, tmp_path) == tmp_path / ".local/state/holdfast/verified"
    assert (
        state_folder({"XDG_STATE_HOME": "/var/x"}, tmp_path).as_posix()
        == "/var/x/holdfast/verified"
    )
    assert state_folder({"XDG_STATE_HOME": "relative"}, tmp_path).is_relative_to(tmp_path)


def entry_of(**changes):
    return canonical_json({"v": 1, "type": "decision.read", "id": "lf_x", "time": "", **changes})


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        (b"no json", "malformed_leaf"),
        (b"[]", "malformed_leaf"),
        (b"{}", "malformed_leaf"),
        (b'{"v":1,"type":"x","id":"lf_x","time":"2026-11-23T12:00:00.000000Z"}', "malformed_leaf"),
        (
            b'{"id":"a","id":"b","time":"2026-11-23T12:00:00.000000Z","type":"x","v":1}',
            "malformed_leaf",
        ),
        (entry_of(time="yesterday"), "bad_time"),
        (entry_of(time="2026-11-23T12:00:00Z"), "bad_time"),
        (entry_of(time="2030-01-01T00:00:00.000000Z", name="somebody"), "undeclared_fields"),
        (entry_of(time="2020-01-01T00:00:00.000000Z"), "time_went_back"),
    ],
)
def test_what_is_no_proper_leaf_is_found(house, client, entry, code):
    house.grown(BANK, 3)

    def work():
        yield Round(data=(append_entry(BANK, "lf_x", house.clock.now_us(), entry),))

    house.transact(work())
    house.tick()
    report = client.verify(client.export())
    assert report.outcome is Outcome.BROKEN
    assert code in codes(report)


def test_a_leaf_of_a_later_version_is_noted_not_refused(house, client):
    at = rfc3339(house.clock.now_us())
    entry = canonical_json({"v": 2, "type": "moon.phase", "id": "lf_x", "time": at})

    def work():
        yield Round(data=(append_entry(BANK, "lf_x", house.clock.now_us(), entry),))

    house.transact(work())
    house.tick()
    report = client.verify(client.export())
    assert report.outcome is Outcome.AUTHENTIC
    assert report.types == {"moon.phase": 1}
    assert "does not know" in report.notes[0]


def test_the_log_of_another_implementation_has_sound_hashes_and_signature(tmp_path):
    folder = vectors("tessera-log/testdata/log")
    key = parse_vkey(
        "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"
    )
    report = verify_bundle(folder, Given(UserMemory(tmp_path), NOON_US, (key,)))
    assert codes(report) == {"malformed_leaf"}  # its entries are no leaves of ours
    assert report.signed_by


def shredded(house, customer="c_shredded"):
    """The two leaves of an erasure, and its certificate's body."""
    now = house.clock.now_us()
    common = {"customer": customer, "operation": "op_1"}
    asked = Leaf(LeafType.SHRED_REQUESTED, "lf_asked", now, {**common, "by": "p_1"})
    erased = rfc3339(now)
    done = Leaf(
        LeafType.SHRED_DONE,
        "lf_done",
        now,
        {**common, "records": 2, "classes": ["C2", "C3"], "erased": erased},
    )
    house.append_leaves(BANK, [asked, done])
    house.tick()
    return {
        "type": "holdfast/shred-certificate/v1",
        "log": BANK,
        "customer": customer,
        "leaves": [{"id": "lf_asked"}, {"id": "lf_done", "index": 4}],
        "refused_at": rfc3339(now),
        "erased_at": erased,
        "copies": "not determined",
    }


def test_a_certificate_of_erasure_is_accepted(house, client):
    house.grown(BANK, 3)
    body = shredded(house)
    signed = sign_statement(body, house.signing.signers(BANK)[0], house.clock.now_us())
    bundle = client.export({"c_shredded.json": json.dumps(signed).encode()})
    report = client.verify(bundle)
    assert report.outcome is Outcome.AUTHENTIC
    (result,) = report.certificates
    assert result.accepted
    assert "copies: not determined" in result.says
    without = client.verify(bundle, keys=())
    assert without.outcome is Outcome.NOT_AUTHENTICATED
    assert not without.certificates[0].accepted
    by_the_other_key = client.verify(bundle, keys=client.keys[1:])
    assert by_the_other_key.outcome is Outcome.AUTHENTIC
    assert not by_the_other_key.certificates[0].accepted


@pytest.mark.parametrize(
    "changes",
    [
        {"log": SHOP},
        {"customer": "c_other"},
        {"leaves": [{"id": "lf_nowhere"}]},
        {"leaves": [{"id": "lf_asked"}]},
        {"leaves": [{"id": "lf_done", "index": 3}]},
        {"erased_at": "2026-11-23T12:00:00.000000Z"},
        {"erased_at": "soon"},
        {"leaves": []},
        {"leaves": "lf_done"},
        {"type": "holdfast/other/v1"},
        {"copies": None},
    ],
)
def test_a_certificate_that_the_log_does_not_bear_out_is_refused(house, client, changes):
    house.grown(BANK, 3)
    body = {**shredded(house), **changes}
    signed = sign_statement(body, house.signing.signers(BANK)[0], house.clock.now_us())
    report = client.verify(client.export({"c.json": json.dumps(signed).encode()}))
    assert report.outcome is Outcome.BROKEN
    assert codes(report) <= {"bad_certificate", "certificate_not_in_log"}


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"type": 1}', b"\xff"])
def test_a_malformed_certificate_is_refused(house, client, content):
    house.grown(BANK, 3)
    report = client.verify(client.export({"c.json": content}))
    assert codes(report) == {"bad_certificate"}


def test_an_export_is_brought_up_to_date_in_place(house, tmp_path):
    out = tmp_path / "out"
    for count in (10, 300, 300):
        house.grown(BANK, count)
        done = export_bundle(house.folder(BANK), out, vkeys=house.vkeys(BANK))
    assert done.size == 610
    assert sorted(path.name for path in (out / "tile/0/002.p").iterdir()) == ["98"]
    assert not (out / "tile/0/000.p/10").exists()
    report = verify_bundle(out, Given(UserMemory(tmp_path / "state"), NOON_US))
    assert report.outcome is Outcome.NOT_AUTHENTICATED


def test_an_export_does_not_overwrite_what_is_not_its_own(house, tmp_path):
    house.grown(BANK, 3)
    house.grown(SHOP, 3)
    out = tmp_path / "out"
    export_bundle(house.folder(SHOP), out, vkeys=house.vkeys(SHOP))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("mine")
    for place in (out, tmp_path / "full"):
        with pytest.raises(Conflict):
            export_bundle(house.folder(BANK), place, vkeys=house.vkeys(BANK))


def test_what_is_not_published_is_not_exported(house, tmp_path):
    with pytest.raises(NotFound):
        export_bundle(house.folder(BANK), tmp_path / "out", vkeys=house.vkeys(BANK))


def test_the_index_of_decisions_names_them_by_their_place(house, client):
    now = house.clock.now_us()
    declared = dict.fromkeys(SPECS[LeafType.DECISION_MADE].fields, "")
    told = {"decision": "dec_1", "op": "reveal", "outcome": "permit"}
    made = Leaf(LeafType.DECISION_MADE, "lf_1", now, {**declared, **told})
    house.append_leaves(BANK, [a_leaf(now), made])
    house.tick()
    (line,) = (client.export() / "decisions.ndjson").read_text().splitlines()
    assert json.loads(line) == {
        "index": 1,
        "id": "lf_1",
        "decision": "dec_1",
        "time": rfc3339(now),
        "op": "reveal",
        "outcome": "permit",
    }


def test_a_report_is_data_for_programs(house, client):
    house.grown(BANK, 3)
    data = json.loads(json.dumps(client.verify(client.export()).as_data()))
    assert (data["outcome"], data["exit_code"], data["size"]) == ("authentic", 0, 3)
