"""`holdfast doctor --deploy`: each finding can be provoked, and is gone when it is mended."""

from __future__ import annotations

import dataclasses
import json
import shutil
from contextlib import closing
from pathlib import Path

import pytest

from holdfast.edges.checks import deploy
from holdfast.edges.checks.catalogue import CHECKS, DEPLOY
from holdfast.edges.checks.run import examine
from holdfast.kit.clock import DAY_US, HOUR_US, SystemClock, rfc3339
from holdfast.kit.config import load_settings
from holdfast.kit.db import Round
from holdfast.kit.db.address import SqliteFile
from holdfast.kit.ids import new_id
from holdfast.spine.house import open_house
from holdfast.spine.ledger.recorder import append
from holdfast.spine.ledger.registrar import Registrar
from holdfast.vocabulary.ids import HOUSE_LOG
from holdfast.vocabulary.leaves import SPECS, Leaf, LeafType
from holdfast.vocabulary.manifest import Severity
from support.live import live_template
from support.stores import copy_house, raw


@pytest.fixture
def home(tmp_path):
    home = tmp_path / "house"
    copy_house(live_template(), home)
    home.chmod(0o700)
    return home


@pytest.fixture
def settings(home):
    return load_settings(home, {})


def found(settings, ident):
    """What the check with this id finds: severities and messages."""
    (check,) = [one for one in (*CHECKS, *DEPLOY) if one.id == ident]
    (examined,) = examine(settings, (check,))
    assert not examined.skipped
    for finding in examined.findings:
        assert finding.remedy
        assert "check itself failed" not in finding.message
    return [(finding.severity, finding.message) for finding in examined.findings]


def with_(settings, **changes):
    return dataclasses.replace(settings, **changes)


def sql(settings, text, *params):
    with closing(open_house(settings)) as house, house.stores() as stores:
        return raw(stores.data, text, params)


def test_ids_are_of_their_own_and_say_how_bad_it_is(settings):
    ids = [check.id for check in DEPLOY]
    assert len(set(ids)) == len(ids)
    assert not set(ids) & {check.id for check in CHECKS}
    for examined in examine(settings, DEPLOY):
        assert not examined.skipped or ".server:" in examined.check.run, examined.check.id
        worst = {finding.severity for finding in examined.findings}
        if examined.check.id.startswith("deploy.W"):
            assert Severity.ERROR not in worst or examined.check.id == "deploy.W005"


def test_without_a_house_they_have_nothing_to_examine(tmp_path):
    examined = examine(load_settings(tmp_path / "none", {}), DEPLOY)
    for one in examined:
        for finding in one.findings:
            assert "check itself failed" not in finding.message, one.check.id


def test_origin(settings):
    messages = [message for _, message in found(settings, "deploy.E001")]
    assert len(messages) == 2
    public = with_(settings, public_origin="https://holdfast.example.com")
    assert found(public, "deploy.E001") == []


def test_encryption(settings):
    assert found(settings, "deploy.E002")
    assert found(with_(settings, trusted_proxies=("10.0.0.1/32",)), "deploy.E002") == []


def test_in_front(settings):
    assert found(settings, "deploy.W007") == []
    reached = with_(settings, data_plane_host="192.0.2.20")
    ((severity, message),) = found(reached, "deploy.W007")
    assert (severity, "without a proxy" in message) == (Severity.WARNING, True)
    assert found(with_(reached, trusted_proxies=("192.0.2.10/32",)), "deploy.W007") == []


def test_root_apart(settings, home):
    assert "not sealed" in found(settings, "deploy.E003")[0][1]
    elsewhere = with_(settings, data=SqliteFile(home / "d/x"), keys=SqliteFile(home / "k/x"))
    assert found(elsewhere, "deploy.E003") == []
    root = home / "root.key"
    root.write_text(json.dumps({**json.loads(root.read_text()), "kind": "passphrase"}))
    assert found(settings, "deploy.E003") == []


def test_file_modes(settings, home):
    for path in (
        home / "root.key",
        settings.data_path,
        settings.keys_path,
        *(home / "signing").iterdir(),
    ):
        path.chmod(0o600)
    assert found(settings, "deploy.E004") == []
    (home / "root.key").chmod(0o640)
    assert "0640" in found(settings, "deploy.E004")[0][1]


def test_demo(settings, home):
    assert found(settings, "deploy.E005") == []
    (home / deploy.DEMO_FILE).write_text("{}")
    assert found(settings, "deploy.E005")


def test_talk(settings):
    assert found(settings, "deploy.E006") == []
    assert len(found(with_(settings, debug=True, log_level="debug"), "deploy.E006")) == 2


@pytest.mark.parametrize(
    ("status", "count"), [(0, 0), (0x2000, 0), (0x40, 1), (0x2041, 1), (None, 1)]
)
def test_clock(status, count):
    assert len(list(deploy.judge_clock(status))) == count


def test_the_clock_of_this_machine_is_asked(settings):
    assert len(found(settings, "deploy.E007")) <= 1


SWAP = "Filename\tType\tSize\tUsed\tPriority\n"


@pytest.mark.parametrize(
    ("swaps", "resume", "count"),
    [
        (SWAP, "0:0\n", 0),
        (SWAP, None, 0),
        (SWAP + "/dev/zram0 partition 1 0 5\n", "", 0),
        (SWAP + "/dev/sda2 partition 1 0 -2\n", "0:0", 1),
        (SWAP + "/dev/sda2 partition 1 0 -2\n", "8:2", 2),
        (None, None, 1),
    ],
)
def test_swap(swaps, resume, count):
    assert len(list(deploy.judge_swap(swaps, resume))) == count


