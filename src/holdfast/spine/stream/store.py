"""All SQL of the stream (portable subset)."""

from __future__ import annotations

from typing import Final

from holdfast.kit.db import statement

# ── positions ───────────────────────────────────────────────────────────────────────────────────────────────────
# The logs in which a subscriber has something to do. One that was followed by a later version is left alone.
BEHIND: Final = statement(
    "stream_behind",
    """
    SELECT t.log, t.size, p.version, p.next, p.last_hash, p.clearing, p.tries, p.retry_us, p.code, p.moved_us
    FROM ledger_tree t LEFT JOIN stream_position p ON p.log = t.log AND p.subscriber = :subscriber
    WHERE p.next IS NULL OR p.version < :version
        OR (p.version = :version AND (p.next <> t.size OR p.clearing = 1))
    ORDER BY t.log
    """,
)
BEGIN: Final = statement(
    "stream_begin",
    """
    INSERT INTO stream_position (subscriber, log, version, next, last_hash, clearing, tries, retry_us, code, moved_us)
    VALUES (:subscriber, :log, :version, 0, :nothing, 0, 0, 0, '', :now_us)
    ON CONFLICT (subscriber, log) DO NOTHING
    """,
)
# The one write that counts: whoever does not find the position where they read it has lost, and writes nothing.
ADVANCE: Final = statement(
    "stream_advance",
    """
    UPDATE stream_position SET next = :next, last_hash = :hash, clearing = :clearing, tries = 0, retry_us = 0,
        code = '', moved_us = :now_us
    WHERE subscriber = :subscriber AND log = :log AND version = :version AND next = :from_next
        AND last_hash = :from_hash AND clearing = 0
    RETURNING next
    """,
)
FAILED: Final = statement(
    "stream_failed",
    """
    UPDATE stream_position SET tries = :tries + 1, retry_us = :retry_us, code = :code
    WHERE subscriber = :subscriber AND log = :log AND version = :version AND next = :next AND tries = :tries
        AND clearing = 0
    RETURNING next
    """,
)
RENEW: Final = statement(
    "stream_renew",
    """
    UPDATE stream_position SET version = :version, next = 0, last_hash = :nothing, clearing = 1, tries = 0,
        retry_us = 0, code = '', moved_us = :now_us
    WHERE subscriber = :subscriber AND log = :log AND version < :version RETURNING log
    """,
)
REBUILD: Final = statement(
    "stream_rebuild",
    """
    UPDATE stream_position SET next = 0, last_hash = :nothing, clearing = 1, tries = 0, retry_us = 0, code = '',
        moved_us = :now_us
    WHERE subscriber = :subscriber RETURNING log
    """,
)
# Locks the row where writers run at once, so that rows are taken away by one process, and none is added meanwhile.
CLEARING: Final = statement(
    "stream_clearing",
    """
    UPDATE stream_position SET moved_us = :now_us
    WHERE subscriber = :subscriber AND log = :log AND version = :version AND clearing = 1 RETURNING next
    """,
)
CLEARED: Final = statement(
    "stream_cleared",
    "UPDATE stream_position SET clearing = 0 WHERE subscriber = :subscriber AND log = :log",
)
POSITIONS: Final = statement(
    "stream_positions",
    """
    SELECT p.log, p.version, p.next, p.last_hash, p.clearing, p.code, COALESCE(t.size, 0)
    FROM stream_position p LEFT JOIN ledger_tree t ON t.log = p.log
    WHERE p.subscriber = :subscriber ORDER BY p.log
    """,
)

