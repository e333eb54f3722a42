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
    """INSERT INTO keyring_kek (client, purpose, epoch, wrapped) SELECT :client, :purpose, :epoch, :wrapped
    WHERE NOT EXISTS (SELECT 1 FROM keyring_tombstone WHERE client = :client AND mac = :erased)
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

# ── holds ───────────────────────────────────────────────────────────────────────────────────────────────────────
HOLD_KEY: Final = statement(
    "keyring_hold_key", "SELECT wrapped FROM keyring_hold WHERE client = :client AND hold = :hold"
)
ADD_HOLD_KEY: Final = statement(
    "keyring_add_hold_key",
    """INSERT INTO keyring_hold (client, hold, wrapped) SELECT :client, :hold, :wrapped
    WHERE NOT EXISTS (SELECT 1 FROM keyring_tombstone WHERE client = :client AND mac = :erased)
    ON CONFLICT (client, hold) DO NOTHING""",
)
# across clients: keys whose hold has ended are looked for in all of them
ALL_HOLD_KEYS: Final = statement(
    "keyring_all_hold_keys", "SELECT client, hold, wrapped FROM keyring_hold ORDER BY client, hold"
)
HOLD_KEYS: Final = statement(
    "keyring_hold_keys", "SELECT wrapped FROM keyring_hold WHERE client = :client"
)
DROP_HOLD_KEY: Final = statement(
    "keyring_drop_hold_key", "DELETE FROM keyring_hold WHERE client = :client AND hold = :hold"
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
CUSTOMER_OF_REFERENCE: Final = statement(
    "keyring_customer_of_reference",
    "SELECT customer FROM keyring_customer WHERE client = :client AND ref = :ref",
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
    """INSERT INTO keyring_operation (client, id, customer, record, at_us)
    VALUES (:client, :id, :customer, :record, :at_us)
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

# ── writing many: parameters by position, in the order of the columns ───────────────────────────────────────────
IMPORT_KEYS: Final = statement(
    "keyring_import_keys",
    """SELECT token, customer, record FROM keyring_import_key
    WHERE client = :client AND collection = :collection AND token IN (:tokens*)""",
)
DEKS_OF: Final = statement(
    "keyring_deks_of",
    """SELECT customer, data_class, version, wrapped, commitment FROM keyring_dek
    WHERE client = :client AND customer IN (:customers*) ORDER BY customer, data_class, version""",
)
TOMBSTONES: Final = statement(
    "keyring_tombstones",
    "SELECT mac FROM keyring_tombstone WHERE client = :client AND mac IN (:macs*)",
)
MANY_IMPORT_KEYS: Final = statement(
    "keyring_many_import_keys",
    """INSERT INTO keyring_import_key (client, collection, token, customer, record, operation)
    VALUES (:client, :collection, :token, :customer, :record, :operation)
    ON CONFLICT (client, collection, token) DO NOTHING""",
)
# A customer's reference is made with the customer: a copy of this store that has the one has the other, so an erasure
# that the log tells of can be done again in it.
MANY_REFERENCES: Final = statement(
    "keyring_many_references",
    """INSERT INTO keyring_customer (client, customer, ref) VALUES (:client, :customer, :ref)
    ON CONFLICT (client, customer) DO NOTHING""",
)
MANY_DEKS: Final = statement(
    "keyring_many_deks",
    """INSERT INTO keyring_dek (client, customer, data_class, version, wrapped, commitment, operation)
    VALUES (:client, :customer, :data_class, :version, :wrapped, :commitment, :operation)
    ON CONFLICT (client, customer, data_class, version) DO NOTHING""",
)
# A key that a crash left behind is taken over: from here it belongs to this operation, and no sweep removes it.
TAKE_OVER_IMPORT_KEY: Final = statement(
    "keyring_take_over_import_key",
    """UPDATE keyring_import_key SET operation = :operation
    WHERE client = :client AND collection = :collection AND token = :token AND customer = :customer""",
)
TAKE_OVER_DEK: Final = statement(
    "keyring_take_over_dek",
    """UPDATE keyring_dek SET operation = :operation WHERE client = :client AND customer = :customer
    AND data_class = :data_class AND version = :version AND wrapped = :wrapped""",
)

