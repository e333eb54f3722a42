"""A client's contract from its first version to a signed second one, told through the command line."""

from __future__ import annotations

import json
import re

import pytest

from support.server import holdfast
from support.signing import Signer

pytestmark = pytest.mark.slow

CONTRACT = """
[client]
id = "tel-01"
name = "Example Telco"

[[programme]]
id = "care"

[[queue]]
id = "bills"
programme = "care"
reasons = ["bill"]

[[reason]]
id = "bill"
fields.subscribers = ["name"]

[[test]]
name = "nobody is served from outside"
queue = "bills"
unmet = ["contact_yours"]
expect = "hidden"
"""
WIDER = CONTRACT.replace('["name"]', '["name", "plan"]')
FAILING = CONTRACT.replace('expect = "hidden"', 'expect = "permit"')
OK, REFUSED, DENIED = 0, 2, 5


class Desk:
    """A terminal at the house."""

    def __init__(self, home):
        self.home = home

    def run(self, *words, expect=OK, **acting):
        done = holdfast(self.home, *map(str, words), **acting)
        assert done.returncode == expect, done.stderr
        assert "Traceback" not in done.stderr
        return done

    def data(self, *words):
        return json.loads(self.run(*words, "--json").stdout)

    def file(self, name, text):
        path = self.home.parent / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path


@pytest.mark.storage("sqlite", reason="where there is no house there is no server to look at")
def test_a_contract_is_checked_without_any_house(tmp_path):
    desk = Desk(tmp_path / "nowhere")
    (checked,) = desk.data("policy", "check", "--contract", desk.file("c.toml", CONTRACT))
    assert checked["client"] == "tel-01"
    assert checked["in_force"] == 0
    assert checked["tests"][0]["passed"]
    wrong = desk.file("w.toml", CONTRACT.replace("reasons", "raesons"))
    said = desk.run("policy", "check", "--contract", wrong, expect=REFUSED).stderr
    assert 'line 12: queue[1].raesons: unknown key; did you mean "reasons"?' in said
    assert not (tmp_path / "nowhere").exists()


def test_a_contract_from_its_first_version_to_a_signed_one(tmp_path):
    desk, signer = Desk(tmp_path / "house"), Signer()
    desk.run("init")
    first = desk.file("first.toml", CONTRACT)
    added = desk.data("client", "add", "tel-01", "--contract", first)
    assert (added["contract_version"], added["signed"]) == (1, False)
    assert added["vkeys"][0].count("+") >= 2
    assert desk.data("client", "list")[0]["name"] == "Example Telco"

    # The same again, a failing test, and another client's contract: refused, and nothing is written.
    said = desk.run("client", "add", "tel-01", "--contract", first, expect=REFUSED).stderr
    assert "there is a client tel-01 already" in said
    failing = desk.file("failing.toml", FAILING)
    shown = desk.run("policy", "test", "tel-01", "--contract", failing, expect=REFUSED).stdout
    assert "expected permit, found hidden (contact.yours)" in shown
    said = desk.run("policy", "publish", "tel-01", "--contract", failing, expect=REFUSED).stderr
    assert "the contract's own tests fail" in said
    other = desk.file("other.toml", CONTRACT.replace("tel-01", "tel-02"))
    desk.run("policy", "publish", "tel-01", "--contract", other, expect=REFUSED)

    # A second version names the key by which all later ones are signed.
    text = signer.contract(WIDER, 2)
    second = desk.file("second.toml", text)
    (checked,) = desk.data("policy", "check", "tel-01", "--contract", second)
    assert checked["changes"][0] == {
        "kind": "wider",
        "where": "reason bill, fields.subscribers",
        "text": "plan is new",
    }
    # It lets more be seen, so a second administrator approves it, and the same command goes through.
    said = desk.run("policy", "publish", "--contract", second, expect=DENIED).stderr
    assert f"holdfast policy diff tel-01 --contract {second}" in said
    (approval,) = re.findall(r"holdfast approval approve (apr_\w+)", said)
    desk.run("approval", "approve", approval, expect=DENIED)
    desk.run("person", "add", "B1", "--employer", "house", "--role", "admin")
    key = desk.home.parent / "B1.pem"
    desk.run("token", "key", key)
    token = desk.run("token", "create", "--person", "B1", "--dpop-key", key).stdout.strip()
    other_admin = {"HOLDFAST_TOKEN": token, "HOLDFAST_TOKEN_KEY_FILE": str(key)}
    shown = desk.run("approval", "list", **other_admin).stdout
    assert "wider|reason bill, fields.subscribers|plan is new" in shown
    desk.run("approval", "approve", approval, **other_admin)
    assert desk.data("policy", "publish", "--contract", second)["contract_version"] == 2
    assert not desk.data("policy", "publish", "--contract", second, *signed(desk, signer, text))[
        "changed"
    ]

    text = signer.contract(CONTRACT, 3)
    third = desk.file("third.toml", text)
    said = desk.run("policy", "publish", "--contract", third, expect=DENIED).stderr
    assert "no signature came with this one" in said
    forged = signed(desk, Signer(2), text)
    desk.run("policy", "publish", "--contract", third, *forged, expect=DENIED)
    third_signed = signed(desk, signer, text)
    done = desk.run("policy", "publish", "--contract", third, *third_signed, "--json")
    assert "holdfast policy diff CLIENT" in done.stderr
    shown = json.loads(done.stdout)
    assert (shown["contract_version"], shown["signed"]) == (3, True)

    # An older version, well signed, is not put back.
    again = desk.file("again.toml", signer.contract(WIDER, 2))
    desk.run(
        "policy",
        "publish",
        "--contract",
        again,
        *signed(desk, signer, signer.contract(WIDER, 2)),
        expect=REFUSED,
    )
    assert [one["in_force"] for one in desk.data("policy", "check")] == [3]


def signed(desk, signer, text):
    return "--signature", desk.file("contract.sig", signer.sign(text))
