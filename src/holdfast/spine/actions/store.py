"""SQL of permits and of values too young to prove anything (portable subset)."""

from __future__ import annotations

from typing import Final

from holdfast.kit.db import statement

# ── permits ─────────────────────────────────────────────────────────────────────────────────────────────────────
PERMITTED = statement(
    "actions.permitted",
    """SELECT COUNT(*) FROM actions_permit
    WHERE client = :client AND customer = :customer AND action = :action AND issued_us > :day_ago_us""",
)
# Answers a row when the action was left for this customer in the last day.
ADD_PERMIT = statement(
    "actions.add_permit",
    """INSERT INTO actions_permit (id, client, decision, action, target, customer, digest, issued_us, expires_us,
        outcome, claimed_us, settled_us, missed_us)
    SELECT :id, :client, :decision, :action, :target, :customer, :digest, :issued_us, :expires_us,
        :outcome, NULL, :settled_us, NULL
    WHERE (SELECT COUNT(*) FROM actions_permit
            WHERE client = :client AND customer = :customer AND action = :action
                AND issued_us > :day_ago_us) < :most
    RETURNING id""",
)
PERMIT = statement(
    "actions.permit",
    """SELECT target, digest, issued_us, expires_us, outcome, claimed_us FROM actions_permit
    WHERE client = :client AND id = :id""",
)
# Each change of the outcome answers a row when the permit stood where it must.
CLAIM = statement(
    "actions.claim",
    """UPDATE actions_permit SET outcome = 'claimed', claimed_us = :now_us
    WHERE client = :client AND id = :id AND outcome = '' AND expires_us > :now_us RETURNING id""",
)
SETTLE = statement(
    "actions.settle",
    """UPDATE actions_permit SET outcome = :outcome, settled_us = :now_us
    WHERE client = :client AND id = :id AND (
        (outcome = '' AND (expires_us > :now_us OR (:outcome <> 'done' AND issued_us > :since_us)))
        OR (outcome = 'claimed' AND claimed_us > :since_us)
    ) RETURNING id""",
)
# across clients: the worker asks for all whose target never reported
UNREPORTED = statement(
    "actions.unreported",
    """SELECT client, id FROM actions_permit
    WHERE issued_us <= :since_us AND outcome IN ('', 'claimed') AND missed_us IS NULL
        AND (claimed_us IS NULL OR claimed_us <= :since_us) ORDER BY issued_us LIMIT :limit""",
)
MISS = statement(
    "actions.miss",
    """UPDATE actions_permit SET missed_us = :now_us
    WHERE client = :client AND id = :id AND outcome IN ('', 'claimed') AND missed_us IS NULL RETURNING id""",
)
# across clients: permits that no count and no report reaches any more
CLEAR_PERMITS = statement(
    "actions.clear_permits",
    """DELETE FROM actions_permit WHERE id IN
        (SELECT id FROM actions_permit WHERE issued_us < :before LIMIT :most)
    RETURNING id""",
)

# ── values too young ────────────────────────────────────────────────────────────────────────────────────────────
QUARANTINE = statement(
    "actions.quarantine",
    """INSERT INTO actions_quarantine (client, customer, collection, field, number, until_us)
    VALUES (:client, :customer, :collection, :field, :number, :until_us)
    ON CONFLICT (client, customer, collection, field) DO UPDATE SET number = excluded.number,
        until_us = excluded.until_us""",
)
QUARANTINED = statement(
    "actions.quarantined",
    """SELECT field, until_us FROM actions_quarantine
    WHERE client = :client AND customer = :customer AND collection = :collection AND until_us > :now_us""",
)
YOUNG = statement(
    "actions.young",
    """SELECT collection, field FROM actions_quarantine
    WHERE client = :client AND customer = :customer AND until_us > :now_us""",
)
QUARANTINED_OF = statement(
    "actions.quarantined_of",
    """SELECT customer, collection, number FROM actions_quarantine
    WHERE client = :client AND customer IN (:customers*) AND until_us > :now_us""",
)
# across clients: what is over is over for every client
CLEAR_QUARANTINE = statement(
    "actions.clear_quarantine",
    """DELETE FROM actions_quarantine WHERE (client, customer, collection, field) IN
        (SELECT client, customer, collection, field FROM actions_quarantine WHERE until_us < :before LIMIT :most)
    RETURNING client""",
)

