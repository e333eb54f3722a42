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
# Attempts at one customer's values come one after the other, whoever makes them (SPINE 11).
CUSTOMER_AT_HAND: Final = CUSTOMER.locking("FOR NO KEY UPDATE")
RECORDS: Final = statement(
    "vault_records",
    """SELECT id, customer, collection, version, body, operation FROM vault_record
    WHERE client = :client AND customer = :customer AND collection = :collection ORDER BY id""",
)
RECORD: Final = statement(
    "vault_record",
    """SELECT id, customer, collection, version, body, operation FROM vault_record
    WHERE client = :client AND customer = :customer AND id = :id""",
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

# ── erasure ─────────────────────────────────────────────────────────────────────────────────────────────────────
RECORD_COUNT: Final = statement(
    "vault_record_count",
    "SELECT COUNT(*) FROM vault_record WHERE client = :client AND customer = :customer",
)
REFUSE_CUSTOMER: Final = statement(
    "vault_refuse_customer",
    """UPDATE vault_customer SET state = 'shredding', changed_us = :changed_us
    WHERE client = :client AND id = :id AND state = 'live' RETURNING id""",
)
END_CUSTOMER: Final = statement(
    "vault_end_customer",
    """UPDATE vault_customer SET state = 'shredded', changed_us = :changed_us
    WHERE client = :client AND id = :id AND state = 'shredding' RETURNING id""",
)
ERASE_RECORDS: Final = statement(
    "vault_erase_records",
    "DELETE FROM vault_record WHERE client = :client AND customer = :customer",
)
SUPPRESS: Final = statement(
    "vault_suppress",
    """INSERT INTO vault_suppression (client, mac, at_us) VALUES (:client, :mac, :at_us)
    ON CONFLICT (client, mac) DO NOTHING""",
)
ADD_SHRED: Final = statement(
    "vault_add_shred",
    """INSERT INTO vault_shred (client, operation, customer, reference, state, requested_leaf, done_leaf,
        refused_us, erased_us, records, classes, certificate)
    VALUES (:client, :operation, :customer, :reference, 'requested', :requested_leaf, '',
        :refused_us, 0, :records, :classes, '')""",
)
_SHRED: Final = """client, operation, customer, reference, state, requested_leaf, done_leaf, refused_us, erased_us,
    records, classes, certificate"""
SHRED: Final = statement(
    "vault_shred",
    f"SELECT {_SHRED} FROM vault_shred WHERE client = :client AND operation = :operation",
)
SHRED_OF: Final = statement(
    "vault_shred_of",
    f"""SELECT {_SHRED} FROM vault_shred
    WHERE client = :client AND customer = :customer ORDER BY refused_us DESC LIMIT 1""",
)
# across clients: whatever is unfinished is finished at the next start
UNFINISHED: Final = statement(
    "vault_unfinished",
    """SELECT client, operation FROM vault_shred WHERE state IN ('requested', 'again', 'done')
    ORDER BY refused_us, operation LIMIT :most""",
)
END_SHRED: Final = statement(
    "vault_end_shred",
    """UPDATE vault_shred SET state = 'done', customer = '', done_leaf = :done_leaf, erased_us = :erased_us
    WHERE client = :client AND operation = :operation AND state = 'requested' RETURNING operation""",
)
END_SHRED_AGAIN: Final = statement(
    "vault_end_shred_again",
    """UPDATE vault_shred SET state = 'done', customer = ''
    WHERE client = :client AND operation = :operation AND state = 'again'""",
)
CERTIFY: Final = statement(
    "vault_certify",
    """UPDATE vault_shred SET state = 'certified', certificate = :certificate
    WHERE client = :client AND operation = :operation AND state = 'done'""",
)
SHREDS: Final = statement(
    "vault_shreds",
    f"SELECT {_SHRED} FROM vault_shred WHERE client = :client ORDER BY refused_us, operation",
)

# ── holds: what an erasure keeps to tell the customer of a breach ─────────────────────────────────────────────────
_HOLD: Final = """client, id, customer, reference, incident, state, placed_by, placed_us, until_us, operation, fields,
    leaf, body"""
HOLD: Final = statement(
    "vault_hold", f"SELECT {_HOLD} FROM vault_hold WHERE client = :client AND id = :id"
)
HOLDS: Final = statement(
    "vault_holds",
    f"SELECT {_HOLD} FROM vault_hold WHERE client = :client ORDER BY id",
)
# One incident holds a customer once.
ADD_HOLD: Final = statement(
    "vault_add_hold",
    """INSERT INTO vault_hold (client, id, customer, reference, incident, state, placed_by, placed_us, until_us,
        operation, fields, leaf, body, gone_us)
    SELECT :client, :id, :customer, :reference, :incident, 'open', :placed_by, :placed_us, :until_us,
        '', '[]', '', :nothing, 0
    WHERE NOT EXISTS (SELECT 1 FROM vault_hold WHERE client = :client AND reference = :reference
        AND incident = :incident AND state IN ('open', 'kept'))
    ON CONFLICT (client, id) DO NOTHING RETURNING id""",
)
HOLDS_OF_CUSTOMER: Final = statement(
    "vault_holds_of_customer",
    f"""SELECT {_HOLD} FROM vault_hold
    WHERE client = :client AND customer = :customer AND state = 'open' AND until_us > :now_us ORDER BY id""",
)
HOLDS_OF_SHRED: Final = statement(
    "vault_holds_of_shred",
    f"SELECT {_HOLD} FROM vault_hold WHERE client = :client AND operation = :operation ORDER BY id",
)
KEEP_HOLD: Final = statement(
    "vault_keep_hold",
    """UPDATE vault_hold SET state = 'kept', customer = '', operation = :operation, fields = :fields, leaf = :leaf,
        body = :body
    WHERE client = :client AND id = :id AND state = 'open' RETURNING id""",
)
# Nothing was kept for what is still open when the keys are gone.
EMPTY_HOLDS: Final = statement(
    "vault_empty_holds",
    """UPDATE vault_hold SET state = 'empty', customer = ''
    WHERE client = :client AND customer = :customer AND state = 'open'""",
)
# A key exists for what was kept; it is destroyed next, and ``gone_us`` says when.
END_HOLD: Final = statement(
    "vault_end_hold",
    """UPDATE vault_hold SET state = :state, customer = '', body = :nothing,
        gone_us = CASE WHEN state = 'kept' THEN 0 ELSE :now_us END
    WHERE client = :client AND id = :id AND state IN ('open', 'kept') RETURNING fields""",
)
END_HOLDS: Final = statement(
    "vault_end_holds",
    """UPDATE vault_hold SET state = 'ended', customer = '', body = :nothing
    WHERE client = :client AND state IN ('open', 'kept')""",
)
ENDED_HOLDS: Final = statement(
    "vault_ended_holds",
    "SELECT COUNT(*) FROM vault_hold WHERE client = :client AND state = 'ended' AND operation <> ''",
)
# across clients: whatever is over is ended
HOLDS_OVER: Final = statement(
    "vault_holds_over",
    f"""SELECT {_HOLD} FROM vault_hold
    WHERE state IN ('open', 'kept') AND until_us <= :now_us ORDER BY until_us, id LIMIT :most""",
)
# across clients: keys that are to be destroyed
HOLDS_TO_DESTROY: Final = statement(
    "vault_holds_to_destroy",
    """SELECT client, id FROM vault_hold
    WHERE state IN ('lifted', 'expired') AND gone_us = 0 ORDER BY client, id""",
)
# across clients: holds that may have a key
HOLDS_WITH_KEY: Final = statement(
    "vault_holds_with_key", "SELECT client, id FROM vault_hold WHERE state IN ('open', 'kept')"
)
HOLD_GONE: Final = statement(
    "vault_hold_gone",
    "UPDATE vault_hold SET gone_us = :now_us WHERE client = :client AND id = :id AND gone_us = 0",
)

# ── erasure of a whole client ───────────────────────────────────────────────────────────────────────────────────
_CLIENT_SHRED: Final = """client, operation, state, requested_leaf, done_leaf, refused_us, erased_us, customers,
    records, certificate"""
CLIENT_SHRED: Final = statement(
    "vault_client_shred",
    f"SELECT {_CLIENT_SHRED} FROM vault_client_shred WHERE client = :client",
)
# across clients: whatever is unfinished is finished at the next start
UNFINISHED_CLIENTS: Final = statement(
    "vault_unfinished_clients",
    "SELECT client FROM vault_client_shred WHERE state <> 'certified' ORDER BY client",
)
ADD_CLIENT_SHRED: Final = statement(
    "vault_add_client_shred",
    f"""INSERT INTO vault_client_shred ({_CLIENT_SHRED})
    VALUES (:client, :operation, :state, :requested_leaf, :done_leaf, :refused_us, :erased_us, :customers, :records, '')
    ON CONFLICT (client) DO NOTHING RETURNING operation""",
)
END_CLIENT_SHRED: Final = statement(
    "vault_end_client_shred",
    """UPDATE vault_client_shred SET state = 'done', done_leaf = :done_leaf, erased_us = :erased_us
    WHERE client = :client AND state IN ('requested', 'again') RETURNING operation""",
)
CERTIFY_CLIENT: Final = statement(
    "vault_certify_client",
    """UPDATE vault_client_shred SET state = 'certified', certificate = :certificate
    WHERE client = :client AND state = 'done'""",
)
COUNTS_OF_CLIENT: Final = statement(
    "vault_counts_of_client",
    """SELECT (SELECT COUNT(*) FROM vault_customer WHERE client = :client AND state <> 'shredded'),
        (SELECT COUNT(*) FROM vault_record WHERE client = :client)""",
)
CUSTOMERS_OF_CLIENT: Final = statement(
    "vault_customers_of_client", "SELECT id FROM vault_customer WHERE client = :client"
)
ERASE_SOME_RECORDS: Final = statement(
    "vault_erase_some_records",
    """DELETE FROM vault_record WHERE client = :client AND (customer, id) IN
        (SELECT customer, id FROM vault_record WHERE client = :client LIMIT :most)
    RETURNING customer""",
)
FORGET_CUSTOMERS: Final = statement(
    "vault_forget_customers",
    """DELETE FROM vault_customer WHERE client = :client AND id IN
        (SELECT id FROM vault_customer WHERE client = :client LIMIT :most)
    RETURNING id""",
)
# A hold that was lifted, or is over, says which incident it was for; whom it held it need not say any more.
CUT_HOLDS: Final = statement(
    "vault_cut_holds",
    "UPDATE vault_hold SET customer = '' WHERE client = :client AND customer <> '' RETURNING id",
)
FORGET_SUPPRESSIONS: Final = statement(
    "vault_forget_suppressions",
    """DELETE FROM vault_suppression WHERE client = :client AND mac IN
        (SELECT mac FROM vault_suppression WHERE client = :client LIMIT :most)
    RETURNING mac""",
)
ERASE_OF_CLIENT: Final = (ERASE_SOME_RECORDS, CUT_HOLDS, FORGET_SUPPRESSIONS)
# across clients: an id that stands in the store's file and is none of these was somebody's
ALL_CUSTOMERS: Final = statement("vault_all_customers", "SELECT id FROM vault_customer")
# Erasures of single customers that were under way end with the client's.
DROP_SHREDS: Final = statement(
    "vault_drop_shreds",
    "DELETE FROM vault_shred WHERE client = :client AND state IN ('requested', 'again')",
)

# ── recovery ────────────────────────────────────────────────────────────────────────────────────────────────────
ERASED_CUSTOMERS: Final = statement(
    "vault_erased_customers",
    "SELECT id FROM vault_customer WHERE client = :client AND state = 'shredded' ORDER BY id",
)
GONE_CUSTOMERS: Final = statement(
    "vault_gone_customers",
    "SELECT id FROM vault_customer WHERE client = :client AND state <> 'live' ORDER BY id",
)
PRESENT_CUSTOMERS: Final = statement(
    "vault_present_customers",
    "SELECT id FROM vault_customer WHERE client = :client AND state <> 'shredded' ORDER BY id",
)
# What the log says of an erasure that this store does not know, or knows as unfinished.
PUT_SHRED: Final = statement(
    "vault_put_shred",
    """INSERT INTO vault_shred (client, operation, customer, reference, state, requested_leaf, done_leaf,
        refused_us, erased_us, records, classes, certificate)
    VALUES (:client, :operation, :customer, :reference, :state, :requested_leaf, :done_leaf,
        :refused_us, :erased_us, :records, :classes, '')
    ON CONFLICT (client, operation) DO UPDATE SET state = excluded.state, done_leaf = excluded.done_leaf,
        erased_us = excluded.erased_us, records = excluded.records, classes = excluded.classes
    WHERE vault_shred.state = 'requested'""",
)
FORGET_CUSTOMER: Final = statement(
    "vault_forget_customer",
    """UPDATE vault_customer SET state = 'shredded', changed_us = :changed_us
    WHERE client = :client AND id = :id AND state <> 'shredded' RETURNING id""",
)

# ── sweep ───────────────────────────────────────────────────────────────────────────────────────────────────────
RECORD_IDS: Final = statement(
    "vault_record_ids",
    "SELECT id FROM vault_record WHERE client = :client AND customer IN (:customers*)",
)
