"""A customer asks to be erased: the house does it, the client checks it, and the next file does not bring them back."""

from __future__ import annotations

import json

import pytest

from support.commands import run
from support.server import environment

pytestmark = pytest.mark.slow

CONTRACT = """
[client]
id = "bank-01"

[[programme]]
id = "cards"

[[queue]]
id = "cards-in"
programme = "cards"
reasons = ["balance"]

[[reason]]
id = "balance"
label = "Balance"
fields.accounts = ["name"]
"""
SCHEMA = """
owner = "DPO"
customer_ref = "number"
record_key = "number"

[fields.number]
type = "account"
class = "C2"
handling = "clear"

[fields.name]
type = "name"
class = "C1"
handling = "clear"

[fields.email]
type = "email"
class = "C1"
handling = "masked"
index = "search"
"""
ROWS = "number,name,email\nN-1,Ana Cruz,ana@example.com\nN-2,Ben Diaz,ben@example.com\n"
OK, REFUSED, DENIED, INTEGRITY = 0, 2, 5, 6


class House:
    def __init__(self, folder):
        self.folder = folder
        self.home = folder / "var"
        self.env = {**environment(self.home), "XDG_STATE_HOME": str(folder / "state")}
        for name, text in {
            "contract.toml": CONTRACT,
            "schema.toml": SCHEMA,
            "rows.csv": ROWS,
        }.items():
            (folder / name).write_text(text)

    def run(self, *words, expect=OK):
        done = run(*words, env=self.env, cwd=self.folder)
        assert done.returncode == expect, done.stderr
        assert "Traceback" not in done.stderr
        return done

    def data(self, *words):
        return json.loads(self.run(*words, "--json").stdout)


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path)
    house.run("init")
    house.run("client", "add", "bank-01", "--contract", "contract.toml")
    house.run("collection", "add", "bank-01", "accounts", "--schema", "schema.toml")
    house.run("import", "bank-01/accounts", "rows.csv")
    return house


def test_a_customer_is_erased_and_the_client_can_check_it(house):
    found = house.data("customer", "find", "bank-01", "N-1")
    assert found["state"] == "live"
    certificate = house.data("customer", "shred", "bank-01", "N-1")
    assert certificate["copies"] == "not determined"
    assert certificate["refused_at"] <= certificate["erased_at"]
    assert (
        "erased already"
        in house.run("customer", "shred", "bank-01", found["customer"], expect=REFUSED).stderr
    )
    house.run("customer", "find", "bank-01", "N-1", expect=REFUSED)
    assert house.data("import", "bank-01/accounts", "rows.csv")["suppressed"] == 1

    (house.folder / "keys.txt").write_text("\n".join(house.data("log", "key", "bank-01")["vkeys"]))
    house.run("log", "export", "bank-01", "--out", "bundle")
    seen = house.data("verify", "bundle", "--key", "keys.txt")
    assert seen["outcome"] == "authentic"
    (checked,) = seen["certificates"]
    assert checked["accepted"]
    assert checked["customer"] == certificate["customer"]

    path = house.folder / "bundle" / "certificates" / f"{certificate['operation']}.json"
    path.write_text(path.read_text().replace(certificate["erased_at"], certificate["refused_at"]))
    house.run("verify", "bundle", "--key", "keys.txt", expect=INTEGRITY)


def test_who_may_not_erase_does_not(house):
    house.run("person", "add", "A7", "--employer", "house", "--role", "agent")
    token = house.data("token", "create", "--person", "A7")["token"]
    house.env["HOLDFAST_TOKEN"] = token
    for command in ("shred", "find"):
        assert "role" in house.run("customer", command, "bank-01", "N-1", expect=DENIED).stderr
    del house.env["HOLDFAST_TOKEN"]
    assert house.data("customer", "find", "bank-01", "N-1")["state"] == "live"


def test_a_customer_or_client_that_does_not_exist_is_told_plainly(house):
    assert (
        "no such customer"
        in house.run("customer", "shred", "bank-01", "N-9", expect=REFUSED).stderr
    )
    assert "no client" in house.run("customer", "shred", "bank-02", "N-1", expect=REFUSED).stderr
