"""What the checks say of database roles, and the SQL that is handed to whoever administers the server."""

from __future__ import annotations

import json
from contextlib import contextmanager

import pytest

from holdfast.edges.checks import server
from holdfast.edges.checks.findings import Skipped
from holdfast.edges.roles.granting import named as named_roles
from holdfast.edges.roles.rights import LEDGER
from holdfast.kit.config import load_settings
from holdfast.kit.errors import InvalidInput
from support.cluster import cluster
from support.served import NEEDS_SERVER, ROLES, as_role, granted_house, named
from support.server import holdfast

pytestmark = NEEDS_SERVER


def settings(environment):
    return load_settings(granted_house(), environment)


def owner():
    return settings(named(granted_house()))


@contextmanager
def given_by_hand(right):
    """A right that somebody gave and took away again, past the declaration."""
    database = str(owner().data).rsplit("/", 1)[1]
    with cluster().connect(database) as connection:
        connection.execute(f"GRANT {right} ON ledger_bundle TO {ROLES['app']}")
        yield
        connection.execute(f"REVOKE {right} ON ledger_bundle FROM {ROLES['app']}")


def said(found):
    return [finding.message for finding in found]


def test_the_owner_may_rewrite_the_ledger_and_is_told_so():
    (told,) = said(server.cannot_rewrite(owner()))
    assert told.startswith("the database role holdfast may rewrite ")
    assert all(table in told for table in LEDGER - {"ledger_lease"})
    assert [one.severity.value for one in server.must_not_rewrite(owner())] == ["error"]


@pytest.mark.parametrize("what", ["app", "worker"])
def test_a_granted_role_may_not(what):
    here = settings(as_role(granted_house(), what))
    assert said(server.cannot_rewrite(here)) == []
    assert said(server.as_declared(here)) == []


def test_the_worker_can_erase_and_the_app_is_not_asked():
    assert said(server.can_erase(settings(as_role(granted_house(), "worker")))) == []
    with pytest.raises(Skipped):
        list(server.can_erase(settings(as_role(granted_house(), "app"))))


@pytest.mark.parametrize("right", ["DELETE", "UPDATE", "TRUNCATE"])
def test_a_right_that_was_given_by_hand_is_told(right):
    with given_by_hand(right):
        (told,) = said(server.as_declared(owner()))
        assert f"holdfast_app may {right}, which is not declared, on ledger_bundle" in told
        app = settings(as_role(granted_house(), "app"))
        assert bool(said(server.cannot_rewrite(app))) is (right != "UPDATE")


def test_a_role_that_is_none_of_the_server_is_told():
    here = settings(named(granted_house()) | {"HOLDFAST_ROLE_READER": "nobody_here"})
    assert [told.split(" of ")[0] for told in said(server.as_declared(here))] == [
        "nobody_here is no role"
    ] * 2


def test_two_roles_are_not_the_same():
    here = settings(named(granted_house()) | {"HOLDFAST_ROLE_READER": ROLES["app"]})
    with pytest.raises(InvalidInput, match="are three"):
        named_roles(here)


def test_the_sql_is_printed_for_somebody_else_to_run():
    done = holdfast(granted_house(), "roles", "--print", "--json", **named(granted_house()))
    data, keys = json.loads(done.stdout)
    app = "\n".join(line for line in data["owner"] if line.endswith('TO "holdfast_app"'))
    assert 'GRANT SELECT, INSERT ON "public"."ledger_pending" TO' in app
    removes = [line for line in app.splitlines() if "DELETE" in line]
    assert ["mfa_authenticator" in line for line in removes] == [True], "people remove own factors"
    assert not [line for line in keys["owner"] if "GRANT" in line and "reader" in line]
    assert [line for line in keys["superuser"] if line.startswith("ALTER DATABASE")]


def test_a_house_in_files_has_no_roles(tmp_path):
    done = holdfast(tmp_path, "roles", HOLDFAST_ROLE_APP="app")
    assert done.returncode == 2
    assert "a file knows no roles" in done.stderr
