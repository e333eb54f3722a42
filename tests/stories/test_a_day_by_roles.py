"""A whole day of a house on PostgreSQL whose data plane may not rewrite the ledger, nor anybody remove any of it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from http.client import HTTPConnection

import pytest

from holdfast.drills.bank.build import CLIENT, COLLECTION, TOKEN_LIFE_US, customer
from holdfast.kit.config import load_settings
from holdfast.spine.house import open_house
from holdfast.spine.identity.credentials import issue
from holdfast.spine.identity.people import add_person
from holdfast.vocabulary.ids import client_log
from holdfast.vocabulary.levels import Role
from support.live import LiveBank
from support.ports import free_ports
from support.served import NEEDS_SERVER, as_role, bank_on, durable_cluster, granted
from support.server import environment, holdfast

pytestmark = [NEEDS_SERVER, pytest.mark.server, pytest.mark.slow]
LIMIT_S = 300


@pytest.fixture(scope="module")
def founded(tmp_path_factory):
    house = bank_on(tmp_path_factory.mktemp("day") / "house", durable_cluster())
    opened = open_house(load_settings(house, {}))
    token = opened.transact(_security(opened.clock.now_us()))
    opened.close()
    granted(house, durable_cluster())
    return house, token


def _security(now_us):
    """Somebody who may freeze a client; returns their token."""
    person = yield from add_person(
        staff_id="SEC1", employer="house", roles=(Role.SECURITY,), now_us=now_us
    )
    token = yield from issue(person=person, life_us=TOKEN_LIFE_US, now_us=now_us)
    return token.secret.reveal()


@contextmanager
def process(home, what, *words):
    """A part of the house that connects as a role; it must still run when the day ends."""
    told = home.parent / f"{words[-1]}.stderr"
    with told.open("w") as errors:
        child = subprocess.Popen(
            [sys.executable, "-m", *words],
            env=environment(home, **as_role(home, what)),
            stderr=errors,
        )
    try:
        yield child
        assert child.poll() is None, told.read_text()
    finally:
        child.terminate()
        child.wait(LIMIT_S)
    assert "rights" not in told.read_text()
    assert "InsufficientPrivilege" not in told.read_text()


def until(what):
    """Wait for what the worker does by itself."""
    deadline = time.monotonic() + LIMIT_S
    while not (found := what()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return found


def test_a_day_as_app_and_worker(founded):
    home, security = founded
    bank = LiveBank(home, "--only", "data", env=as_role(home, "app"), founded=True)
    (port,) = free_ports(1)
    with process(home, "worker", "holdfast", "worker"), bank:
        calls(bank)
        erased(bank)
        stopped(bank, security)
        log_is_read(bank)
        console = as_role(home, "app") | {"HOLDFAST_CONSOLE_PORT": str(port)}
        assert "bank-01" in status_page(home, port, console)
    assert "InsufficientPrivilege" not in bank.stderr.read_text()
    assert "rewrite" not in bank.stderr.read_text(), "the doctor has nothing to say of this role"


def run(bank, *words, code=0):
    """A command of an operator, as the worker's role."""
    done = holdfast(
        bank.home,
        *words,
        "--json",
        **as_role(bank.home, "worker"),
        HOLDFAST_TOKEN=bank.admin_token,
    )
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