# ── exports ─────────────────────────────────────────────────────────────────────────────────────────────────────
_EXPORT = (
    "id, client, state, collection, fields, customers, recipient, key, reason, person, rows, digest, salt, "
    "created_us, expires_us"
)
ADD_EXPORT = statement(
    "actions.add_export",
    """INSERT INTO actions_export (id, client, state, collection, fields, customers, recipient, key, reason, person,
        rows, digest, salt, created_us, expires_us)
    VALUES (:id, :client, 'waiting', :collection, :fields, :customers, :recipient, :key, :reason, :person, :rows,
        '', :salt, :created_us, :expires_us)""",
)
# across clients: an export's id says not whose it is; the reader's right is judged on what is found
EXPORT = statement("actions.export", f"SELECT {_EXPORT} FROM actions_export WHERE id = :id")
EXPORTS = statement(
    "actions.exports",
    f"""SELECT {_EXPORT} FROM actions_export WHERE client = :client
    ORDER BY created_us DESC, id LIMIT :limit""",
)
# Each end answers a row when the export stood where it must; the list of customers goes with it.
END_EXPORT = statement(
    "actions.end_export",
    """UPDATE actions_export SET state = :state, customers = 'null', rows = :rows, digest = :digest
    WHERE client = :client AND id = :id AND state = 'waiting' AND expires_us > :now_us RETURNING id""",
)
EXPIRE_EXPORT = statement(
    "actions.expire_export",
    """UPDATE actions_export SET state = 'expired', customers = 'null'
    WHERE client = :client AND id = :id AND state <> 'expired' AND expires_us <= :now_us RETURNING id""",
)
# across clients: the worker deletes whatever is over
EXPORTS_OVER = statement(
    "actions.exports_over",
    """SELECT id, expires_us FROM actions_export WHERE state <> 'expired' AND expires_us <= :now_us
    ORDER BY expires_us""",
)
COUNT_RECORDS = statement(
    "actions.count_records",
    """SELECT COUNT(*) FROM vault_record r JOIN vault_customer c ON c.client = r.client AND c.id = r.customer
    WHERE r.client = :client AND r.collection = :collection AND c.state = 'live'""",
)
COUNT_RECORDS_OF = statement(
    "actions.count_records_of",
    """SELECT COUNT(*) FROM vault_record r JOIN vault_customer c ON c.client = r.client AND c.id = r.customer
    WHERE r.client = :client AND r.collection = :collection AND c.state = 'live' AND r.customer IN (:customers*)""",
)
CUSTOMERS_AFTER = statement(
    "actions.customers_after",
    """SELECT id FROM vault_customer WHERE client = :client AND state = 'live' AND id > :after
    ORDER BY id LIMIT :limit""",
)

# across clients: exports whose file is gone; the log keeps what was exported
CLEAR_EXPORTS = statement(
    "actions.clear_exports",
    """DELETE FROM actions_export WHERE id IN
        (SELECT id FROM actions_export WHERE expires_us < :before AND state = 'expired' LIMIT :most)
    RETURNING id""",
)

# ── a client that is erased ─────────────────────────────────────────────────────────────────────────────────────
ERASE_EXPORTS = statement(
    "actions.erase_exports",
    """DELETE FROM actions_export WHERE client = :client AND id IN
        (SELECT id FROM actions_export WHERE client = :client LIMIT :most)
    RETURNING id""",
)
ERASE_PERMITS = statement(
    "actions.erase_permits",
    """DELETE FROM actions_permit WHERE client = :client AND id IN
        (SELECT id FROM actions_permit WHERE client = :client LIMIT :most)
    RETURNING id""",
)
ERASE_QUARANTINES = statement(
    "actions.erase_quarantines",
    """DELETE FROM actions_quarantine WHERE client = :client AND (customer, collection, field) IN
        (SELECT customer, collection, field FROM actions_quarantine WHERE client = :client LIMIT :most)
    RETURNING customer""",
)
ERASE_OF_CLIENT: Final = (ERASE_EXPORTS, ERASE_PERMITS, ERASE_QUARANTINES)
