"""SQL of the decision: clients, contracts, budgets, attempts, records, challenges (portable subset)."""

from __future__ import annotations

from typing import Final

from holdfast.kit.db import statement

# ── clients and contracts ───────────────────────────────────────────────────────────────────────────────────────
CLIENT = statement(
    "decision.client",
    """SELECT name, state, contract_version, fence, frozen_until_us FROM decision_client
    WHERE client = :client AND state NOT IN ('shredding', 'shredded')""",
    lock="FOR SHARE",
)
# Who asks for this one may know that the client was erased: its log is still there.
CLIENT_STATE = statement(
    "decision.client_state", "SELECT state FROM decision_client WHERE client = :client"
)
# Refused from here: the row is not found any more by whoever asks for a client.
ERASE_CLIENT = statement(
    "decision.erase_client",
    """UPDATE decision_client SET state = 'shredding', fence = fence + 1
    WHERE client = :client AND state NOT IN ('shredding', 'shredded') RETURNING client""",
)
CLIENT_IS_ERASED = statement(
    "decision.client_is_erased",
    "UPDATE decision_client SET state = 'shredded', fence = fence + 1 WHERE client = :client RETURNING client",
)
# across clients: the list of all clients, for those who administer the house
CLIENTS = statement(
    "decision.clients",
    """SELECT d.client, d.name, d.state, d.contract_version, d.fence, d.added_us, d.frozen_until_us,
        COALESCE(c.signature, '')
    FROM decision_client d LEFT JOIN decision_contract c
        ON c.client = d.client AND c.version = d.contract_version
    WHERE 0 = 0 ORDER BY d.client""",
)
ADD_CLIENT = statement(
    "decision.add_client",
    """INSERT INTO decision_client (client, name, state, contract_version, fence, added_us, frozen_us,
        frozen_until_us, frozen_by, frozen_reason, frozen_confirmed_by)
    VALUES (:client, :name, 'open', 0, 1, :added_us, 0, 0, '', '', '')
    ON CONFLICT (client) DO NOTHING RETURNING fence""",
)
# Every cache of policies and keys is keyed by the fence: raising it makes each process read anew (SPINE 5).
BUMP_FENCE = statement(
    "decision.bump_fence",
    "UPDATE decision_client SET fence = fence + 1 WHERE client = :client RETURNING fence",
)
CONTRACT = statement(
    "decision.contract",
    """SELECT c.text, c.digest, c.policies_digest, c.version, d.fence, d.state
    FROM decision_client d JOIN decision_contract c
        ON c.client = d.client AND c.version = d.contract_version
    WHERE d.client = :client AND c.client = :client""",
)
CONTRACT_VERSION = statement(
    "decision.contract_version",
    """SELECT text, digest, policies_digest, signature FROM decision_contract
    WHERE client = :client AND version = :version""",
)
CONTRACTS = statement(
    "decision.contracts",
    """SELECT version, digest, policies_digest, signature, published_us, published_by
    FROM decision_contract WHERE client = :client ORDER BY version""",
)
ADD_CONTRACT = statement(
    "decision.add_contract",
    """INSERT INTO decision_contract
    (client, version, text, digest, salt, signature, policies_digest, published_us, published_by)
    VALUES (:client, :version, :text, :digest, :salt, :signature, :policies_digest, :published_us, :by)""",
)
# A row comes back only if nobody published in between.
USE_CONTRACT = statement(
    "decision.use_contract",
    """UPDATE decision_client SET contract_version = :version, name = :name, fence = fence + 1,
        state = CASE WHEN state = 'outdated' THEN 'open' ELSE state END
    WHERE client = :client AND contract_version = :before RETURNING fence""",
)

# across clients: a process that serves keeps the policies of all
FENCES = statement(
    "decision.fences",
    """SELECT d.client, d.fence FROM decision_client d
    WHERE EXISTS (SELECT 1 FROM decision_contract c WHERE c.client = d.client)""",
)

