"""SQL of the vault in the ``data`` store."""

from __future__ import annotations

from typing import Final

from holdfast.kit.db import statement

# ── what a look loads ───────────────────────────────────────────────────────────────────────────────────────────
COLLECTION: Final = statement(
    "vault_collection",
    """SELECT version, digest, compiled FROM vault_collection
    WHERE client = :client AND name = :name ORDER BY version DESC LIMIT 1""",
)
COLLECTIONS: Final = statement(
    "vault_collections",
    """SELECT name, version, digest, compiled, added_us FROM vault_collection AS newest
    WHERE client = :client AND version = (
        SELECT MAX(version) FROM vault_collection WHERE client = :client AND name = newest.name
    ) ORDER BY name""",
)
CUSTOMER: Final = statement(
    "vault_customer", "SELECT state FROM vault_customer WHERE client = :client AND id = :id"
)
RECORDS: Final = statement(
    "vault_records",
    """SELECT id, customer, collection, version, body, operation FROM vault_record
    WHERE client = :client AND customer = :customer AND collection = :collection ORDER BY id""",
)
COMMITTED: Final = statement(
    "vault_committed", "SELECT id FROM vault_operation WHERE client = :client AND id IN (:ids*)"
)

# ── writing ─────────────────────────────────────────────────────────────────────────────────────────────────────
ADD_COLLECTION: Final = statement(
    "vault_add_collection",
    """INSERT INTO vault_collection (client, name, version, schema_toml, compiled, digest, added_us)
    VALUES (:client, :name, :version, :schema_toml, :compiled, :digest, :added_us)""",
)
ADD_OPERATION: Final = statement(
    "vault_add_operation",
    """INSERT INTO vault_operation (client, id, kind, salt, at_us)
    VALUES (:client, :id, :kind, :salt, :at_us)""",
)
UPDATE_RECORD: Final = statement(
    "vault_update_record",
    """UPDATE vault_record SET version = :version, body = :body, operation = :operation
    WHERE client = :client AND customer = :customer AND id = :id AND version = :version - 1
    RETURNING version""",
)

# ── writing many: parameters by position, in the order of the columns ───────────────────────────────────────────
CUSTOMER_STATES: Final = statement(
    "vault_customer_states",
    "SELECT id, state FROM vault_customer WHERE client = :client AND id IN (:ids*)",
)
RECORDS_OF: Final = statement(
    "vault_records_of",
    """SELECT id, customer, collection, version, body, operation FROM vault_record
    WHERE client = :client AND customer IN (:customers*) AND collection = :collection""",
)
SUPPRESSED: Final = statement(
    "vault_suppressed",
    "SELECT mac FROM vault_suppression WHERE client = :client AND mac IN (:macs*)",
)
SUPPRESSES_ANY: Final = statement(
    "vault_suppresses_any", "SELECT 1 FROM vault_suppression WHERE client = :client LIMIT 1"
)
LIVE: Final = statement(
    "vault_live",
    "SELECT COUNT(*) FROM vault_customer WHERE client = :client AND id IN (:ids*) AND state = 'live'",
)
MANY_CUSTOMERS: Final = statement(
    "vault_many_customers",
    """INSERT INTO vault_customer (client, id, state, changed_us) VALUES (:client, :id, 'live', :changed_us)
    ON CONFLICT (client, id) DO NOTHING""",
)
MANY_RECORDS: Final = statement(
    "vault_many_records",
    """INSERT INTO vault_record (client, customer, id, collection, version, body, operation)
    VALUES (:client, :customer, :id, :collection, :version, :body, :operation)
    ON CONFLICT (client, customer, id) DO NOTHING""",
)
MANY_CHANGES: Final = statement(
    "vault_many_changes",
    """UPDATE vault_record SET version = :version, body = :body, operation = :operation
    WHERE client = :client AND customer = :customer AND id = :id AND version = :before""",
)