# ── parked leaves ───────────────────────────────────────────────────────────────────────────────────────────────
PARK: Final = statement(
    "stream_park",
    """
    INSERT INTO stream_parked (subscriber, log, idx, code, tries, at_us)
    VALUES (:subscriber, :log, :idx, :code, :tries, :now_us)
    ON CONFLICT (subscriber, log, idx) DO NOTHING
    """,
)
STILL_PARKED: Final = statement(
    "stream_still_parked",
    """
    UPDATE stream_parked SET code = :code, tries = tries + 1
    WHERE subscriber = :subscriber AND log = :log AND idx = :idx
    """,
)
UNPARK: Final = statement(
    "stream_unpark",
    """
    DELETE FROM stream_parked
    WHERE subscriber = :subscriber AND log = :log AND idx = :idx RETURNING idx
    """,
)
UNPARK_LOG: Final = statement(
    "stream_unpark_log",
    "DELETE FROM stream_parked WHERE subscriber = :subscriber AND log = :log",
)
PARKED: Final = statement(
    "stream_parked",
    """
    SELECT subscriber, log, idx, code, tries, at_us FROM stream_parked
    WHERE :subscriber = '' OR subscriber = :subscriber ORDER BY subscriber, log, idx LIMIT :most
    """,
)
COUNT_PARKED: Final = statement(
    "stream_count_parked", "SELECT subscriber, COUNT(*) FROM stream_parked GROUP BY subscriber"
)
PARKED_SINCE: Final = statement(
    "stream_parked_since",
    "SELECT 1 FROM stream_parked WHERE subscriber = :subscriber AND at_us > :since_us LIMIT 1",
)

# ── the timeline ────────────────────────────────────────────────────────────────────────────────────────────────
ADD_TO_TIMELINE: Final = statement(
    "stream_add_to_timeline",
    "INSERT INTO stream_timeline (log, ref, idx, at_us, type) VALUES (:log, :ref, :idx, :at_us, :type)",
)
# Many rows in one statement, which costs more than its rows. One of over 50 parameters psycopg reads anew each time.
ROWS: Final = 12
_VALUES: Final = ", ".join(
    f"(:log, :ref_{n}, :idx_{n}, :at_us_{n}, :type_{n})" for n in range(ROWS)
)
ADD_MANY_TO_TIMELINE: Final = statement(
    "stream_add_many_to_timeline",
    f"INSERT INTO stream_timeline (log, ref, idx, at_us, type) VALUES {_VALUES}",
)
TIMELINE: Final = statement(
    "stream_timeline",
    """
    SELECT idx, at_us, type FROM stream_timeline
    WHERE log = :log AND ref = :ref AND idx < :before AND at_us >= :since_us ORDER BY idx DESC LIMIT :most
    """,
)
CLEAR_TIMELINE: Final = statement(
    "stream_clear_timeline",
    """
    DELETE FROM stream_timeline WHERE log = :log AND (ref, idx) IN
        (SELECT ref, idx FROM stream_timeline WHERE log = :log LIMIT :most)
    RETURNING idx
    """,
)

# ── the tally ───────────────────────────────────────────────────────────────────────────────────────────────────
COUNT: Final = statement(
    "stream_count",
    """
    INSERT INTO stream_tally (log, day, type, what, outcome, rule, count)
    VALUES (:log, :day, :type, :what, :outcome, :rule, :count)
    ON CONFLICT (log, day, type, what, outcome, rule) DO UPDATE
    SET count = stream_tally.count + excluded.count
    """,
)
TALLY: Final = statement(
    "stream_tally",
    """
    SELECT day, type, what, outcome, rule, count FROM stream_tally
    WHERE log = :log AND day >= :since_day ORDER BY day, type, what, outcome, rule
    """,
)
CLEAR_TALLY: Final = statement(
    "stream_clear_tally",
    """
    DELETE FROM stream_tally WHERE log = :log AND (day, type, what, outcome, rule) IN
        (SELECT day, type, what, outcome, rule FROM stream_tally WHERE log = :log LIMIT :most)
    RETURNING day
    """,
)
TRIM_TALLY: Final = statement(
    "stream_trim_tally",
    """
    DELETE FROM stream_tally WHERE (log, day, type, what, outcome, rule) IN
        (SELECT log, day, type, what, outcome, rule FROM stream_tally WHERE day < :before LIMIT :most)
    RETURNING day
    """,
)

CLEARS_TIMELINE: Final = (CLEAR_TIMELINE,)
CLEARS_TALLY: Final = (CLEAR_TALLY,)