# ── freezing a client (SPINE 17): each is taken by the row itself, and every process reads anew ──────────────────
FROZEN = statement(
    "decision.frozen",
    """SELECT state, frozen_us, frozen_until_us, frozen_by, frozen_reason, frozen_confirmed_by
    FROM decision_client WHERE client = :client""",
)
FREEZE = statement(
    "decision.freeze",
    """UPDATE decision_client SET frozen_us = :now_us, frozen_until_us = :until_us, frozen_by = :by,
        frozen_reason = :reason, frozen_confirmed_by = '', fence = fence + 1
    WHERE client = :client AND frozen_until_us <= :sure_us RETURNING fence""",
)
CONFIRM_FREEZE = statement(
    "decision.confirm_freeze",
    """UPDATE decision_client SET frozen_until_us = :until_us, frozen_confirmed_by = :by, fence = fence + 1
    WHERE client = :client AND frozen_until_us > :sure_us AND frozen_by <> :by AND frozen_confirmed_by = ''
    RETURNING fence""",
)
UNFREEZE = statement(
    "decision.unfreeze",
    """UPDATE decision_client SET frozen_until_us = 0, fence = fence + 1
    WHERE client = :client AND frozen_until_us > :sure_us AND frozen_us = :frozen_us RETURNING fence""",
)

# ── budgets: sliding by the minute; distinct customers by an insert-once table (SPINE 6) ─────────────────────────
BUDGETS = statement(
    "decision.budgets",
    """SELECT kind, SUM(used), MIN(minute) FROM decision_budget
    WHERE client = :client AND person = :person AND minute > :day_ago GROUP BY kind""",
)
# Takes all of the units or, when so many are not left, nothing. Answers a row when it took.
CHARGE = statement(
    "decision.charge",
    """INSERT INTO decision_budget (client, person, kind, minute, used)
    SELECT :client, :person, :kind, :minute, :units
    WHERE (SELECT COALESCE(SUM(used), 0) FROM decision_budget
            WHERE client = :client AND person = :person AND kind = :kind AND minute > :day_ago)
        + :units <= :most
    ON CONFLICT (client, person, kind, minute) DO UPDATE SET used = decision_budget.used + excluded.used
    RETURNING minute""",
)
CUSTOMERS = statement(
    "decision.customers",
    """SELECT COALESCE(SUM(CASE WHEN minute > :hour_ago THEN 1 ELSE 0 END), 0), COUNT(*),
        COALESCE(SUM(CASE WHEN customer_mac = :mac AND day = :day THEN 1 ELSE 0 END), 0),
        COALESCE(MIN(CASE WHEN minute > :hour_ago THEN minute END), 0), COALESCE(MIN(minute), 0)
    FROM decision_budget_customer
    WHERE client = :client AND person = :person AND minute > :day_ago""",
)
# Inserts nothing when the customer was counted today already, or when a budget is used up. Answers a row when it took.
CHARGE_CUSTOMER = statement(
    "decision.charge_customer",
    """INSERT INTO decision_budget_customer (client, person, day, customer_mac, minute)
    SELECT :client, :person, :day, :mac, :minute
    WHERE (SELECT COUNT(*) FROM decision_budget_customer
            WHERE client = :client AND person = :person AND minute > :hour_ago) < :most_hour
        AND (SELECT COUNT(*) FROM decision_budget_customer
            WHERE client = :client AND person = :person AND minute > :day_ago) < :most_day
    ON CONFLICT (client, person, day, customer_mac) DO NOTHING RETURNING minute""",
)
# What persons used whom a restored store does not know, and the log names only by reference: nobody can tell which of
# them a newcomer is, so whoever the log has no name for begins with the most that any of them used in each minute.
INHERIT = statement(
    "decision.inherit",
    """INSERT INTO decision_budget (client, person, kind, minute, used)
    SELECT client, :person, kind, minute, MAX(used) FROM decision_budget
    WHERE client = :client AND person LIKE 'unknown:%' AND NOT EXISTS
        (SELECT 1 FROM identity_reference WHERE person = :person AND log = :log)
    GROUP BY client, kind, minute
    ON CONFLICT (client, person, kind, minute) DO UPDATE SET used = decision_budget.used + excluded.used""",
)
INHERIT_CUSTOMERS = statement(
    "decision.inherit_customers",
    """INSERT INTO decision_budget_customer (client, person, day, customer_mac, minute)
    SELECT client, :person, day, customer_mac, MAX(minute) FROM decision_budget_customer
    WHERE client = :client AND person LIKE 'unknown:%' AND NOT EXISTS
        (SELECT 1 FROM identity_reference WHERE person = :person AND log = :log)
    GROUP BY client, day, customer_mac
    ON CONFLICT (client, person, day, customer_mac) DO NOTHING""",
)
# across clients: minutes that no window reaches any more
CLEAR_BUDGETS = statement(
    "decision.clear_budgets",
    """DELETE FROM decision_budget WHERE (client, person, kind, minute) IN
        (SELECT client, person, kind, minute FROM decision_budget WHERE minute < :before LIMIT :most)
    RETURNING client""",
)
# across clients: minutes that no window reaches any more
CLEAR_CUSTOMERS = statement(
    "decision.clear_customers",
    """DELETE FROM decision_budget_customer WHERE (client, person, day, customer_mac) IN
        (SELECT client, person, day, customer_mac FROM decision_budget_customer WHERE minute < :before LIMIT :most)
    RETURNING client""",
)

