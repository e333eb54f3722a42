"""SQL of the ``keys`` store. Additions come before the operation that needs them, deletions after it (SPINE 18)."""

from __future__ import annotations

from typing import Final

from holdfast.kit.db import statement

# ── client keys, record keys ────────────────────────────────────────────────────────────────────────────────────
KEKS: Final = statement(
    "keyring_keks",
    "SELECT purpose, epoch, wrapped FROM keyring_kek WHERE client = :client ORDER BY purpose, epoch",
)
ADD_KEK: Final = statement(
    "keyring_add_kek",
    """INSERT INTO keyring_kek (client, purpose, epoch, wrapped) VALUES (:client, :purpose, :epoch, :wrapped)
    ON CONFLICT (client, purpose, epoch) DO NOTHING""",
)
RECORD_KEY: Final = statement(
    "keyring_record_key",
    "SELECT wrapped FROM keyring_record_key WHERE client = :client AND month = :month",
)
ADD_RECORD_KEY: Final = statement(
    "keyring_add_record_key",
    """INSERT INTO keyring_record_key (client, month, wrapped) VALUES (:client, :month, :wrapped)
    ON CONFLICT (client, month) DO NOTHING""",
)
DROP_RECORD_KEY: Final = statement(
    "keyring_drop_record_key",
    "DELETE FROM keyring_record_key WHERE client = :client AND month = :month",
)

# ── one customer: what a look loads ─────────────────────────────────────────────────────────────────────────────
DEKS: Final = statement(
    "keyring_deks",
    """SELECT data_class, version, wrapped, commitment FROM keyring_dek
    WHERE client = :client AND customer = :customer ORDER BY data_class, version""",
)
HEADS: Final = statement(
    "keyring_heads",
    """SELECT record, version, digest, operation FROM keyring_head
    WHERE client = :client AND customer = :customer ORDER BY record, version""",
)
HEADS_OF_RECORD: Final = statement(
    "keyring_heads_of_record",
    """SELECT record, version, digest, operation FROM keyring_head
    WHERE client = :client AND customer = :customer AND record = :record ORDER BY version""",
)

# ── blind index: what a search or an intake asks ────────────────────────────────────────────────────────────────
INDEX_HITS: Final = statement(
    "keyring_index_hits",
    """SELECT customer, record, version, operation FROM keyring_index
    WHERE client = :client AND collection = :collection AND field = :field AND token = :token
    ORDER BY customer, record, version LIMIT :most""",
)
CUSTOMER_BY_TOKEN: Final = statement(
    "keyring_customer_by_token",
    "SELECT customer FROM keyring_import_key WHERE client = :client AND collection = '' AND token = :token",
)

# ── references ──────────────────────────────────────────────────────────────────────────────────────────────────
CUSTOMER_REFERENCE: Final = statement(
    "keyring_customer_reference",
    "SELECT ref FROM keyring_customer WHERE client = :client AND customer = :customer",
)
ADD_CUSTOMER_REFERENCE: Final = statement(
    "keyring_add_customer_reference",
    """INSERT INTO keyring_customer (client, customer, ref) SELECT :client, :customer, :ref
    WHERE NOT EXISTS (SELECT 1 FROM keyring_tombstone WHERE client = :client AND mac = :mac)
    ON CONFLICT (client, customer) DO NOTHING""",
)

# ── writing: additions, marked with the operation ───────────────────────────────────────────────────────────────
ADD_OPERATION: Final = statement(
    "keyring_add_operation",
    """INSERT INTO keyring_operation (client, id, at_us) VALUES (:client, :id, :at_us)
    ON CONFLICT (client, id) DO NOTHING""",
)
ADD_DEK: Final = statement(
    "keyring_add_dek",
    """INSERT INTO keyring_dek (client, customer, data_class, version, wrapped, commitment, operation)
    SELECT :client, :customer, :data_class, :version, :wrapped, :commitment, :operation
    WHERE NOT EXISTS (SELECT 1 FROM keyring_tombstone WHERE client = :client AND mac = :mac)
    ON CONFLICT (client, customer, data_class, version) DO NOTHING""",
)
ADD_HEAD: Final = statement(
    "keyring_add_head",
    """INSERT INTO keyring_head (client, customer, record, version, digest, operation)
    VALUES (:client, :customer, :record, :version, :digest, :operation)""",
)
ADD_INDEX: Final = statement(
    "keyring_add_index",
    """INSERT INTO keyring_index (client, collection, field, token, customer, record, version, operation)
    VALUES (:client, :collection, :field, :token, :customer, :record, :version, :operation)""",
)
