"""Somebody at the console looks at, or acts on, people who are not theirs, or writes what a page would run."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from holdfast.kit.secret import Secret
from holdfast.procedures.access.services import assignments, people
from holdfast.procedures.access.services.assignments import Line
from holdfast.vocabulary.levels import Role
from support.bank import CLIENT
from support.live import LiveBank
from support.signed import SignedIn

pytestmark = pytest.mark.server
LINE = f"{CLIENT}/cards-in"
PROBE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    with LiveBank(tmp_path_factory.mktemp("people") / "house") as served:
        yield served


@pytest.fixture(scope="module")
def ids(bank):
    """People by staff id: a lead of the cards line, somebody of security, an administrator beside the first."""
    house = bank.house()
    house.settings = replace(house.settings, token=Secret(bank.admin_token))

    def hire(staff_id, *roles, line=True):
        member, _ = house.transact(
            people.add_person(house, staff_id, employer="house", roles=roles)
        )
        if line:
            house.transact(
                assignments.assign(house, staff_id, Line(CLIENT, "cards-in", ()), roles=roles)
            )
        return member.id

    found = {
        "lead": hire("L0001", Role.LEAD),
        "security": hire("S0001", Role.SECURITY, line=False),
        "admin": hire("R0001", Role.ADMIN, line=False),
        "elsewhere": hire("E0001", Role.AGENT, line=False),
        "agent": hire("A0900", Role.AGENT),
        "goes": hire("A0901", Role.AGENT),
        "marked": hire("A0902", Role.AGENT),
    }
    house.close()
    return found


@pytest.fixture(scope="module")
def lead(bank, ids):
    return SignedIn(bank, ids["lead"])


@pytest.fixture(scope="module")
def admin(bank, ids):
    return SignedIn(bank, ids["admin"])


@pytest.fixture(scope="module")
def security(bank, ids):
    return SignedIn(bank, ids["security"])


def state(bank, ident):
    ((found,),) = bank.sql("SELECT state FROM identity_person WHERE id = ?", ident)
    return found


def test_an_agent_sees_no_list_of_people(bank, ids):
    agent = SignedIn(bank, ids["agent"])
    for path in ("/people", f"/people/{ids['agent']}", "/people/add"):
        assert agent.get(path).status == 403
    assert agent.post(f"/people/{ids['goes']}/suspend").status == 403
    assert state(bank, ids["goes"]) == "active"


def test_a_lead_sees_the_people_of_their_line_and_nobody_else(lead, ids):
    text = lead.get("/people").text
    assert ids["agent"] in text
    assert ids["elsewhere"] not in text
    assert ids["security"] not in text
    assert ids["admin"] not in text


def test_somebody_elses_person_and_nobody_are_one_page_to_a_lead(lead, ids):
    for suffix in ("", "/suspend", "/leave", "/assign", "/invite", "/nothing"):
        ask = lead.get if not suffix else lead.post
        found = [ask(f"/people/{one}{suffix}") for one in (ids["elsewhere"], "per_nobody", "x")]
        assert {one.status for one in found} == {404}, suffix
        assert len({_without_nonce(one.text) for one in found}) == 1


def _without_nonce(text):
    return re.sub(r'nonce="[^"]*"', "", text)


def test_a_lead_suspends_in_their_line_but_does_nothing_more(bank, lead, ids):
    goes = ids["goes"]
    for what, fields in (
        ("leave", {"typed": "A0901"}),
        ("assign", {"line": LINE}),
        ("move", {"line": LINE}),
        ("unassign", {"line": LINE}),
        ("roles", {"roles": "admin"}),
        ("lead", {"lead": ""}),
        ("restore", {}),
        ("invite", {}),
    ):
        assert lead.post(f"/people/{goes}/{what}", fields).status == 403, what
    assert state(bank, goes) == "active"
    assert lead.post("/people/add", {"staff_id": "X1", "employer": "house"}).status == 404
    assert lead.post(f"/people/badges/{goes}").status == 403


def test_nobody_makes_more_of_themselves(bank, admin, ids):
    own = ids["admin"]
    for what, fields in (
        ("assign", {"line": LINE}),
        ("roles", {"roles": ["admin", "security"]}),
        ("invite", {}),
    ):
        assert admin.post(f"/people/{own}/{what}", fields).status == 403, what
    assert not bank.sql("SELECT 1 FROM identity_assignment WHERE person = ?", own)


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
def test_a_page_of_another_site_lets_nobody_go(bank, admin, ids, site):
    fields = {"typed": "A0901"}
    assert admin.post(f"/people/{ids['goes']}/leave", fields, site=site).status == 403
    assert state(bank, ids["goes"]) == "active"


def test_nobody_is_let_go_by_a_slip(bank, security, ids):
    for typed in ("", "A0900", "a0901", "A0901 please"):
        answer = security.post(f"/people/{ids['goes']}/leave", {"typed": typed})
        assert answer.status == 422
        assert "exactly" in answer.text
    assert state(bank, ids["goes"]) == "active"
    assert security.get(f"/people/{ids['goes']}/leave").status == 405


def test_what_somebody_typed_is_shown_and_not_run(bank, admin, ids):
    typed = {"staff_id": PROBE, "employer": PROBE, "label": PROBE, "lead": PROBE}
    answers = [
        admin.post("/people/add", typed),
        admin.get(
            "/people?text=%3Cscript%3Ealert(1)%3C/script%3E&employer=%22%3E%3Cimg%20src=x%3E"
        ),
        admin.post(f"/people/{ids['agent']}/leave", {"typed": PROBE}),
        admin.post(f"/people/{ids['agent']}/lead", {"lead": PROBE}),
        admin.post(f"/people/{ids['agent']}/assign", {"line": PROBE}),
    ]
    for answer in answers:
        assert answer.status in {200, 422}
        assert "<script>alert" not in answer.text
        assert "<img" not in answer.text.replace('<img src="/static/', "")
    bank.sql("UPDATE identity_person SET label = ? WHERE id = ?", PROBE, ids["marked"])
    for path in ("/people", f"/people/{ids['marked']}"):
        text = admin.get(path).text
        assert "<script>alert" not in text
        assert "&lt;script&gt;alert" in text, "the probe is there, as text"


@pytest.mark.parametrize(
    "query",
    [
        "text=%25",
        "text=_",
        "text=%00",
        "text='%20OR%201=1--",
        "state=nothing",
        "after=zzzz&after_id=zzzz",
    ],
)
def test_a_filter_is_taken_as_it_stands(admin, query):
    answer = admin.get(f"/people?{query}")
    assert answer.status == 200
    if query not in {"text=%00", "text=_", "text=%25"}:  # nothing, and any one character
        assert "per_" not in answer.text


def test_what_is_missing_comes_back_beside_what_was_typed(bank, admin):
    answer = admin.post("/people/add", {"staff_id": "has spaces", "employer": "house"})
    assert answer.status == 422
    assert 'value="has spaces"' in answer.text
    assert "aria-invalid" in answer.text
    taken = admin.post("/people/add", {"staff_id": "A0900", "employer": "house", "roles": "agent"})
    assert taken.status == 422
    assert "already" in taken.text


def test_a_joiner_moves_and_leaves_by_the_pages(bank, admin, security):
    made = admin.post(
        "/people/add",
        {
            "staff_id": "J0001",
            "employer": "house",
            "roles": "agent",
            "line": LINE,
            "label": "Joins",
        },
    )
    assert made.status == 302
    path = made.to
    link = admin.post(f"{path}/invite")
    assert link.text.count("/enrol/hfe_") == 1
    assert "/enrol/" not in admin.get(path).text, "it is shown once"
    assert admin.post(f"{path}/move", {"line": LINE}).status == 302
    assert security.post(f"{path}/suspend").status == 302
    assert security.post(f"{path}/suspend").status == 422
    assert security.post(f"{path}/leave", {"typed": "J0001"}).status == 302
    ident = path.rsplit("/", 1)[1]
    assert state(bank, ident) == "left"
    assert "J0001" in security.get("/people").text.split("Badges to take back")[1]
    assert security.post(f"/people/badges/{ident}").status == 302
    assert "Badges to take back" not in security.get("/people").text


def form(**fields):
    """A multipart form; a field of bytes is a file."""
    parts = []
    for name, value in fields.items():
        file = b'; filename="people.csv"' if isinstance(value, bytes) else b""
        content = value if isinstance(value, bytes) else value.encode()
        head = b'--x\r\nContent-Disposition: form-data; name="' + name.replace("__", ".").encode()
        parts.append(head + b'"' + file + b"\r\n\r\n" + content + b"\r\n")
    return b"".join(parts) + b"--x--\r\n"


MULTIPART = "multipart/form-data; boundary=x"


def test_a_list_is_uploaded_mapped_looked_at_and_done(bank, admin):
    csv = "\ufeffNr;Who\r\nH0001;Zoë\r\nnot an id;x\r\n".encode()
    first = admin.upload("/people/import", form(employer="house", do="map", file=csv), MULTIPART)
    assert first.status == 200
    assert "Zoë" in first.text
    carried = {"employer": "house", "text": csv.decode("utf-8-sig"), "map__label": "Who"}
    wrong = admin.upload("/people/import", form(do="preview", **carried), MULTIPART)
    assert "say which column is the staff id" in wrong.text.lower()
    carried["map__staff_id"] = "Nr"
    looked = admin.upload("/people/import", form(do="preview", **carried), MULTIPART)
    assert "joins: 1" in looked.text
    assert "wrong: 1" in looked.text
    assert not bank.sql("SELECT 1 FROM identity_person WHERE staff_id = ?", "H0001")
    assert admin.upload("/people/import", form(do="apply", **carried), MULTIPART).status == 200
    assert bank.sql("SELECT label FROM identity_person WHERE staff_id = ?", "H0001") == [("Zoë",)]


def test_a_file_that_is_none_or_too_long_is_refused_and_writes_nothing(bank, admin, lead):
    before = bank.sql("SELECT COUNT(*) FROM identity_person")
    for content, status in (
        (b"", 422),
        (b"\0\0\0", 422),
        (b"Nr\n" + b"X1\n" * 120_000, 422),
    ):
        sent = form(employer="house", do="apply", map__staff_id="Nr", file=content)
        assert admin.upload("/people/import", sent, MULTIPART).status == status
    probe = form(employer=PROBE, do="map", file=f"{PROBE},Nr\n{PROBE},1\n".encode())
    shown = admin.upload("/people/import", probe, MULTIPART)
    assert "<script>alert" not in shown.text
    sent = form(employer="house", do="apply", map__staff_id="Nr", file=b"Nr\nX1\n")
    assert lead.upload("/people/import", sent, MULTIPART).status == 404
    assert bank.sql("SELECT COUNT(*) FROM identity_person") == before