# ── attempts to verify: per customer and field, over all persons and contacts (SPINE 11) ─────────────────────────
ATTEMPTS = statement(
    "decision.attempts",
    """SELECT field, SUM(CASE WHEN contact = :contact THEN 1 ELSE 0 END),
        SUM(CASE WHEN at_us > :day_ago_us THEN 1 ELSE 0 END)
    FROM decision_verify_attempt
    WHERE client = :client AND customer = :customer AND field IN (:fields*)
        AND (contact = :contact OR at_us > :day_ago_us) GROUP BY field""",
)
# Taken before the comparison; answers a row when there was an attempt left.
TAKE_ATTEMPT = statement(
    "decision.take_attempt",
    """INSERT INTO decision_verify_attempt (id, client, customer, field, contact, at_us)
    SELECT :id, :client, :customer, :field, :contact, :at_us
    WHERE (SELECT COUNT(*) FROM decision_verify_attempt
            WHERE client = :client AND customer = :customer AND field = :field AND contact = :contact)
            < :most_contact
        AND (SELECT COUNT(*) FROM decision_verify_attempt
            WHERE client = :client AND customer = :customer AND field = :field AND at_us > :day_ago_us)
            < :most_day
    RETURNING id""",
)

# across clients: attempts of contacts that are long over
CLEAR_ATTEMPTS = statement(
    "decision.clear_attempts",
    """DELETE FROM decision_verify_attempt WHERE id IN
        (SELECT id FROM decision_verify_attempt WHERE at_us < :before LIMIT :most)
    RETURNING id""",
)

# ── decision records ────────────────────────────────────────────────────────────────────────────────────────────
ADD_RECORD = statement(
    "decision.add_record",
    """INSERT INTO decision_record (client, id, at_us, month, person, leaf, leaf_hash, salt, sealed)
    VALUES (:client, :id, :at_us, :month, :person, :leaf, :leaf_hash, :salt, :sealed)""",
)
RECORD = statement(
    "decision.record",
    """SELECT at_us, month, person, leaf, salt, sealed FROM decision_record
    WHERE client = :client AND id = :id""",
)
# across clients: a decision's id says not whose it is; the reader's right is judged on what is found
RECORD_ANYWHERE = statement(
    "decision.record_anywhere",
    """SELECT client, at_us, month, person, leaf, salt, sealed, leaf_hash FROM decision_record
    WHERE id = :id""",
)
RECORDS_OF_MONTH = statement(
    "decision.records_of_month",
    """SELECT id, at_us, month, person, leaf, salt, sealed FROM decision_record
    WHERE client = :client AND month = :month AND id > :after ORDER BY id LIMIT :limit""",
)
RECORDS_FROM = statement(
    "decision.records_from",
    """SELECT id, month, leaf, sealed FROM decision_record
    WHERE client = :client AND id > :after ORDER BY id LIMIT :limit""",
)

