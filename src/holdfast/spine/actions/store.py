"""SQL of permits and of values too young to prove anything (portable subset)."""

from __future__ import annotations

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
    "actions.clear_permits", "DELETE FROM actions_permit WHERE issued_us < :before_us"
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
QUARANTINED_OF = statement(
    "actions.quarantined_of",
    """SELECT customer, collection, number FROM actions_quarantine
    WHERE client = :client AND customer IN (:customers*) AND until_us > :now_us""",
)
# across clients: what is over is over for every client
CLEAR_QUARANTINE = statement(
    "actions.clear_quarantine", "DELETE FROM actions_quarantine WHERE until_us < :before_us"
)
