"""An employer's directory, or somebody who says to be one, reaches for more than its own people's coming and going."""

from __future__ import annotations

import json

import pytest

from holdfast.kit.clock import HOUR_US
from holdfast.kit.errors import Conflict, InvalidInput, NotAuthenticated, NotFound
from holdfast.procedures.access.services import assignments, directory, people, tokens
from holdfast.procedures.access.services.assignments import Line
from holdfast.procedures.access.services.directory import Entry
from holdfast.procedures.network import services as signing_in
from holdfast.spine.administration.refusals import Refused
from holdfast.spine.identity.credentials import Bounds, hash_secret, issue
from holdfast.spine.identity.presented import Caller
from holdfast.vocabulary.levels import PersonState, Role
from support.bank import CLIENT, new_bank
from support.directory import PATCH, USER, Directory, issued
from support.live import LiveBank


@pytest.fixture
def bank(tmp_path):
    bank = new_bank(tmp_path / "bank")
    yield bank
    bank.close()


def as_directory(bank, work, *, employer="house", scopes=(), networks=(), peer="127.0.0.1"):
    """Do what a directory's token asks for."""
    token = bank.house.transact(
        issue(
            service="hr",
            life_us=HOUR_US,
            now_us=bank.clock.now_us(),
            bounds=Bounds(scopes=scopes or (f"scim:{employer}",), networks=networks),
        )
    )
    bank.house.directory = Caller(secret_hash=hash_secret(token.secret.reveal()), peer=peer)
    try:
        return bank.house.transact(work(bank.house))
    finally:
        bank.house.directory = None


def as_admin(bank, work):
    return bank.by(bank.admin, work)


def entry_of(bank, staff_id):
    (found,) = as_directory(bank, lambda house: directory.entries(house, staff_id=staff_id))
    return found


@pytest.mark.parametrize(
    "act",
    [
        lambda house: assignments.assign(house, "A0001", Line(CLIENT, "cards-in", ())),
        lambda house: people.set_roles(house, "A0001", [Role.ADMIN]),
        lambda house: people.set_lead(house, "A0001", ""),
        lambda house: people.add_employer(house, "another", ""),
        lambda house: tokens.create_for_person(house, "A0001", life_us=None, bounds=Bounds()),
        lambda house: tokens.create_for_service(
            house, "x", life_us=None, bounds=Bounds(scopes=(f"log:{CLIENT}",))
        ),
        lambda house: signing_in.invite(house, "A0001", networks=()),
        lambda house: tokens.revoke_of_person(house, "A0001"),
    ],
    ids=["assign", "roles", "lead", "employer", "token", "service", "invite", "revoke"],
)
def test_a_directory_does_nothing_but_say_who_works_there(bank, act):
    with pytest.raises(Refused):
        as_directory(bank, act)


def test_a_directory_adds_nobody_to_another_employer(bank):
    with pytest.raises(Refused) as refused:
        as_directory(
            bank,
            lambda house: people.add_person(
                house, "X0001", employer="another", roles=(Role.AGENT,)
            ),
        )
    assert refused.value.rules == ("admin.own_employer",)


@pytest.mark.parametrize("act", [people.suspend, people.leave, people.restore])
def test_the_guard_itself_keeps_a_directory_from_another_employers_people(bank, act):
    with pytest.raises(Refused) as refused:
        as_directory(bank, lambda house: act(house, "A0001"), employer="vendor-7")
    assert refused.value.rules == ("admin.own_employer",)


def test_another_employers_people_are_as_absent_as_those_that_nobody_has(bank):
    ident = bank.agent.id

    def told(text):
        with pytest.raises(NotFound) as error:
            as_directory(bank, lambda house: directory.entry(house, text), employer="vendor-7")
        return error.value.message, error.value.remedy

    assert told(ident) == told("per_nobody") == told("") == told("a\0b")
    assert not as_directory(bank, directory.entries, employer="vendor-7")
    for act in (
        lambda house: directory.change(house, Entry(id=ident, staff_id="A0001", active=False)),
        lambda house: directory.remove(house, ident),
    ):
        with pytest.raises(NotFound):
            as_directory(bank, act, employer="vendor-7")


def test_a_directory_does_not_lift_the_houses_own_suspension_and_is_not_told_of_it(bank):
    as_admin(bank, lambda house: people.suspend(house, "A0001"))
    seen = entry_of(bank, "A0001")
    assert seen.active is True
    for said in (False, True, None, True):
        wanted = Entry(id=seen.id, staff_id="A0001", active=said)
        answer = as_directory(bank, lambda house, wanted=wanted: directory.change(house, wanted))
        assert answer.active is said
        assert answer.state is PersonState.SUSPENDED


