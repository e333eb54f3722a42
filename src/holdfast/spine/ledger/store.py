"""All SQL of the ledger, in the portable subset (reference: PostgreSQL, SQLite and what speaks their dialect)."""

from __future__ import annotations

from typing import Final

from holdfast.kit.db import statement

NO_LANE: Final = None
WRITTEN: Final = statement(
    "ledger_written",
    """
    INSERT INTO ledger_written (lane, count) VALUES (:lane, :count)
    ON CONFLICT (lane) DO UPDATE SET count = ledger_written.count + excluded.count
    """,
)
APPEND: Final = statement(
    "ledger_append",
    """
    INSERT INTO ledger_pending (log, leaf, at_us, entry, lane) VALUES (:log, :leaf, :at_us, :entry, :lane)
    """,
    counted=WRITTEN,
)
PENDING: Final = statement(
    "ledger_pending",
    """
    SELECT id, log, at_us, entry FROM ledger_pending
    WHERE log NOT IN (:without*) ORDER BY id LIMIT :most
    """,
)
ANY_PENDING: Final = statement(
    "ledger_any_pending", "SELECT 1 FROM ledger_pending WHERE log NOT IN (:without*) LIMIT 1"
)
CLAIM: Final = statement(
    "ledger_claim", "DELETE FROM ledger_pending WHERE id IN (:ids*) RETURNING id, lane"
)
# One statement sees one moment. A row of a lane that was written and neither waits nor was placed has vanished.
MISSING: Final = statement(
    "ledger_missing",
    """
    SELECT lane, missing FROM (
        SELECT w.lane, w.count - COALESCE(p.count, 0)
            - (SELECT COUNT(*) FROM ledger_pending q WHERE q.lane = w.lane) AS missing
        FROM ledger_written w LEFT JOIN ledger_placed p ON p.lane = w.lane) AS m
    WHERE missing <> 0
    """,
)
PLACED: Final = statement(
    "ledger_placed",
    """
    INSERT INTO ledger_placed (lane, count) VALUES (:lane, :count)
    ON CONFLICT (lane) DO UPDATE SET count = ledger_placed.count + excluded.count
    """,
)

TREES: Final = statement("ledger_trees", "SELECT log, size, root, last_us FROM ledger_tree")
TREE: Final = statement(
    "ledger_tree", "SELECT size, root, last_us FROM ledger_tree WHERE log = :log"
)
PLANT: Final = statement(
    "ledger_plant",
    """
    INSERT INTO ledger_tree (log, size, root, last_us) VALUES (:log, 0, :root, 0)
    ON CONFLICT (log) DO NOTHING
    """,
)
GROW: Final = statement(
    "ledger_grow",
    """
    UPDATE ledger_tree SET size = :size, root = :root, last_us = :last_us
    WHERE log = :log AND size = :from_size AND root = :from_root RETURNING size
    """,
)

TILE: Final = statement(
    "ledger_tile",
    "SELECT width, body FROM ledger_tile WHERE log = :log AND level = :level AND n = :n",
)
PUT_TILE: Final = statement(
    "ledger_put_tile",
    """
    INSERT INTO ledger_tile (log, level, n, width, body) VALUES (:log, :level, :n, :width, :body)
    ON CONFLICT (log, level, n) DO UPDATE SET width = excluded.width, body = excluded.body
    """,
)

BUNDLE: Final = statement(
    "ledger_bundle", "SELECT width, body FROM ledger_bundle WHERE log = :log AND n = :n"
)
BUNDLES_FROM: Final = statement(
    "ledger_bundles_from",
    """
    SELECT n, width, body FROM ledger_bundle
    WHERE log = :log AND n >= :n ORDER BY n LIMIT :most
    """,
)
BUNDLE_AT: Final = statement(
    "ledger_bundle_at",
    """
    SELECT n FROM ledger_bundle
    WHERE log = :log AND last_us >= :at_us ORDER BY last_us, n LIMIT 1
    """,
)
PUT_BUNDLE: Final = statement(
    "ledger_put_bundle",
    """
    INSERT INTO ledger_bundle (log, n, width, last_us, body)
    VALUES (:log, :n, :width, :last_us, :body)
    ON CONFLICT (log, n) DO UPDATE
    SET width = excluded.width, body = excluded.body, last_us = excluded.last_us
    """,
)