# ── step-up challenges ──────────────────────────────────────────────────────────────────────────────────────────
ADD_CHALLENGE = statement(
    "decision.add_challenge",
    """INSERT INTO decision_challenge
    (id, client, person, contact, level, decision, created_us, expires_us, used_us)
    VALUES (:id, :client, :person, :contact, :level, :decision, :created_us, :expires_us, NULL)""",
)
# across clients: a challenge is found by its id, and says itself whose it is
CHALLENGE = statement(
    "decision.challenge",
    """SELECT client, person, contact, level, decision, created_us, expires_us, used_us
    FROM decision_challenge WHERE id = :id""",
)
USE_CHALLENGE = statement(
    "decision.use_challenge",
    """UPDATE decision_challenge SET used_us = :now_us
    WHERE id = :id AND client = :client AND used_us IS NULL AND expires_us > :now_us RETURNING id""",
)

# across clients: challenges that nobody can answer any more
CLEAR_CHALLENGES = statement(
    "decision.clear_challenges",
    """DELETE FROM decision_challenge WHERE id IN
        (SELECT id FROM decision_challenge WHERE expires_us < :before LIMIT :most)
    RETURNING id""",
)

# ── repeated requests ───────────────────────────────────────────────────────────────────────────────────────────
REPEATED = statement(
    "decision.repeated",
    """SELECT body_mac, decision, paid FROM decision_idempotency
    WHERE client = :client AND person = :person AND key = :key AND at_us > :since_us""",
)
REMEMBER_KEY = statement(
    "decision.remember_key",
    """INSERT INTO decision_idempotency (client, person, key, body_mac, decision, paid, at_us)
    VALUES (:client, :person, :key, :body_mac, :decision, :paid, :at_us)
    ON CONFLICT (client, person, key) DO UPDATE SET body_mac = excluded.body_mac,
        decision = excluded.decision, paid = excluded.paid, at_us = excluded.at_us""",
)
# across clients: keys that are too old to be asked for
CLEAR_KEYS = statement(
    "decision.clear_keys",
    """DELETE FROM decision_idempotency WHERE (client, person, key) IN
        (SELECT client, person, key FROM decision_idempotency WHERE at_us < :before LIMIT :most)
    RETURNING client""",
)

CLIENT_IS_OPEN: Final = "open"
CLIENT_ERASED_STATES: Final = frozenset(("shredding", "shredded"))
CLIENT_IS_OUTDATED: Final = (
    "outdated"  # after a restore: a contract is to be published before anybody looks
)

# ── a client that is erased: what names its customers, or can be read by nobody any more ────────────────────────
ERASE_RECORDS = statement(
    "decision.erase_records",
    """DELETE FROM decision_record WHERE client = :client AND id IN
        (SELECT id FROM decision_record WHERE client = :client LIMIT :most)
    RETURNING id""",
)
ERASE_BUDGETS = statement(
    "decision.erase_budgets",
    """DELETE FROM decision_budget WHERE client = :client AND (person, kind, minute) IN
        (SELECT person, kind, minute FROM decision_budget WHERE client = :client LIMIT :most)
    RETURNING person""",
)
ERASE_BUDGET_CUSTOMERS = statement(
    "decision.erase_budget_customers",
    """DELETE FROM decision_budget_customer WHERE client = :client AND (person, day, customer_mac) IN
        (SELECT person, day, customer_mac FROM decision_budget_customer WHERE client = :client LIMIT :most)
    RETURNING person""",
)
ERASE_VERIFY_ATTEMPTS = statement(
    "decision.erase_verify_attempts",
    """DELETE FROM decision_verify_attempt WHERE client = :client AND id IN
        (SELECT id FROM decision_verify_attempt WHERE client = :client LIMIT :most)
    RETURNING id""",
)
ERASE_IDEMPOTENCIES = statement(
    "decision.erase_idempotencies",
    """DELETE FROM decision_idempotency WHERE client = :client AND (person, key) IN
        (SELECT person, key FROM decision_idempotency WHERE client = :client LIMIT :most)
    RETURNING person""",
)
ERASE_CHALLENGES = statement(
    "decision.erase_challenges",
    """DELETE FROM decision_challenge WHERE client = :client AND id IN
        (SELECT id FROM decision_challenge WHERE client = :client LIMIT :most)
    RETURNING id""",
)
ERASE_OF_CLIENT: Final = (
    ERASE_RECORDS,
    ERASE_BUDGETS,
    ERASE_BUDGET_CUSTOMERS,
    ERASE_VERIFY_ATTEMPTS,
    ERASE_IDEMPOTENCIES,
    ERASE_CHALLENGES,
)