# ── after the commit: what was superseded; after a conflict: what was prepared in vain ──────────────────────────
DROP_OLD_INDEX: Final = statement(
    "keyring_drop_old_index",
    """DELETE FROM keyring_index WHERE client = :client AND customer = :customer AND record = :record
    AND version <= :version AND operation <> :operation""",
)
DROP_OLD_HEADS: Final = statement(
    "keyring_drop_old_heads",
    """DELETE FROM keyring_head WHERE client = :client AND customer = :customer AND record = :record
    AND version <= :version AND operation <> :operation""",
)
DROP_OPERATION: Final = statement(
    "keyring_drop_operation", "DELETE FROM keyring_operation WHERE client = :client AND id = :id"
)
DROP_PREPARED_INDEX: Final = statement(
    "keyring_drop_prepared_index",
    """DELETE FROM keyring_index
    WHERE client = :client AND customer = :customer AND record = :record AND operation = :operation""",
)
DROP_PREPARED_HEAD: Final = statement(
    "keyring_drop_prepared_head",
    """DELETE FROM keyring_head
    WHERE client = :client AND customer = :customer AND record = :record AND operation = :operation""",
)
DROP_PREPARED_IMPORT_KEY: Final = statement(
    "keyring_drop_prepared_import_key",
    """DELETE FROM keyring_import_key
    WHERE client = :client AND collection = :collection AND token = :token AND operation = :operation""",
)
DROP_PREPARED_DEKS: Final = statement(
    "keyring_drop_prepared_deks",
    "DELETE FROM keyring_dek WHERE client = :client AND customer = :customer AND operation = :operation",
)
# Only while nobody else has taken the customer over: then it holds keys.
DROP_PREPARED_REFERENCE: Final = statement(
    "keyring_drop_prepared_reference",
    """DELETE FROM keyring_customer WHERE client = :client AND customer = :customer
    AND NOT EXISTS (SELECT 1 FROM keyring_dek WHERE client = :client AND customer = :customer)
    AND NOT EXISTS (SELECT 1 FROM keyring_import_key WHERE client = :client AND customer = :customer)""",
)

# ── erasure ─────────────────────────────────────────────────────────────────────────────────────────────────────
CUSTOMER_TOKENS: Final = statement(
    "keyring_customer_tokens",
    "SELECT collection, token FROM keyring_import_key WHERE client = :client AND customer = :customer",
)
INDEX_TOKENS: Final = statement(
    "keyring_index_tokens",
    "SELECT DISTINCT collection, field, token FROM keyring_index WHERE client = :client AND customer = :customer",
)
IS_TOKEN_USED: Final = statement(
    "keyring_is_token_used",
    """SELECT 1 FROM keyring_index
    WHERE client = :client AND collection = :collection AND field = :field AND token = :token LIMIT 1""",
)
ADD_TOMBSTONE: Final = statement(
    "keyring_add_tombstone",
    """INSERT INTO keyring_tombstone (client, mac, at_us) VALUES (:client, :mac, :at_us)
    ON CONFLICT (client, mac) DO NOTHING""",
)
ERASE_DEKS: Final = statement(
    "keyring_erase_deks", "DELETE FROM keyring_dek WHERE client = :client AND customer = :customer"
)
ERASE_INDEX: Final = statement(
    "keyring_erase_index",
    "DELETE FROM keyring_index WHERE client = :client AND customer = :customer",
)
ERASE_IMPORT_KEYS: Final = statement(
    "keyring_erase_import_keys",
    "DELETE FROM keyring_import_key WHERE client = :client AND customer = :customer",
)
ERASE_HEADS: Final = statement(
    "keyring_erase_heads",
    "DELETE FROM keyring_head WHERE client = :client AND customer = :customer",
)
ERASE_REFERENCE: Final = statement(
    "keyring_erase_reference",
    "DELETE FROM keyring_customer WHERE client = :client AND customer = :customer",
)
ERASE_OPERATIONS: Final = statement(
    "keyring_erase_operations",
    "DELETE FROM keyring_operation WHERE client = :client AND customer = :customer",
)
REMAINS: Final = statement(
    "keyring_remains",
    """SELECT (SELECT COUNT(*) FROM keyring_dek WHERE client = :client AND customer = :customer)
    + (SELECT COUNT(*) FROM keyring_index WHERE client = :client AND customer = :customer)
    + (SELECT COUNT(*) FROM keyring_import_key WHERE client = :client AND customer = :customer)
    + (SELECT COUNT(*) FROM keyring_head WHERE client = :client AND customer = :customer)
    + (SELECT COUNT(*) FROM keyring_customer WHERE client = :client AND customer = :customer)
    + (SELECT COUNT(*) FROM keyring_operation WHERE client = :client AND customer = :customer)""",
)