def calls(bank):
    """Contact, search, reveal, refusals, a second person, questions, a change of reason, an update, an action."""
    bank.connect("CT-1")

    def ask(path, *, status=200, second="", **more):
        headers = {"Holdfast_Step_Up": f"Bearer {second}"} if second else {}
        answer = bank.post(
            f"/v1/{path}", bank.look(**{"fields": None, **more}), bank.token, **headers
        )
        assert answer.status == status, answer.raw
        return answer.body

    ask("search", customer=None, by={"phone": customer(1)["phone"]})
    assert ask("reveal", fields=["name"])["fields"]["name"]["value"] == customer(1)["name"]
    denied = ask("reveal", fields=["email"], status=403)
    ask("reveal", fields=["email"], status=403)  # folded into the first
    ask("reveal", fields=["name"], customer=bank.customers["C00002"], status=403)
    challenge = ask("reveal", fields=["balance"], status=403)["challenge"]
    second = run(bank, "token", "step-up", challenge)["token"]
    ask("reveal", fields=["balance"], second=second)
    assert not ask("verify", answers={"dob": "1931-01-01"})["match"]
    right = {name: customer(1)[name] for name in ("dob", "postcode")}
    matched = ask("verify", answers=right)
    assert matched["match"]
    reason = {"contact": "CT-1", "reason": "contact-change"}
    chosen = bank.post("/v1/reason", reason, bank.token, Holdfast_Step_Up=f"Bearer {second}")
    assert chosen.status == 200, chosen.raw
    ask("update", values={"address": "9 Example Road, Springfield"})
    phone = {"phone": "+12025550177"}
    assert ask("act", action="change_phone", proof=[matched["decision"]], values=phone)["decision"]
    read = bank.request(
        "GET", f"/v1/decisions/{denied['decision']}", None, bearer(bank.admin_token)
    )
    assert read.status == 200, read.raw
    asked = bank.post("/v1/approvals", {"decision": denied["decision"]}, bank.token)
    assert asked.status in {200, 409}, asked.raw
    bank.events(bank.event("ended", "CT-1"))


def erased(bank):
    """An erasure, to the end: keys deleted, tables written anew, the server's files searched."""
    certificate = run(bank, "customer", "shred", CLIENT, bank.customers["C00003"])
    assert certificate["erased_at"]


def stopped(bank, security):
    """A freeze by the house, and an export that waits for its second person."""
    wanted = {
        "client": CLIENT,
        "collection": COLLECTION,
        "fields": ["name"],
        "customers": [bank.customers["C00001"]],
        "recipient": "bank-complaints",
        "reason": "complaint",
    }
    answer = bank.post("/v1/export", wanted, bank.admin_token)
    assert answer.status in {200, 403}, answer.raw
    stop = {"client": CLIENT, "reason": "misuse"}
    challenge = bank.post("/v1/freeze", stop, security).body["challenge"]
    second = run(bank, "token", "step-up", challenge)["token"]
    frozen = bank.post("/v1/freeze", stop, security, Holdfast_Step_Up=f"Bearer {second}")
    assert frozen.status == 200, frozen.raw
    bank.connect("CT-2")
    look = bank.look(purpose={"contact": "CT-2"})
    assert bank.post("/v1/reveal", look, bank.token).status == 403


def log_is_read(bank):
    """The log's files, and its bundle, which verifies."""
    note = until(lambda: served(bank, f"/logs/{client_log(CLIENT)}/checkpoint"))
    assert note.startswith(b"localhost")
    out = bank.home.parent / "bundle"
    run(bank, "log", "export", CLIENT, "--out", str(out))
    keys = run(bank, "log", "key", CLIENT)["vkeys"]
    (bank.home.parent / "keys.txt").write_text("\n".join(keys))
    seen = run(bank, "verify", str(out), "--key", str(bank.home.parent / "keys.txt"))
    assert seen["outcome"] == "authentic"


def served(bank, path):
    answer = bank.request("GET", path, None, bearer(bank.admin_token))
    return answer.raw if answer.status == 200 else b""


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def status_page(home, port, env):
    told = home.parent / "console.stderr"
    with told.open("w") as errors:
        child = subprocess.Popen(
            [sys.executable, "-m", "holdfast.edges.console.process"],
            env=environment(home, **env),
            stderr=errors,
        )
    try:
        return until(lambda: page(port))
    finally:
        child.terminate()
        child.wait(LIMIT_S)


def page(port):
    try:
        with closing(HTTPConnection("127.0.0.1", port, timeout=LIMIT_S)) as connection:
            connection.request("GET", "/status", headers={"Host": f"localhost:{port}"})
            return connection.getresponse().read().decode()
    except OSError:
        return ""
