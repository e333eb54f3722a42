"""An employer's directory adds people, says whether they work, and lets them go, by SCIM 2.0 against a served house."""

from __future__ import annotations

import pytest
from httpx2 import Client
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import Status, check_server

from support.directory import Directory
from support.live import LiveBank

pytestmark = [pytest.mark.server, pytest.mark.slow]


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    with LiveBank(tmp_path_factory.mktemp("directory") / "house") as served:
        yield served


def test_the_house_passes_the_conformance_tests_completely(bank):
    directory = Directory(bank, "vendor-7")
    with Client(
        base_url=directory.base, headers={"Authorization": f"Bearer {directory.token}"}
    ) as http:
        results = check_server(SyncSCIMClient(http))
    bad = [
        (one.title, one.resource_type, one.reason)
        for one in results
        if one.status is not Status.SUCCESS
    ]
    assert not bad, bad
    assert len(results) > 30, "the tester reached the users"


def active(value):
    return {"op": "replace", "path": "active", "value": value}


def test_who_is_inactive_in_the_directory_is_suspended_and_comes_back(bank):
    directory = Directory(bank, "house")
    (found,) = directory.ask("GET", "/Users?filter=userName%20eq%20%22A0002%22").body["Resources"]
    ident = found["id"]
    assert directory.patch(ident, active(value=False)).status == 204
    assert bank.sql("SELECT state FROM identity_person WHERE id = ?", ident) == [("suspended",)]
    assert bank.reveal("name", token=bank.other_token).status == 403
    assert directory.ask("GET", f"/Users/{ident}").body["active"] is False
    assert directory.patch(ident, {"op": "Replace", "value": {"active": "True"}}).status == 204
    assert bank.sql("SELECT state FROM identity_person WHERE id = ?", ident) == [("active",)]


def test_who_is_deleted_leaves_and_their_staff_id_is_not_given_again(bank):
    directory = Directory(bank, "vendor-8")
    made = directory.add("V0001", displayName="At the desk", externalId="8-1")
    assert made.status == 201
    assert made.body["displayName"] == "At the desk"
    ident = made.body["id"]
    assert directory.ask("DELETE", f"/Users/{ident}").status == 204
    assert directory.ask("GET", f"/Users/{ident}").status == 404
    assert bank.sql("SELECT state FROM identity_person WHERE id = ?", ident) == [("left",)]
    again = directory.add("V0001")
    assert (again.status, again.body["scimType"]) == (409, "uniqueness")


def test_a_directory_that_says_so_lets_who_is_inactive_leave(bank):
    directory = Directory(bank, "vendor-9", "scim:vendor-9", "scim_leave:vendor-9")
    ident = directory.add("V0002").body["id"]
    assert directory.patch(ident, active(value=False)).status == 204
    assert bank.sql("SELECT state FROM identity_person WHERE id = ?", ident) == [("left",)]
    assert directory.ask("GET", f"/Users/{ident}").body["active"] is False
    back = directory.patch(ident, active(value=True))
    assert back.status == 409
    assert "does not come back" in back.body["detail"]
