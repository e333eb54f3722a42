"""SQL of the checks of a house in production: counts and dates over all clients, never a customer."""

from __future__ import annotations

from holdfast.kit.db import statement

# across clients: the house's own look at who administers it
ADMINS = statement(
    "checks.admins",
    """SELECT p.id, p.staff_id, COALESCE(p.os_user, ''),
        (SELECT COUNT(*) FROM identity_credential c WHERE c.person = p.id AND c.kind = 'token'
            AND c.revoked_us IS NULL AND c.expires_us > :now),
        (SELECT COALESCE(MIN(c.created_us), 0) FROM identity_credential c WHERE c.person = p.id
            AND c.kind = 'token' AND c.revoked_us IS NULL AND c.expires_us > :now)
    FROM identity_person p
    WHERE p.state = 'active' AND ',' || p.roles || ',' LIKE '%,admin,%' ORDER BY p.id""",
)
# across clients: the house's own look at its credentials
BARE_TOKENS = statement(
    "checks.bare_tokens",
    """SELECT COUNT(*) FROM identity_credential
    WHERE kind = 'token' AND person IS NOT NULL AND revoked_us IS NULL AND expires_us > :now
        AND networks = '' AND jkt = '' AND x5t = ''""",
)
# across clients: every feed of the house
FEEDS = statement(
    "checks.feeds",
    """SELECT f.name,
        (SELECT COUNT(*) FROM signals_feed_key k WHERE k.feed = f.name AND k.retired_us IS NULL),
        (SELECT COALESCE(MAX(e.seen_us), 0) FROM signals_event e WHERE e.feed = f.name)
    FROM signals_feed f WHERE 0 = 0 ORDER BY f.name""",
)
# across clients: erasures that were ordered and are not done
OVERDUE_SHREDS = statement(
    "checks.overdue_shreds",
    """SELECT COUNT(*) FROM vault_shred
    WHERE state <> 'done' AND refused_us < :before_us""",
)
OVERDUE_JOBS = statement(
    "checks.overdue_jobs",
    """SELECT COUNT(*) FROM jobs_job
    WHERE (state = 'ready' AND run_at_us < :before_us)
        OR (state = 'leased' AND lease_until_us < :before_us)""",
)
# across clients: a table of Django's own
APPLIED = statement("checks.applied", "SELECT app, name FROM django_migrations")
LOG_SIZE = statement("checks.log_size", "SELECT size FROM ledger_tree WHERE log = :log")
