"""SQL of administration (portable subset; see ``holdfast.kit.db``)."""

from __future__ import annotations

from holdfast.kit.db import statement

# ── refused acts ────────────────────────────────────────────────────────────────────────────────────────────────
# across clients: what one person was refused, wherever
COUNT_REFUSAL = statement(
    "administration.count_refusal",
    """INSERT INTO administration_refusal (person, act, rules, hour, count)
    VALUES (:person, :act, :rules, :hour, 1)
    ON CONFLICT (person, act, rules, hour) DO UPDATE SET count = administration_refusal.count + 1
    RETURNING count""",
)
# across clients: counts of hours that are over
CLEAR_REFUSALS = statement(
    "administration.clear_refusals",
    """DELETE FROM administration_refusal WHERE (person, act, rules, hour) IN
        (SELECT person, act, rules, hour FROM administration_refusal WHERE hour < :before LIMIT :most)
    RETURNING person""",
)

# ── feed keys and tokens that one person knows ──────────────────────────────────────────────────────────────────
FEED_KEY_MAKERS = statement(
    "administration.feed_key_makers",
    """SELECT DISTINCT k.made_by FROM signals_feed_key k JOIN signals_feed f ON f.name = k.feed
    WHERE f.client = :client AND k.retired_us IS NULL AND k.made_by <> ''""",
)
# Who holds, and who issued, a live token of somebody who works for the client, now or later. Of a token that is bound
# to its holder's key, knowing the secret is nothing: its issuer does not count.
TOKEN_HOLDERS = statement(
    "administration.token_holders",
    """SELECT DISTINCT c.person, CASE WHEN c.jkt = '' AND c.x5t = '' THEN c.issued_by ELSE '' END
    FROM identity_credential c
        JOIN identity_assignment a ON a.person = c.person
    WHERE a.client = :client AND (a.ends_us IS NULL OR a.ends_us > :now) AND c.client IN ('', :client)
        AND c.kind = 'token' AND c.revoked_us IS NULL AND c.expires_us > :now""",
)
TOKENS_HELD = statement(
    "administration.tokens_held",
    """SELECT DISTINCT c.person, CASE WHEN c.jkt = '' AND c.x5t = '' THEN c.issued_by ELSE '' END
    FROM identity_credential c
    WHERE c.person = :person AND c.client IN ('', :client)
        AND c.kind = 'token' AND c.revoked_us IS NULL AND c.expires_us > :now""",
)

# ── what waits for a second person ──────────────────────────────────────────────────────────────────────────────
# across clients: the list for those who administer; an administrative request may concern several
WAITING = statement(
    "administration.waiting",
    """SELECT r.id, r.operation, r.clients, r.summary, r.expires_us, p.employer, p.staff_id
    FROM approvals_request r JOIN identity_person p ON p.id = r.requester
    WHERE r.kind = :kind AND r.state = 'asked' AND r.expires_us > :now ORDER BY r.id LIMIT :limit""",
)