def test_fsync():
    assert list(deploy.judge_fsync(0.001)) == []
    (finding,) = deploy.judge_fsync(0.05)
    assert "50 ms" in finding.message


def test_memory_apart(settings):
    """On one disk it is doubtful; what is on another cannot be made here, so that is the other branch's only case."""
    assert found(settings, "deploy.W001")
    shared = Path("/dev/shm")
    if shared.is_dir() and shared.stat().st_dev != settings.data_path.stat().st_dev:
        apart = shared / f"holdfast-test-{settings.home.parent.name}"
        apart.mkdir()
        try:
            (apart / "data").touch()
            assert found(with_(settings, data=SqliteFile(apart / "data")), "deploy.W001") == []
        finally:
            shutil.rmtree(apart)


def test_administrators(settings):
    assert "1 active" in found(settings, "deploy.E008")[0][1]
    sql(
        settings,
        """INSERT INTO identity_person (id, password, staff_id, employer, label, state, roles, os_user, created_us)
        VALUES ('per_2', '!', 'ADM2', 'house', '', 'active', 'admin', 'second', 1)""",
    )
    assert found(settings, "deploy.E008") == []
    sql(settings, "UPDATE identity_person SET os_user = NULL WHERE id = 'per_2'")
    assert "neither" in found(settings, "deploy.E008")[0][1]
    sql(settings, "UPDATE identity_person SET os_user = 'second' WHERE id = 'per_2'")
    old = SystemClock().now_us() - 91 * DAY_US
    sql(settings, "UPDATE identity_credential SET created_us = ?", old)
    assert "91 days" in found(settings, "deploy.E008")[0][1]


def test_roles_apart(settings):
    assert found(settings, "deploy.E009") == []
    (agent,) = sql(settings, "SELECT id FROM identity_person WHERE staff_id = 'A0001'")
    sql(settings, "UPDATE signals_feed_key SET made_by = ?", agent[0])
    assert "1 person(s)" in found(settings, "deploy.E009")[0][1]
    sql(settings, "UPDATE signals_feed_key SET retired_us = 1")
    assert found(settings, "deploy.E009") == []


def test_overdue(settings):
    assert found(settings, "deploy.E010") == []
    early = SystemClock().now_us() - 2 * HOUR_US
    sql(
        settings,
        """INSERT INTO vault_shred (client, operation, customer, reference, state, requested_leaf, done_leaf,
            refused_us, erased_us, records, classes, certificate)
        VALUES ('bank-01', 'op_1', 'cus_1', 'c_1', 'requested', 'lf', '', ?, 0, 0, '', '')""",
        early,
    )
    sql(
        settings,
        """INSERT INTO jobs_job (id, kind, payload, dedupe_key, state, run_at_us, lease, lease_until_us, attempts,
            error, created_us) VALUES ('job_1', 'x', '{}', 'x', 'ready', ?, '', 0, 0, '', 1)""",
        early,
    )
    assert [severity for severity, _ in found(settings, "deploy.E010")] == ["error", "warning"]
    sql(settings, "UPDATE vault_shred SET state = 'done'")
    sql(settings, "UPDATE jobs_job SET state = 'done'")
    assert found(settings, "deploy.E010") == []


def test_tokens_bound(settings):
    assert found(settings, "deploy.W004")
    sql(settings, "UPDATE identity_credential SET networks = '10.0.0.0/8'")
    assert found(settings, "deploy.W004") == []
    sql(settings, "UPDATE identity_credential SET networks = '', jkt = 'thumbprint'")
    assert found(settings, "deploy.W004") == []


def test_contracts_signed(settings):
    assert "bank-01" in found(settings, "contracts.W001")[0][1]
    sql(settings, "UPDATE decision_contract SET signature = 'ab'")
    assert found(settings, "contracts.W001") == []


def test_feeds(settings):
    assert "never" in found(settings, "deploy.W005")[0][1]
    now = SystemClock().now_us()
    sql(
        settings,
        "INSERT INTO signals_event (feed, event_id, digest, seen_us) SELECT name, 'e', x'00', ? FROM signals_feed",
        now,
    )
    assert found(settings, "deploy.W005") == []
    sql(settings, "UPDATE signals_feed_key SET retired_us = 1")
    assert "no key" in found(settings, "deploy.W005")[0][1]


def test_backed_up(settings):
    assert "or ever" in found(settings, "deploy.W006")[0][1]
    now = SystemClock().now_us()
    made(settings, now - 8 * DAY_US)
    assert rfc3339(now)[:4] in found(settings, "deploy.W006")[0][1]
    made(settings, now)
    assert found(settings, "deploy.W006") == []


def made(settings, at_us):
    """Write the line that a copy leaves, and sequence it."""
    body = dict.fromkeys(SPECS[LeafType.BACKUP_MADE].fields, "x")
    leaf = Leaf(LeafType.BACKUP_MADE, new_id("lf", at_us), at_us, body)

    def works():
        yield Round(data=(append(HOUSE_LOG, leaf),))

    with closing(open_house(settings)) as house:
        house.transact(works())
        registrar = Registrar(house, house.signing_keys)
        registrar.tick()
        registrar.close()


def test_what_the_command_prints(settings, home):
    from click.testing import CliRunner

    from holdfast.edges.cli.main import root

    env = {"HOLDFAST_HOME": str(home)}
    plain = CliRunner().invoke(root(), ["doctor", "--json"], env=env)
    asked = CliRunner().invoke(root(), ["doctor", "--deploy", "--json"], env=env)
    names = [[check["id"] for check in json.loads(run.stdout)["checks"]] for run in (plain, asked)]
    assert names[1] == names[0] + [check.id for check in DEPLOY]
    assert asked.exit_code == 7
