"""Attacks with the database connection of a data plane, a worker or an auditor, which the server refuses."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import errors

from holdfast.edges.roles.rights import LEDGER, RIGHTS
from support.cluster import cluster
from support.served import NEEDS_SERVER, ROLES, STORES, address, granted, granted_house

pytestmark = NEEDS_SERVER
#: Whose part of the ledger the worker writes over as a log grows; it removes none of it either.
GROWS = {"ledger_tile", "ledger_bundle", "ledger_tree", "ledger_checkpoint", "ledger_lease"}
TAKEN = {
    "ledger_pending",
    "decision_record",
}  # the worker takes a row of these away, and changes none
IN_DATA = sorted(table for table in RIGHTS if not table.startswith("keyring_"))
IN_KEYS = sorted(RIGHTS.keys() - set(IN_DATA))


@pytest.fixture(scope="module")
def home():
    return granted_house()


@pytest.fixture(scope="module")
def connections(home):
    opened = {}

    def connect(role, store="database_url"):
        if (role, store) not in opened:
            opened[role, store] = psycopg.connect(
                address(home, ROLES[role], store), autocommit=True
            )
        return opened[role, store]

    yield connect
    for connection in opened.values():
        connection.close()


def refused(connection, *statements):
    for text in statements:
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute(text)


def changes(connection, table):
    """UPDATE and DELETE of a table, so written that no row need be there."""
    asked = "SELECT column_name FROM information_schema.columns WHERE table_name = %s"
    ((column, *_), *_) = connection.execute(asked, (table,)).fetchall()
    return f'UPDATE {table} SET "{column}" = "{column}"', f"DELETE FROM {table}"


@pytest.mark.parametrize("table", sorted(LEDGER))
def test_a_data_plane_that_was_taken_over_rewrites_the_ledger(connections, table):
    app = connections("app")
    refused(app, *changes(app, table), f"TRUNCATE {table}", f"DROP TABLE {table}")
    refused(
        app, f"ALTER TABLE {table} RENAME TO gone", f"ALTER TABLE {table} OWNER TO {ROLES['app']}"
    )


@pytest.mark.parametrize("table", sorted(LEDGER))
def test_a_worker_that_was_taken_over_removes_places_of_leaves(connections, table):
    worker = connections("worker")
    update, delete = changes(worker, table)
    refused(
        worker, f"TRUNCATE {table}", f"DROP TABLE {table}", f"ALTER TABLE {table} RENAME TO gone"
    )
    if table in GROWS:
        refused(worker, delete)
    if table in TAKEN:
        refused(worker, update)


def test_a_data_plane_puts_a_trigger_or_a_rule_on_the_ledger(connections):
    refused(
        connections("app"),
        "CREATE RULE silent AS ON INSERT TO ledger_pending DO INSTEAD NOTHING",
        "CREATE TRIGGER silent BEFORE INSERT ON ledger_pending FOR EACH ROW"
        " EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    )


@pytest.mark.parametrize("role", sorted(ROLES))
def test_a_role_makes_tables_of_its_own_in_place_of_the_houses(connections, role):
    connection = connections(role)
    refused(connection, "CREATE TABLE shadow (id int)")
    if role != "worker":  # it keeps the database, and may make what it does not use
        refused(connection, "CREATE TEMP TABLE ledger_pending (id int)", "CREATE SCHEMA shadow")


@pytest.mark.parametrize("role", ["app", "reader"])
def test_a_role_takes_on_another(connections, role):
    for other in ("holdfast", ROLES["worker"], "pg_read_server_files"):
        refused(connections(role), f"SET ROLE {other}")
    refused(
        connections(role), f"CREATE ROLE {role}_more", f"GRANT {ROLES['worker']} TO {ROLES[role]}"
    )


@pytest.mark.parametrize("role", ["app", "reader"])
def test_a_role_reads_the_servers_files_around_its_rights(connections, role):
    refused(
        connections(role),
        "SELECT pg_read_binary_file('PG_VERSION', 0, 4, true)",
        "SELECT name FROM pg_ls_waldir()",
        "SELECT pg_switch_wal()",
        "CHECKPOINT",
    )


@pytest.mark.parametrize("table", IN_DATA)
def test_an_auditor_writes(connections, table):
    reader = connections("reader")
    owner = cluster().connect(reader.info.dbname)
    with owner:
        update, delete = changes(owner, table)
    refused(reader, update, delete, f"INSERT INTO {table} DEFAULT VALUES", f"TRUNCATE {table}")


def test_an_auditor_reads_values_credentials_or_persons(connections):
    unread = [table for table in IN_DATA if not RIGHTS[table].reader]
    assert {"vault_record", "identity_credential", "identity_person"} <= set(unread)
    for table in unread:
        refused(connections("reader"), f"SELECT 1 FROM {table}")


def test_an_auditor_enters_the_key_store(home):
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(address(home, ROLES["reader"], "keys_url"))


@pytest.mark.parametrize("table", IN_KEYS)
def test_a_data_plane_destroys_keys(connections, table):
    keys = connections("app", "keys_url")
    refused(keys, *changes(keys, table), f"TRUNCATE {table}", f"DROP TABLE {table}")


def test_somebody_else_of_the_server_connects(home):
    with cluster().connect() as connection:
        connection.execute("DROP ROLE IF EXISTS passer_by")
        connection.execute("CREATE ROLE passer_by LOGIN")
    for store in STORES:
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(address(home, "passer_by", store))


def test_what_is_granted_by_hand_is_gone_with_the_next_granting(home, connections):
    app = connections("app")
    with cluster().connect(app.info.dbname) as owner:
        owner.execute(f"GRANT DELETE ON ledger_bundle TO {ROLES['app']}")
        owner.execute(f"GRANT UPDATE (body) ON ledger_bundle TO {ROLES['app']}")
    app.execute("DELETE FROM ledger_bundle")
    granted(home, cluster())
    refused(app, "DELETE FROM ledger_bundle", "UPDATE ledger_bundle SET body = body")
