"""A client is taken on, gets its keys and its log, and checks the log on a machine that knows nothing of the house."""

from __future__ import annotations

import json
import shutil

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
fields.customers = ["name"]
"""


class Terminal:
    """Where commands are typed: at the house, or at the client."""

    def __init__(self, folder, house=None):
        self.folder = folder
        folder.mkdir(exist_ok=True)
        own = {"XDG_STATE_HOME": str(folder / "state"), "HOME": str(folder)}
        self.env = {**environment(house or folder / "no-house"), **own}

    def run(self, *words):
        return run(*words, env=self.env, cwd=self.folder)

    def data(self, *words):
        done = self.run(*words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


def test_a_client_checks_its_log(tmp_path):
    house = Terminal(tmp_path / "house", tmp_path / "var")
    client = Terminal(tmp_path / "client")
    assert house.run("init").returncode == 0
    (house.folder / "contract.toml").write_text(CONTRACT)
    taken_on = house.data("client", "add", "bank-01", "--contract", "contract.toml")

    keys = house.data("log", "key", "bank-01")["vkeys"]
    assert keys == taken_on["vkeys"]
    (client.folder / "keys.txt").write_text("\n".join(keys))

    bundle = tmp_path / "house" / "bundle"
    first = house.data("log", "export", "bank-01", "--out", bundle)
    shutil.copytree(bundle, client.folder / "march")
    seen = client.data("verify", "march", "--key", "keys.txt")
    assert (seen["outcome"], seen["size"]) == ("authentic", first["size"])
    assert seen["types"]["log.exported"] == 1, "the export itself stands in the log"

    second = house.data("log", "export", "bank-01", "--out", bundle)
    assert second["size"] == first["size"] + 1
    shutil.copytree(bundle, client.folder / "april")
    since = client.data("verify", "april", "--key", "keys.txt", "--since", "march/checkpoint")
    assert since["history"].startswith(f"continues the {first['size']} leaves")
    assert client.run("verify", "march", "--key", "keys.txt").returncode == 8

    assert house.run("log", "export", "bank-02", "--out", tmp_path / "x").returncode == 2
    assert house.run("log", "key", "bank-02").returncode == 2
    (house.folder / "bundle" / "mine.txt").write_text("mine")
    assert house.run("log", "export", "bank-01", "--out", house.folder).returncode == 2
