"""Evidence is read from a standby that may lag or be away; who may read it is asked of the store that is written."""

from __future__ import annotations

import json

import pytest

from holdfast.drills.bank.build import CLIENT, TOKEN_LIFE_US
from holdfast.spine.identity.credentials import hash_secret, issue
from holdfast.spine.ledger.checkpoint import parse_head
from holdfast.spine.ledger.note import parse_note
from holdfast.spine.ledger.tiles import tiles_of
from holdfast.vocabulary.ids import client_log
from support.live import LiveBank
from support.pair import Pair, until
from support.served import NEEDS_SERVER, ROLES, bank_on, granted
from support.server import holdfast

pytestmark = [NEEDS_SERVER, pytest.mark.server, pytest.mark.slow]
LOG = client_log(CLIENT)


@pytest.fixture
def pair():
    made = Pair()
    yield made
    made.close()


def test_a_replica_answers_lags_and_goes_away(pair, tmp_path):
    home = bank_on(tmp_path / "house", pair.primary)
    granted(home, pair.primary)
    pair.follow(confirms=False)
    bank = LiveBank(home, founded=True, env={"HOLDFAST_REPLICA_URL": replica(home, pair)})
    revoked = another_token(bank)
    with bank:
        bank.connect()
        decided = [bank.reveal("name").body["decision"] for _ in range(3)]
        until(lambda: size(bank) >= 3, "nothing is published")
        mirror(bank, tmp_path / "first")
        as_published(home, tmp_path / "first")
        assert decision(bank, decided[0]) == 200

        with pair.standby.connect() as standby:
            standby.execute("SELECT pg_wal_replay_pause()")
            until(lambda: paused(standby), "the standby goes on")
        behind = mirror(bank, tmp_path / "behind")
        late = bank.reveal("name").body["decision"]
        until(lambda: published(home) > behind, "the worker does not publish")
        assert size(bank) == behind, "the replica shows no line that it does not have"
        until(lambda: metric(bank, "holdfast_replica_lag_seconds") > 0, "it seems not to lag")
        assert decision(bank, late) == 200, "the store is asked for what the replica lacks"
        assert bank.request("GET", f"/logs/{LOG}/checkpoint", None, bearer(revoked)).status == 200
        secret = hash_secret(revoked)
        bank.sql(
            "UPDATE identity_credential SET revoked_us = 1 WHERE secret_hash = ? RETURNING 1",
            secret,
        )
        assert bank.request("GET", f"/logs/{LOG}/checkpoint", None, bearer(revoked)).status == 401

        pair.standby.kill()
        assert mirror(bank, tmp_path / "without") > behind
        assert decision(bank, decided[1]) == 200
        assert metric(bank, "holdfast_replica_answers") == 0
        doctor = holdfast(home, "doctor", "--json", HOLDFAST_REPLICA_URL=replica(home, pair))
        states = {one["id"]: one["state"] for one in json.loads(doctor.stdout)["checks"]}
        assert states["stores.W003"] == "warning"


def replica(home, pair):
    """The address of the standby, for an auditor's role."""
    line = (home / "holdfast.toml").read_text().splitlines()[0]
    database = line.rpartition("/")[2].rstrip('"')
    return f"postgres://{ROLES['reader']}@127.0.0.1:{pair.standby.port}/{database}"


def paused(standby):
    """It applies nothing any more; being told to stop, it finishes what it is at first."""
    ((state,),) = standby.execute("SELECT pg_get_wal_replay_pause_state()").fetchall()
    return state == "paused"


def another_token(bank):
    """A second token of the administrator."""
    house = bank.house()
    ((admin,),) = bank.sql("SELECT id FROM identity_person WHERE staff_id = 'ADM1'")
    work = issue(person=admin, life_us=TOKEN_LIFE_US, now_us=house.clock.now_us())
    token = house.transact(work).secret.reveal()
    house.close()
    return token


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def served(bank, path):
    return bank.request("GET", f"/logs/{LOG}/{path}", None, bearer(bank.admin_token))


def size(bank):
    answer = served(bank, "checkpoint")
    return parse_head(parse_note(answer.raw).text).size if answer.status == 200 else 0


def published(home):
    return parse_head(parse_note((home / "logs" / LOG / "checkpoint").read_bytes()).text).size


def decision(bank, ident):
    return bank.request("GET", f"/v1/decisions/{ident}", None, bearer(bank.token)).status


def metric(bank, name):
    lines = bank.request("GET", "/metrics").raw.decode().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(f"{name} "))


def mirror(bank, out):
    """Fetch the log as any client does, checkpoint first; it verifies. Returns how long it is."""
    out.mkdir()
    note = served(bank, "checkpoint").raw
    (out / "checkpoint").write_bytes(note)
    long = parse_head(parse_note(note).text).size
    for tile in tiles_of(long):
        answer = served(bank, tile.path)
        assert answer.status == 200, f"{tile.path} of {long}"
        (out / tile.path).parent.mkdir(parents=True, exist_ok=True)
        (out / tile.path).write_bytes(answer.raw)
    keys = out.parent / "keys"
    keys.write_text(holdfast(bank.home, "log", "key", CLIENT).stdout)
    state = {"XDG_STATE_HOME": str(out.parent / f"{out.name}.state")}
    done = holdfast(out, "verify", str(out), "--key", str(keys), "--json", **state)
    assert json.loads(done.stdout)["outcome"] == "authentic", done.stdout + done.stderr
    return long


def as_published(home, out):
    """What was fetched is what stands in the published files, byte by byte."""
    folder = home / "logs" / LOG
    seen = [
        path
        for path in out.rglob("*")
        if path.is_file() and (folder / path.relative_to(out)).exists()
    ]
    assert seen
    for path in seen:
        if path.name != "checkpoint":
            assert path.read_bytes() == (folder / path.relative_to(out)).read_bytes()
