"""A person's days with Holdfast, told through the command line as an administrator and an agent type it."""

from __future__ import annotations

import json

import pytest

from support.server import holdfast

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
OK, REFUSED, DENIED = 0, 2, 5


class Desk:
    """A terminal at the house; ``token`` is what HOLDFAST_TOKEN holds there."""

    def __init__(self, home, token=""):
        self.home = home
        self.more = {"HOLDFAST_TOKEN": token} if token else {}

    def run(self, *words, expect=OK, stdin=""):
        done = holdfast(self.home, *words, stdin=stdin, **self.more)
        assert done.returncode == expect, done.stderr
        assert "Traceback" not in done.stderr
        return done

    def data(self, *words):
        return json.loads(self.run(*words, "--json").stdout)

    def says(self, *words, expect):
        return self.run(*words, expect=expect).stderr


@pytest.fixture(scope="module")
def admin(tmp_path_factory):
    home = tmp_path_factory.mktemp("people") / "house"
    desk = Desk(home)
    desk.run("init")
    contract = home.parent / "contract.toml"
    contract.write_text(CONTRACT)
    desk.run("client", "add", "bank-01", "--contract", str(contract))
    return desk


def hire(admin, staff_id, *more):
    return admin.data("person", "add", staff_id, "--employer", "house", "--role", "agent", *more)


def token_of(admin, staff_id, *more):
    return admin.run("token", "create", "--person", staff_id, *more).stdout.strip()


def listed(admin, staff_id):
    return next(p for p in admin.data("person", "list") if p["staff_id"] == staff_id)


def test_an_agent_is_hired_works_is_suspended_comes_back_and_leaves(admin):
    person = hire(admin, "A1", "--programme", "cards", "--queue", "cards-in")
    assert person["assigned"] == "bank-01/cards"
    assert listed(admin, "A1")["assigned"] == ["bank-01/cards (cards-in)"]

    agent = Desk(admin.home, token_of(admin, "A1"))
    assert [t["holder"] for t in agent.data("token", "list")] == ["house/A1"]

    admin.run("person", "suspend", "A1")
    assert "suspended" in agent.says("token", "list", expect=DENIED)
    admin.run("person", "restore", person["person"])
    agent.run("token", "list")

    gone = admin.data("person", "leave", "house/A1")
    assert (gone["state"], gone["assignments_ended"], gone["tokens_revoked"]) == ("left", 1, 1)
    assert "not accepted" in agent.says("token", "list", expect=DENIED)
    assert "left" in admin.says("person", "restore", "A1", expect=REFUSED)


def test_a_token_is_printed_alone_and_once(admin):
    hire(admin, "A2")
    made = admin.run(
        "token", "create", "--person", "A2", "--networks", "192.0.2.0/24,198.51.100.0/24"
    )
    assert made.stdout.startswith("hft_")
    assert made.stdout.count("\n") == 1
    assert made.stdout.strip() not in made.stderr
    (shown,) = admin.data("token", "list", "--person", "A2")
    assert shown["networks"] == ["192.0.2.0/24", "198.51.100.0/24"]
    assert made.stdout.strip() not in json.dumps(shown)
    as_data = admin.data("token", "create", "--person", "A2")
    assert as_data["token"].startswith("hft_")
    assert as_data["id"].startswith("crd_")


def test_a_lost_token_is_revoked_by_its_secret_or_by_its_person(admin):
    hire(admin, "A3")
    found, other = token_of(admin, "A3"), token_of(admin, "A3")
    admin.run("token", "revoke", "-", stdin=f"{found}\n")
    Desk(admin.home, found).says("token", "list", expect=DENIED)
    Desk(admin.home, other).run("token", "list")
    assert "standard input" in admin.says("token", "revoke", other, expect=REFUSED)
    assert len(admin.data("token", "revoke", "--person", "A3")["revoked"]) == 1
    Desk(admin.home, other).says("token", "list", expect=DENIED)


def test_an_agent_administers_nothing_but_their_own_token(admin):
    hire(admin, "A4")
    agent = Desk(admin.home, token_of(admin, "A4"))
    for words in (
        ("person", "add", "X1", "--employer", "house", "--role", "admin"),
        ("person", "assign", "A4", "--programme", "cards"),
        ("person", "suspend", "root"),
        ("person", "list"),
        ("token", "create", "--person", "A4"),
        ("employer", "add", "vendor-9"),
    ):
        assert agent.says(*words, expect=DENIED)
    (mine,) = agent.data("token", "list")
    agent.run("token", "revoke", mine["id"])
    agent.says("token", "list", expect=DENIED)


def test_what_is_typed_wrong_is_told_with_what_is_right(admin):
    hire(admin, "A5")
    for words, hint in (
        (("person", "add", "A5", "--employer", "house", "--role", "agent"), "already"),
        (("person", "assign", "A5", "--programme", "card"), "Did you mean cards?"),
        (("person", "assign", "A5", "--programme", "cards", "--queue", "card-in"), "cards-in"),
        (("person", "suspend", "nobody"), "person list"),
        (("token", "create", "--person", "A5", "--networks", "office"), "CIDR"),
        (("token", "create", "--person", "A5", "--expires", "90d"), "30 days"),
        (("token", "create"), "--person or --service"),
        (("token", "step-up", "stp_unknown"), "step_up_required"),
        (("person", "add", "A6", "--employer", "house"), "--role"),
        (("person", "add", "A6", "--employer", "house", "--role", "boss"), "agent"),
    ):
        assert hint in admin.says(*words, expect=REFUSED)


def test_an_employer_that_is_new_is_said_to_be_new(admin):
    done = admin.run("person", "add", "V1", "--employer", "vendor-7", "--role", "agent", "--json")
    assert "vendor-7 is new" in done.stderr
    assert json.loads(done.stdout)["employer"] == "vendor-7"
    assert "vendor-7" in {e["employer"] for e in admin.data("employer", "list")}


def test_a_token_is_bound_to_a_key_that_its_holder_made(admin, tmp_path):
    admin.run("person", "add", "A9", "--employer", "house", "--role", "agent")
    file = tmp_path / "A9.pem"
    made = admin.data("token", "key", str(file))
    assert file.stat().st_mode & 0o777 == 0o600
    assert admin.data("token", "key", str(file)) == made, "a key that is there is not replaced"
    jkt = made["thumbprint"]
    token = token_of(admin, "A9", "--jkt", jkt)
    assert token.startswith("hft_")
    (shown,) = admin.data("token", "list", "--person", "A9")
    assert shown["key"] == jkt
    Desk(admin.home, token).says("token", "list", expect=DENIED)  # the command line shows no key
    admin.run("token", "create", "--person", "A9", "--dpop-key", str(file))
    assert {t["key"] for t in admin.data("token", "list", "--person", "A9")} == {jkt}
    file.write_text("no key")
    for words, why in (
        (("--jkt", jkt[:-1]), "43 characters"),
        (("--jkt", jkt, "--dpop-key", str(file)), "either"),
        (("--dpop-key", str(file)), "holds no key"),
        (("--certificate", str(file)), "certificate"),
    ):
        assert why in admin.says("token", "create", "--person", "A9", *words, expect=REFUSED)
