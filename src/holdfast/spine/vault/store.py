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