PUT_CHECKPOINT: Final = statement(
    "ledger_put_checkpoint",
    """
    INSERT INTO ledger_checkpoint (log, day, size, note, at_us)
    VALUES (:log, :day, :size, :note, :at_us)
    ON CONFLICT (log, day) DO UPDATE
    SET size = excluded.size, note = excluded.note, at_us = excluded.at_us
    WHERE excluded.size >= ledger_checkpoint.size
    """,
)
CHECKPOINT: Final = statement(
    "ledger_checkpoint",
    """
    SELECT size, note, at_us FROM ledger_checkpoint
    WHERE log = :log ORDER BY size DESC, at_us DESC LIMIT 1
    """,
)

TAKE_LEASE: Final = statement(
    "ledger_take_lease",
    """
    INSERT INTO ledger_lease (name, holder, place, fence, until_us, claimed)
    VALUES (:name, :holder, :place, 1, :until_us, 0)
    ON CONFLICT (name) DO UPDATE
    SET holder = excluded.holder, place = excluded.place, fence = ledger_lease.fence + 1,
        until_us = excluded.until_us
    WHERE ledger_lease.until_us <= :now_us OR ledger_lease.place = :place
    RETURNING fence
    """,
)
RENEW_LEASE: Final = statement(
    "ledger_renew_lease",
    """
    UPDATE ledger_lease SET until_us = :until_us
    WHERE name = :name AND holder = :holder AND fence = :fence RETURNING fence
    """,
)
RELEASE_LEASE: Final = statement(
    "ledger_release_lease",
    """
    UPDATE ledger_lease SET until_us = 0
    WHERE name = :name AND holder = :holder AND fence = :fence
    """,
)
LEASE: Final = statement(
    "ledger_lease_of", "SELECT place, until_us FROM ledger_lease WHERE name = :name"
)
IS_LEASED: Final = statement(
    "ledger_is_leased", "SELECT 1 FROM ledger_lease WHERE name = :name AND until_us > :now_us"
)
HOLDS_LEASE: Final = statement(
    "ledger_holds_lease",
    "SELECT claimed FROM ledger_lease WHERE name = :name AND holder = :holder AND fence = :fence",
)
# Held until the transaction ends: nobody takes the lease over between the look at it and the commit.
KEEPS_LEASE: Final = HOLDS_LEASE.locking("FOR NO KEY UPDATE")
CLAIMED: Final = statement(
    "ledger_claimed",
    "UPDATE ledger_lease SET claimed = :claimed WHERE name = :name AND claimed < :claimed",
)
COUNT_PENDING: Final = statement(
    "ledger_count_pending",
    "SELECT COUNT(*) FROM ledger_pending WHERE id > :above AND id <= :upto",
)
NEWEST: Final = statement(
    "ledger_newest",
    """
    SELECT (SELECT MAX(last_us) FROM ledger_tree), (SELECT MAX(at_us) FROM ledger_pending),
        (SELECT tick_us FROM ledger_clock WHERE name = 'house'),
        (SELECT stepped_us FROM ledger_clock WHERE name = 'house'),
        (SELECT by_s FROM ledger_clock WHERE name = 'house')
    """,
)
# a standby that lags shows an older one
HEARTBEAT: Final = statement(
    "ledger_heartbeat",
    """
    SELECT COALESCE((SELECT MAX(last_us) FROM ledger_tree), 0),
        COALESCE((SELECT MAX(tick_us) FROM ledger_clock), 0)
    """,
)
TICK: Final = statement(
    "ledger_tick",
    """
    INSERT INTO ledger_clock (name, tick_us, stepped_us, by_s, boot, boot_us)
    VALUES ('house', :tick_us, 0, 0, :boot, :boot_us)
    ON CONFLICT (name) DO UPDATE SET tick_us = excluded.tick_us, boot = excluded.boot, boot_us = excluded.boot_us
    WHERE ledger_clock.tick_us < excluded.tick_us
    """,
)
LAST_TICK: Final = statement(
    "ledger_last_tick", "SELECT tick_us, boot, boot_us FROM ledger_clock WHERE name = 'house'"
)
# a step that nobody has confirmed yet is not told a second time
STEPPED: Final = statement(
    "ledger_stepped",
    """
    INSERT INTO ledger_clock (name, tick_us, stepped_us, by_s, boot, boot_us)
    VALUES ('house', :now_us, :now_us, :by_s, '', 0)
    ON CONFLICT (name) DO UPDATE SET stepped_us = excluded.stepped_us, by_s = excluded.by_s
    WHERE ledger_clock.stepped_us = 0 RETURNING stepped_us
    """,
)
CONFIRMED: Final = statement(
    "ledger_confirmed",
    """
    UPDATE ledger_clock SET stepped_us = 0, by_s = 0
    WHERE name = 'house' AND stepped_us > 0 RETURNING name
    """,
)
ADD_DUE: Final = statement(
    "ledger_add_due",
    """
    INSERT INTO ledger_due (what, first_us) VALUES (:what, :at_us) ON CONFLICT (what) DO NOTHING
    """,
)
# One of those who ask gets a row: the first, and after ``before_us`` the first again.
TELL_AGAIN: Final = statement(
    "ledger_tell_again",
    """
    INSERT INTO ledger_due (what, first_us) VALUES (:what, :at_us)
    ON CONFLICT (what) DO UPDATE SET first_us = excluded.first_us
    WHERE ledger_due.first_us <= :before_us RETURNING what
    """,
)
DUE_SINCE: Final = statement(
    "ledger_due_since", "SELECT first_us FROM ledger_due WHERE what = :what"
)
DROP_DUE: Final = statement("ledger_drop_due", "DELETE FROM ledger_due WHERE what = :what")
CLEAR_DUE: Final = statement(
    "ledger_clear_due",
    """
    DELETE FROM ledger_due WHERE what IN
        (SELECT what FROM ledger_due WHERE first_us < :before LIMIT :most)
    RETURNING what
    """,
)