# ── erasure of a whole client ───────────────────────────────────────────────────────────────────────────────────
RECORD_KEYS: Final = statement(
    "keyring_record_keys", "SELECT wrapped FROM keyring_record_key WHERE client = :client"
)
ERASE_CLIENT_KEK: Final = statement(
    "keyring_erase_client_kek", "DELETE FROM keyring_kek WHERE client = :client"
)
ERASE_CLIENT_RECORD_KEY: Final = statement(
    "keyring_erase_client_record_key", "DELETE FROM keyring_record_key WHERE client = :client"
)
ERASE_CLIENT_DEK: Final = statement(
    "keyring_erase_client_dek", "DELETE FROM keyring_dek WHERE client = :client"
)
ERASE_CLIENT_INDEX: Final = statement(
    "keyring_erase_client_index", "DELETE FROM keyring_index WHERE client = :client"
)
ERASE_CLIENT_IMPORT_KEY: Final = statement(
    "keyring_erase_client_import_key", "DELETE FROM keyring_import_key WHERE client = :client"
)
ERASE_CLIENT_HEAD: Final = statement(
    "keyring_erase_client_head", "DELETE FROM keyring_head WHERE client = :client"
)
ERASE_CLIENT_CUSTOMER: Final = statement(
    "keyring_erase_client_customer", "DELETE FROM keyring_customer WHERE client = :client"
)
ERASE_CLIENT_CONTACT: Final = statement(
    "keyring_erase_client_contact", "DELETE FROM keyring_contact WHERE client = :client"
)
ERASE_CLIENT_OPERATION: Final = statement(
    "keyring_erase_client_operation", "DELETE FROM keyring_operation WHERE client = :client"
)
ERASE_CLIENT_TOMBSTONE: Final = statement(
    "keyring_erase_client_tombstone", "DELETE FROM keyring_tombstone WHERE client = :client"
)
ERASE_CLIENT_HOLD: Final = statement(
    "keyring_erase_client_hold", "DELETE FROM keyring_hold WHERE client = :client"
)
ERASE_CLIENT: Final = (
    ERASE_CLIENT_HOLD,
    ERASE_CLIENT_KEK,
    ERASE_CLIENT_RECORD_KEY,
    ERASE_CLIENT_DEK,
    ERASE_CLIENT_INDEX,
    ERASE_CLIENT_IMPORT_KEY,
    ERASE_CLIENT_HEAD,
    ERASE_CLIENT_CUSTOMER,
    ERASE_CLIENT_CONTACT,
    ERASE_CLIENT_OPERATION,
    ERASE_CLIENT_TOMBSTONE,
)

# ── recovery ────────────────────────────────────────────────────────────────────────────────────────────────────
CUSTOMERS_OF_REFERENCES: Final = statement(
    "keyring_customers_of_references",
    "SELECT ref, customer FROM keyring_customer WHERE client = :client AND ref IN (:refs*)",
)
ALL_TOMBSTONES: Final = statement(
    "keyring_all_tombstones", "SELECT mac FROM keyring_tombstone WHERE client = :client"
)
REFERRED: Final = statement(
    "keyring_referred", "SELECT customer FROM keyring_customer WHERE client = :client"
)

# across clients: what must be nowhere in a file that was left behind
SOME_WRAPPED: Final = statement(
    "keyring_some_wrapped",
    """SELECT wrapped FROM keyring_kek WHERE 0 = 0
    UNION SELECT wrapped FROM keyring_record_key WHERE 0 = 0
    UNION SELECT wrapped FROM keyring_dek WHERE 0 = 0 LIMIT :most""",
)

# ── sweep ───────────────────────────────────────────────────────────────────────────────────────────────────────
# across clients: what a crash left behind is removed for all of them
PREPARED: Final = statement(
    "keyring_prepared",
    "SELECT client, id, customer, record, at_us FROM keyring_operation ORDER BY at_us, id LIMIT :most",
)
HEADS_OF_OPERATION: Final = statement(
    "keyring_heads_of_operation",
    """SELECT customer, record, version FROM keyring_head WHERE client = :client AND operation = :operation""",
)
IMPORT_KEYS_OF_OPERATION: Final = statement(
    "keyring_import_keys_of_operation",
    """SELECT collection, token, customer, record FROM keyring_import_key
    WHERE client = :client AND operation = :operation""",
)
DEKS_OF_OPERATION: Final = statement(
    "keyring_deks_of_operation",
    "SELECT DISTINCT customer FROM keyring_dek WHERE client = :client AND operation = :operation",
)
INDEX_OF_OPERATION: Final = statement(
    "keyring_index_of_operation",
    "SELECT DISTINCT customer, record FROM keyring_index WHERE client = :client AND operation = :operation",
)
INDEX_OF_RECORD: Final = statement(
    "keyring_index_of_record",
    """SELECT id, field, version, operation FROM keyring_index
    WHERE client = :client AND customer = :customer AND record = :record""",
)
DROP_INDEX_ENTRY: Final = statement(
    "keyring_drop_index_entry", "DELETE FROM keyring_index WHERE client = :client AND id = :id"
)
