"""The offline page judges a log as `holdfast verify` does, and nothing but its own script runs in it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from holdfast.spine.ledger.page import part, verifier_page, verifier_script
from holdfast.spine.ledger.proofs import prove_leaf
from support.bundles import Client
from support.ledger import BANK, LedgerHouse
from support.vectors import vectors

DRIVER = Path(__file__).parents[3] / "support" / "verifier.js"
NODE = shutil.which("node")
needs_node = pytest.mark.skipif(
    NODE is None, reason="node is not installed: the page's script cannot run here"
)


class Parsed(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags = []
        self.feed(verifier_page().decode())

    def all(self, tag):
        return [dict(attributes) for name, attributes in self.tags if name == tag]

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, attrs))


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "verifier.js"
    path.write_text(verifier_script())
    return path


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page-house")
    house = LedgerHouse(folder / "house")
    house.grown(BANK, 10)
    made = Client(house, folder / "client")
    made.early = made.export()
    made.leaves = house.grown(BANK, 600)
    made.honest = made.export()
    yield made
    house.close()


def run(script, what, asked):
    done = subprocess.run(
        [NODE, str(DRIVER), str(script), what, json.dumps(asked)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def judged(script, folder, keys, **more):
    asked = {"folder": str(folder), "keys": list(keys), **more}
    return run(script, "verify", asked)


def vkeys(client):
    return [key.text for key in client.keys]


def test_only_its_own_script_and_style_may_run_and_nothing_is_fetched():
    page = verifier_page().decode()
    (policy,) = [m["content"] for m in Parsed().all("meta") if "http-equiv" in m]
    for tag in ("script", "style"):
        (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert "connect-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"(src|href|action)\s*=|https?://|@import|url\(", page)
    assert not re.search(r"\b(fetch|XMLHttpRequest|WebSocket|sendBeacon|eval|innerHTML)\b", page)
    assert "{{" not in page
    assert verifier_page() == page.encode()


def test_the_page_can_be_used_without_seeing_or_pointing():
    parsed = Parsed()
    assert parsed.all("html") == [{"lang": "en"}]
    assert len(parsed.all("h1")) == 1
    labelled = {label["for"] for label in parsed.all("label")}
    for field in (*parsed.all("input"), *parsed.all("textarea")):
        assert field["id"] in labelled
    assert all("scope" in head for head in parsed.all("th"))
    assert parsed.all("main")
    assert "prefers-color-scheme: dark" in part("verifier.css")
    assert ":focus-visible" in part("verifier.css")


def test_every_part_that_the_script_asks_for_is_on_the_page():
    ids = {dict(attributes).get("id") for _, attributes in Parsed().tags}
    assert set(re.findall(r'byId\("([a-z-]+)"\)', verifier_script())) <= ids


@needs_node
def test_its_sha_256_is_sha_256(script):
    messages = [bytes(range(256))[:count] * 3 for count in range(80)]
    assert run(script, "hashes", [m.hex() for m in messages]) == [
        hashlib.sha256(m).hexdigest() for m in messages
    ]


@needs_node
def test_it_judges_all_published_inclusion_proofs_as_published(script):
    folder = vectors("merkle/testdata/inclusion")
    cases = [json.loads(path.read_text()) for path in sorted(folder.rglob("*.json"))]
    assert len(cases) == 98
    assert run(script, "proofs", cases) == [not case["wantErr"] for case in cases]


@needs_node
def test_an_honest_log_is_authentic_and_a_chosen_leaf_is_proven(script, client):
    report = judged(script, client.honest, vkeys(client), prove=[0, 255, 256, 609])
    assert report["outcome"] == "authentic"
    assert report["findings"] == []
    assert report["size"] == 610
    assert report["types"] == [["decision.read", 610]]
    assert report["signedBy"] == [client.keys[0].label]
    assert "ML-DSA-44" in report["notes"][-1]
    assert all(proof["holds"] for proof in report["proofs"])
    last = client.leaves[-1]
    proof, entry = client.house.read(prove_leaf(BANK, last.id))
    assert report["proofs"][-1]["entry"] == entry.decode()
    assert report["proofs"][-1]["proof"] == [
        base64.b64encode(step).decode() for step in proof.hashes
    ]


@needs_node
def test_without_a_key_it_says_not_authenticated(script, client):
    assert judged(script, client.honest, [])["outcome"] == "not_authenticated"
    only_ml_dsa = judged(script, client.honest, vkeys(client)[1:])
    assert only_ml_dsa["outcome"] == "not_authenticated"


@needs_node
def test_it_holds_a_log_against_an_earlier_checkpoint(script, client, tmp_path):
    since = str(client.early / "checkpoint")
    assert judged(script, client.honest, vkeys(client), since=since)["outcome"] == "authentic"
    since = str(client.honest / "checkpoint")
    report = judged(script, client.early, vkeys(client), since=since)
    assert report["outcome"] == "history_broken"
    assert report["findings"][0]["code"] == "rolled_back"
    (tmp_path / "noise").write_text("noise")
    assert "badInput" in judged(script, client.honest, vkeys(client), since=str(tmp_path / "noise"))


@needs_node
@pytest.mark.parametrize("key", ["", "x", "PeterNeumann+c74f20a3+ARpc2Q", "a+b+c"])
def test_a_mistyped_key_is_told_and_not_taken_for_a_broken_log(script, client, key):
    assert "badInput" in judged(script, client.honest, [key])


@needs_node
@pytest.mark.parametrize(
    "path",
    ["checkpoint", "tile/entries/000", "tile/entries/002.p/98", "tile/0/001", "tile/1/000.p/2"],
)
@pytest.mark.parametrize("at", [40, -20])
def test_a_changed_byte_anywhere_is_seen(script, client, path, at):
    bundle = client.copy(client.honest)
    raw = bytearray((bundle / path).read_bytes())
    at = raw.index(b"\xe2\x80\x94") + 90 if path == "checkpoint" and at < 0 else at
    raw[at] ^= 0x01
    (bundle / path).write_bytes(raw)
    report = judged(script, bundle, vkeys(client))
    assert report["outcome"] == "broken"
    assert report["findings"]


@needs_node
def test_a_missing_file_a_foreign_log_and_a_stripped_line_are_seen(script, client):
    bundle = client.copy(client.honest)
    (bundle / "tile/0/000").unlink()
    assert "missing" in judged(script, bundle, vkeys(client))["findings"][0]["message"]
    foreign = client.house.vkeys("client-other")
    assert judged(script, client.honest, foreign)["outcome"] == "broken"
    bundle = client.copy(client.honest)
    note = (bundle / "checkpoint").read_bytes().split(b"\xe2\x80\x94")
    (bundle / "checkpoint").write_bytes(note[0] + b"\xe2\x80\x94" + note[1])
    assert judged(script, bundle, vkeys(client))["outcome"] == "broken"
    assert judged(script, bundle, vkeys(client)[:1])["outcome"] == "authentic"


@needs_node
def test_the_page_itself_shows_verdict_leaves_and_proof(script, client):
    ids = [dict(a)["id"] for _, a in Parsed().tags if "id" in dict(a)]
    asked = {"folder": str(client.honest), "keys": vkeys(client), "ids": ids}
    shown = run(script, "page", {**asked, "find": client.leaves[400].id})
    assert shown["problem"]["text"] == ""
    assert shown["verdict-title"]["text"] == "Authentic"
    assert client.keys[0].name in shown["facts"]["text"]
    assert not shown["browser"]["hidden"]
    assert shown["proof-title"]["text"] == "Leaf 0"
    assert "In the log" in shown["proof-verdict"]["text"]
    assert client.leaves[400].body["decision"] in shown["leaves"]["text"]
    assert shown["range"]["text"].startswith("Leaves 410 to 459 of 610")


@needs_node
def test_the_page_says_what_to_do_when_nothing_was_chosen(script):
    ids = [dict(a)["id"] for _, a in Parsed().tags if "id" in dict(a)]
    shown = run(script, "page", {"folder": "", "keys": [], "ids": ids})
    assert "Choose the folder" in shown["problem"]["text"]