FOLD: Final = statement(
    "ledger_fold",
    """
    UPDATE ledger_fold SET count = count + 1
    WHERE log = :log AND key = :key AND opened_us > :since_us RETURNING decision, leaf, leaf_hash
    """,
)
OPEN_FOLD: Final = statement(
    "ledger_open_fold",
    """
    INSERT INTO ledger_fold (log, key, opened_us, decision, leaf, leaf_hash, entry, count)
    VALUES (:log, :key, :opened_us, :decision, :leaf, :leaf_hash, :entry, 0)
    ON CONFLICT (log, key) DO UPDATE
    SET opened_us = excluded.opened_us, decision = excluded.decision, leaf = excluded.leaf,
        leaf_hash = excluded.leaf_hash, entry = excluded.entry, count = 0
    WHERE ledger_fold.opened_us <= :since_us
    """,
)
# Of several that close a window at once, one is answered the row, with the count that it had last: the others wait, and
# find it gone or begun anew.
FOLDED: Final = statement(
    "ledger_folded",
    "SELECT entry, count FROM ledger_fold WHERE log = :log AND key = :key AND opened_us <= :before_us",
    lock="FOR UPDATE",
)
CLOSE_FOLDS: Final = statement(
    "ledger_close_folds",
    """
    DELETE FROM ledger_fold WHERE opened_us <= :before_us AND (log, key) IN
        (SELECT log, key FROM ledger_fold WHERE opened_us <= :before_us ORDER BY opened_us, log, key LIMIT :most)
    RETURNING log, entry, count
    """,
)