def test_a_suspension_that_the_house_takes_over_is_the_directorys_no_more(bank):
    ident = bank.agent.id
    off = Entry(id=ident, staff_id="A0001", active=False)
    as_directory(bank, lambda house: directory.change(house, off))
    as_admin(bank, lambda house: people.suspend(house, "A0001"))
    on = Entry(id=ident, staff_id="A0001", active=True)
    answer = as_directory(bank, lambda house: directory.change(house, on))
    assert answer.state is PersonState.SUSPENDED


def test_removing_what_it_said_does_not_end_a_suspension(bank):
    ident = bank.agent.id
    for said, state in (
        (False, PersonState.SUSPENDED),
        (None, PersonState.SUSPENDED),
        (False, PersonState.SUSPENDED),
        (True, PersonState.ACTIVE),
    ):
        wanted = Entry(id=ident, staff_id="A0001", active=said)
        answer = as_directory(bank, lambda house, wanted=wanted: directory.change(house, wanted))
        assert answer.state is state


def test_nobody_comes_back_by_the_directory_and_no_staff_id_changes_hands(bank):
    ident = bank.agent.id
    renamed = Entry(id=ident, staff_id="A0002x", active=True)
    with pytest.raises(InvalidInput):
        as_directory(bank, lambda house: directory.change(house, renamed))
    as_directory(bank, lambda house: people.leave(house, ident))
    back = Entry(id=ident, staff_id="A0001", active=True)
    with pytest.raises(Conflict):
        as_directory(bank, lambda house: directory.change(house, back))
    as_directory(bank, lambda house: directory.remove(house, ident))
    with pytest.raises(Conflict):
        as_directory(bank, lambda house: directory.create(house, Entry(staff_id="A0001")))


def test_the_last_administrator_does_not_leave_by_the_directory(bank):
    with pytest.raises(Refused) as refused:
        as_directory(bank, lambda house: directory.remove(house, bank.admin))
    assert refused.value.rules == ("admin.last_admin",)


def test_a_directory_gives_no_role_but_that_of_an_agent(bank):
    made = as_directory(bank, lambda house: directory.create(house, Entry(staff_id="N0001")))
    ((roles,),) = bank.sql("SELECT roles FROM identity_person WHERE id = ?", made.id)
    assert roles == "agent"


def test_what_a_directory_does_stands_in_the_logs_under_its_tokens_name(bank):
    as_directory(bank, lambda house: people.suspend(house, "A0001"))
    told = bank.leaves("person.suspended")
    assert len(told) == 2, "the house's log and the client's"
    assert len({one["by"] for one in told}) == 2, "under a name of its own in each"
    with pytest.raises(Refused):
        as_directory(bank, lambda house: people.set_roles(house, "A0001", [Role.ADMIN]))
    assert [one["act"] for one in bank.leaves("administration.refused")] == ["person.roles"]


@pytest.mark.parametrize(
    "scopes",
    [
        ("scim:house", "scim:vendor-7"),
        ("scim:house", f"log:{CLIENT}"),
        ("scim_leave:house",),
        ("scim:nobody-knows",),
    ],
)
def test_no_token_is_a_directorys_and_something_else(bank, scopes):
    with pytest.raises((InvalidInput, NotFound)):
        as_admin(
            bank,
            lambda house: tokens.create_for_service(
                house, "hr", life_us=None, bounds=Bounds(scopes=scopes)
            ),
        )


@pytest.mark.parametrize(
    "given",
    [
        {"scopes": (f"log:{CLIENT}",)},
        {"scopes": ("scim:house", "scim:vendor-7")},
        {"scopes": ("scim_leave:house",)},
        {"networks": ("192.0.2.0/24",)},
    ],
    ids=["log", "two", "leave", "elsewhere"],
)
def test_no_other_token_and_none_from_elsewhere_is_a_directory(bank, given):
    with pytest.raises(NotAuthenticated):
        as_directory(bank, directory.entries, **given)


# ── over HTTP ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with LiveBank(tmp_path_factory.mktemp("directory") / "house") as bank:
        yield bank


