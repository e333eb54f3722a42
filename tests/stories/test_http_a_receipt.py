"""A desk keeps what it was answered; the client holds it against the log, with nothing but its own key."""

from __future__ import annotations

import json

import pytest

from support.live import LiveBank
from support.server import holdfast

pytestmark = [pytest.mark.slow, pytest.mark.server]


def test_a_saved_answer_is_held_against_the_exported_log(tmp_path):
    home, out = tmp_path / "house", tmp_path / "bundle"
    with LiveBank(home) as bank:
        bank.connect("CT-R")
        call = {"purpose": {"contact": "CT-R"}}
        shown = bank.post("/v1/reveal", bank.look(fields=["name"], **call), bank.token)
        refused = bank.post("/v1/reveal", bank.look(customer="nobody", **call), bank.token)
        assert (shown.status, refused.status) == (200, 403)
        admin = {"HOLDFAST_TOKEN": bank.admin_token}
        exported = holdfast(home, "log", "export", "bank-01", "--out", str(out), **admin)
        assert exported.returncode == 0, exported.stderr
        keys = holdfast(home, "log", "key", "bank-01").stdout
    (tmp_path / "keys").write_text(keys)
    (tmp_path / "shown.json").write_bytes(shown.raw)
    (tmp_path / "refused.json").write_text(json.dumps(refused.body["leaf"]))
    nowhere = {"XDG_STATE_HOME": str(tmp_path / "state")}
    judged = holdfast(
        tmp_path / "no-house",
        *("verify", str(out), "--key", str(tmp_path / "keys"), "--json"),
        *("--receipt", str(tmp_path / "shown.json"), "--receipt", str(tmp_path / "refused.json")),
        **nowhere,
    )
    assert judged.returncode == 0, judged.stdout + judged.stderr
    receipts = json.loads(judged.stdout)["receipts"]
    assert [one["promise"] for one in receipts] == ["kept", "kept"]
    assert receipts[0]["leaf"] == shown.body["leaf"]["id"]
