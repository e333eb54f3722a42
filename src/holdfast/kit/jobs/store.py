"""All SQL about jobs (portable subset)."""

from __future__ import annotations

from holdfast.kit.db import statement

# A second enqueue with the same key changes nothing and returns no row, unless the first was given up: then it is due
# again, with all its attempts.
ENQUEUE = statement(
    "jobs.enqueue",
    """INSERT INTO jobs_job (id, kind, payload, dedupe_key, state, run_at_us, lease, lease_until_us,
                             attempts, error, created_us, finished_us)
       VALUES (:id, :kind, :payload, :dedupe_key, 'ready', :run_at_us, '', 0, 0, '', :created_us, NULL)
       ON CONFLICT (dedupe_key) DO UPDATE SET state = 'ready', run_at_us = excluded.run_at_us,
         payload = excluded.payload, attempts = 0, error = '', finished_us = NULL
       WHERE jobs_job.state = 'dead' RETURNING id""",
)
# Due work first in line, and work whose holder has not been heard of since its lease lapsed. It is asked for without a
# lock, and then claimed by its id: where workers run at once, they do not all wait for the first in line.
DUE = statement(
    "jobs.due",
    """SELECT id FROM jobs_job
       WHERE kind IN (:kinds*)
         AND ((state = 'ready' AND run_at_us <= :now) OR (state = 'leased' AND lease_until_us <= :now))
       ORDER BY run_at_us, id LIMIT :most""",
)
CLAIM = statement(
    "jobs.claim",
    """UPDATE jobs_job
       SET state = 'leased', lease = :lease, lease_until_us = :lease_until_us, attempts = attempts + 1
       WHERE id = :id
         AND ((state = 'ready' AND run_at_us <= :now) OR (state = 'leased' AND lease_until_us <= :now))
       RETURNING id, kind, payload, attempts, run_at_us""",
)
# All that follow count only while the lease is still one's own: a run that was given up may not settle anything.
HEARTBEAT = statement(
    "jobs.heartbeat",
    """UPDATE jobs_job SET lease_until_us = :lease_until_us
       WHERE id = :id AND lease = :lease AND state = 'leased' RETURNING id""",
)
COMPLETE = statement(
    "jobs.complete",
    """UPDATE jobs_job SET state = 'done', lease = '', error = '', finished_us = :now
       WHERE id = :id AND lease = :lease AND state = 'leased' RETURNING id""",
)
RETRY = statement(
    "jobs.retry",
    """UPDATE jobs_job SET state = 'ready', lease = '', run_at_us = :run_at_us, error = :error
       WHERE id = :id AND lease = :lease AND state = 'leased' RETURNING id""",
)
BURY = statement(
    "jobs.bury",
    """UPDATE jobs_job SET state = 'dead', lease = '', error = :error, finished_us = :now
       WHERE id = :id AND lease = :lease AND state = 'leased' RETURNING id""",
)
PURGE = statement(
    "jobs.purge",
    """DELETE FROM jobs_job WHERE id IN
        (SELECT id FROM jobs_job WHERE finished_us < :before AND state = 'done' LIMIT :most)
    RETURNING id""",
)
PURGE_DEAD = statement(
    "jobs.purge_dead",
    """DELETE FROM jobs_job WHERE id IN
        (SELECT id FROM jobs_job WHERE finished_us < :before AND state = 'dead' LIMIT :most)
    RETURNING id""",
)
DEAD = statement(
    "jobs.dead",
    """SELECT id, kind, attempts, error, finished_us FROM jobs_job WHERE state = 'dead'
       ORDER BY finished_us DESC LIMIT :limit""",
)
LISTED = statement(
    "jobs.listed",
    """SELECT id, kind, state, run_at_us, attempts, error FROM jobs_job WHERE state IN (:states*)
       ORDER BY run_at_us, id LIMIT :most""",
)
REVIVE = statement(
    "jobs.revive",
    """UPDATE jobs_job SET state = 'ready', run_at_us = :now, attempts = 0, error = '', finished_us = NULL
       WHERE id = :id AND state IN ('ready', 'dead') RETURNING id""",
)
COUNTS = statement("jobs.counts", "SELECT state, COUNT(*) FROM jobs_job GROUP BY state")
# Since when the work waits that is due longest: of work whose worker has died, since its lease lapsed.
OVERDUE = statement(
    "jobs.overdue",
    """SELECT kind, MIN(CASE WHEN state = 'ready' THEN run_at_us ELSE lease_until_us END) FROM jobs_job
       WHERE (state = 'ready' AND run_at_us <= :now) OR (state = 'leased' AND lease_until_us <= :now)
       GROUP BY kind ORDER BY 2""",
)
