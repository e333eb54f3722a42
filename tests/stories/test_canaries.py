"""A whole day with planted values: afterwards no file, log, metric or command line holds any of them in plaintext.

Every field of classes C1 to C4 of one customer carries a value that stands nowhere else; so do the caller's wrong
answers, the new address, what was searched in vain, and the secrets of agent, step-up and feed. They go through import,
search, reveal, verify, update, refusals, malformed requests and feed events of a real server.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from holdfast.drills.bank.build import CLIENT, COLLECTION
from support.canaries import files, where
from support.live import LiveBank
from support.server import holdfast

pytestmark = [pytest.mark.slow, pytest.mark.server]

PLANTED = {
    "customer_no": "ZC9000417",
    "name": "Zyxcanary Qwvname",
    "phone": "+12025550173",
    "email": "zyxcanary@example.com",
    "address": "77 Zyxcanary Lane, Springfield",
    "postcode": "ZQ77XK",
    "acct": "0098765432101",
    "card": "4012888888881881",
    "balance": "7654321.09",
    "dob": "1931-07-29",
    "national_id": "923-45-6781",
    "segment": "retail",
}
SPOKEN = {
    "a wrong date": "1932-08-30",
    "a wrong postcode": "ZW88YK",
    "a number searched in vain": "+12025550184",
    "an account searched in vain": "0055443322119",
    "a new address": "88 Zyxupdated Road, Springfield",
    "a caller unknown to the bank": "+12025550195",
    "a malformed value": "zyxmalformed@@example.com",
}


@pytest.fixture
def bank(tmp_path, monkeypatch):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    return LiveBank(tmp_path / "house")


def processes(pid):
    """Command lines of a process and of its children."""
    for one in (str(pid), *Path(f"/proc/{pid}/task/{pid}/children").read_text().split()):
        yield f"cmdline of {one}", Path(f"/proc/{one}/cmdline").read_bytes()


def test_no_planted_value_stands_anywhere_in_plaintext(bank, tmp_path):
    delivery = tmp_path / "delivery.csv"
    with delivery.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(PLANTED))
        writer.writeheader()
        writer.writerow(PLANTED)
        writer.writerow(
            {**PLANTED, "customer_no": "ZC9000418", "email": SPOKEN["a malformed value"]}
        )
    canaries = {name: value for name, value in PLANTED.items() if name != "segment"} | SPOKEN
    told = [imported(bank, delivery)]
    with bank:
        secret = a_day(bank)
        canaries |= {"step-up token": secret, "agent's token": bank.token}
        canaries |= {
            "admin's token": bank.admin_token,
            "feed secret": bank.key.secret.reveal().decode(),
        }
        running = list(processes(bank.process.pid))
        running.append(("metrics", bank.request("GET", "/metrics").raw))
        running.extend(files(bank.home, tmp_path / "scratch"))  # with what is not yet checkpointed
        explained = holdfast(bank.home, "client", "list", "--json", HOLDFAST_TOKEN=bank.admin_token)
        running.append(("client list", explained.stdout.encode()))
    told.append(bank.stderr.read_text())
    assert where(canaries, running) == []
    assert where(canaries, files(bank.home, tmp_path / "scratch")) == []
    assert where(canaries, [("what was printed", "\n".join(told).encode())]) == []
    assert where(canaries, [("a file", json.dumps(PLANTED).encode())]), "the search itself finds"


def imported(bank, delivery):
    done = holdfast(
        bank.home,
        "import",
        f"{CLIENT}/{COLLECTION}",
        str(delivery),
        "--json",
        HOLDFAST_TOKEN=bank.admin_token,
    )
    assert done.returncode == 3, done.stderr  # the second row is malformed
    assert json.loads(done.stdout)["new"] == 1
    return done.stdout + done.stderr


def a_day(bank):
    """All operations on the planted customer; returns the step-up's secret."""
    call = {"purpose": {"contact": "CT-7"}}

    def ask(path, *, status=200, step_up="", **more):
        headers = {"Holdfast_Step_Up": f"Bearer {step_up}"} if step_up else {}
        body = {**bank.look(customer=None, fields=None), **call, **more}
        answer = bank.post(f"/v1/{path}", body, bank.token, **headers)
        assert answer.status == status, answer.raw
        return answer.body

    connected = {"person": "A0001", "reason": "dispute"}
    unknown = {"customer": {"by": {"phone": SPOKEN["a caller unknown to the bank"]}}}
    known = {"customer": {"by": {"phone": PLANTED["phone"]}}}
    bank.events(bank.event("connected", "CT-6", **connected, **unknown))
    bank.events(bank.event("connected", "CT-7", **connected, **known))
    bank.events({"type": "contact.connected", "customer": {"by": {"phone": PLANTED["phone"]}}})

    (hit,) = ask("search", by={"phone": PLANTED["phone"]})["hits"]
    ask("search", by={"phone": SPOKEN["a number searched in vain"]})
    ask("search", by={"acct": SPOKEN["an account searched in vain"]})
    ask("search", by={"phone": SPOKEN["a malformed value"]}, status=400)
    whose = {"customer": hit["customer"]}

    challenge = ask("reveal", fields=["balance"], status=403, **whose)["challenge"]
    done = holdfast(
        bank.home, "token", "step-up", challenge, "--json", HOLDFAST_TOKEN=bank.admin_token
    )
    second = json.loads(done.stdout)["token"]
    fields = [name for name in PLANTED if name not in {"dob", "national_id", "postcode"}]
    shown = ask("reveal", fields=fields, step_up=second, **whose)["fields"]
    for name in ("name", "phone", "acct", "balance", "address"):
        assert shown[name]["value"] == PLANTED[name]
    ask("reveal", fields=["dob", "national_id"], status=403, **whose)

    wrong = {"dob": SPOKEN["a wrong date"], "postcode": SPOKEN["a wrong postcode"]}
    right = {name: PLANTED[name] for name in ("dob", "postcode")}
    assert not ask("verify", answers=wrong, **whose)["match"]
    assert ask("verify", answers=right, **whose)["match"]
    national = {"national_id": PLANTED["national_id"]}
    assert ask("verify", answers=national, step_up=second, **whose)["match"]

    reason = {"contact": "CT-7", "reason": "contact-change"}
    changed = bank.post("/v1/reason", reason, bank.token, Holdfast_Step_Up=f"Bearer {second}")
    assert changed.status == 200
    ask("update", values={"email": SPOKEN["a malformed value"]}, status=400, **whose)
    ask("update", values={"address": SPOKEN["a new address"]}, **whose)
    ask("reveal", fields=["address"], **whose)
    ask("reveal", fields=[PLANTED["name"]], status=400, **whose)
    ask("reveal", fields=["name"], customer=PLANTED["customer_no"], status=403)
    ask("reveal", fields=["name"], collection=PLANTED["email"], status=400, **whose)
    bank.events(bank.event("ended", "CT-7"))
    return second