@pytest.mark.server
def test_who_shows_no_directorys_token_is_answered_alike(served):
    own = Directory(served, "house")
    other = issued(served, "house", f"log:{CLIENT}")
    answers = [
        own.ask("GET", "/Users", Authorization=header)
        for header in (
            f"Bearer {served.admin_token}",
            f"Bearer {other}",
            "Bearer made-up",
            "Bearer ",
        )
    ]
    assert {one.status for one in answers} == {401}
    assert len({json.dumps(one.body) for one in answers}) == 1
    assert answers[0].headers["WWW-Authenticate"].startswith("Bearer")
    assert answers[0].headers["Content-Type"] == "application/scim+json"
    assert own.ask("GET", "/Users", Authorization=None).status == 401
    assert own.ask("GET", "/ServiceProviderConfig", Authorization=None).status == 401


@pytest.mark.server
@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Cookie": "holdfast=of-somebody"},
        {"Authorization": None},
    ],
    ids=["cross-site", "same-site", "origin", "null", "cookie", "no-token"],
)
def test_a_page_of_another_origin_adds_nobody(served, headers):
    own = Directory(served, "house")
    body = {"schemas": [USER], "userName": "EVIL1"}
    assert own.ask("POST", "/Users", body, **headers).status == 403
    assert not served.sql("SELECT 1 FROM identity_person WHERE staff_id = ?", "EVIL1")


@pytest.mark.server
def test_a_program_with_a_token_changes_nothing_at_any_other_address(served):
    own = Directory(served, "house")
    own.base = own.origin
    assert own.ask("POST", "/sign-out").status == 403


@pytest.mark.server
def test_another_employers_user_and_nobody_are_answered_alike_over_http(served):
    own, other = Directory(served, "house"), Directory(served, "vendor-5")
    theirs = own.ask("GET", "/Users?count=1").body["Resources"][0]["id"]
    change = {
        "schemas": [PATCH],
        "Operations": [{"op": "replace", "path": "active", "value": False}],
    }
    whole = {"schemas": [USER], "userName": "A0001", "active": False}
    for method, body in (("GET", None), ("PATCH", change), ("PUT", whole), ("DELETE", None)):
        found = [other.ask(method, f"/Users/{ident}", body) for ident in (theirs, "per_nobody")]
        assert [one.status for one in found] == [404, 404]
        assert found[0].body == found[1].body
    assert other.ask("GET", "/Users").body["totalResults"] == 0


@pytest.mark.server
@pytest.mark.parametrize(
    ("method", "path", "body", "status", "scim_type"),
    [
        ("GET", "/Users?filter=userName%20xx%20%221%22", None, 400, "invalidFilter"),
        ("GET", "/Users?filter=(", None, 400, "invalidFilter"),
        ("POST", "/Users", {"schemas": [USER]}, 400, "invalidValue"),
        ("POST", "/Users", {"schemas": [USER], "userName": "no spaces"}, 400, "invalidValue"),
        ("POST", "/Users", {"schemas": [USER], "userName": "x\0y"}, 400, "invalidValue"),
        ("POST", "/Users", {"schemas": [USER], "userName": "A0001"}, 409, "uniqueness"),
        ("POST", "/Users", ["no", "object"], 400, None),
        ("POST", "/Bulk", {"Operations": []}, 501, None),
        ("GET", "/Me", None, 501, None),
        ("GET", "/Passwords", None, 404, None),
    ],
)
def test_what_is_malformed_is_refused_in_scims_words(served, method, path, body, status, scim_type):
    answer = Directory(served, "house").ask(method, path, body)
    assert (answer.status, answer.headers["Content-Type"]) == (status, "application/scim+json")
    assert answer.body["status"] == str(status)
    if scim_type:
        assert answer.body["scimType"] == scim_type


@pytest.mark.server
def test_what_the_house_does_not_keep_is_dropped_and_not_stored(served):
    own = Directory(served, "house")
    made = own.add(
        "N0007", name={"familyName": "Planted-Family"}, phoneNumbers=[{"value": "555-0199"}]
    )
    assert made.status == 201
    assert "Planted" not in json.dumps(made.body)
    for path in served.home.glob("data*"):
        assert b"Planted-Family" not in path.read_bytes()


@pytest.mark.server
@pytest.mark.slow
def test_who_asks_too_fast_is_told_when_there_is_room(tmp_path):
    env = {"HOLDFAST_FLOOD_PER_CREDENTIAL": "1/5"}
    with LiveBank(tmp_path / "house", env=env) as bank:
        own = Directory(bank, "house")
        answers = [own.ask("GET", "/Users?count=1") for _ in range(12)]
        late = answers[-1]
        assert late.status == 429
        assert int(late.headers["Retry-After"]) >= 1
        assert late.body["status"] == "429"
        guessing = [own.ask("GET", "/Users", Authorization="Bearer guess") for _ in range(12)]
        assert guessing[-1].status == 429
