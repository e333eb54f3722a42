"""SQL of feeds, their keys, the events taken in and the lines refused.

Statements on ``keyring_…`` tables run against the keys store, all others against ``data``.
"""

from __future__ import annotations

from typing import Final

from holdfast.kit.db import statement

# ── feeds and keys ──────────────────────────────────────────────────────────────────────────────────────────────
# across clients: a feed is found by its name, and says itself which client it speaks for
FEED = statement(
    "signals.feed",
    """SELECT name, client, types, programmes, sites, zone, adaptor, digest_key, created_us
    FROM signals_feed WHERE name = :name""",
)
# across clients: the list for those who administer feeds
FEEDS = statement(
    "signals.feeds",
    """SELECT name, client, types, programmes, sites, zone, adaptor, created_us
    FROM signals_feed WHERE :client = '' OR client = :client ORDER BY name""",
)
ADD_FEED = statement(
    "signals.add_feed",
    """INSERT INTO signals_feed (name, client, types, programmes, sites, zone, adaptor, digest_key, created_us)
    VALUES (:name, :client, :types, :programmes, :sites, :zone, :adaptor, :digest_key, :created_us)
    ON CONFLICT (name) DO NOTHING RETURNING name""",
)
ACTIVE_KEYS = statement(
    "signals.active_keys",
    """SELECT kid, sealed FROM signals_feed_key WHERE feed = :feed AND retired_us IS NULL
    ORDER BY created_us DESC, kid""",
)
KEY_IS_ACTIVE = statement(
    "signals.key_is_active",
    "SELECT kid FROM signals_feed_key WHERE feed = :feed AND kid = :kid AND retired_us IS NULL",
)
KEYS = statement(
    "signals.keys",
    "SELECT feed, kid, created_us, retired_us FROM signals_feed_key ORDER BY feed, created_us, kid",
)
# No row comes back when as many keys as may be are active already.
ADD_KEY = statement(
    "signals.add_key",
    """INSERT INTO signals_feed_key (feed, kid, sealed, made_by, created_us, retired_us)
    SELECT :feed, :kid, :sealed, :made_by, :created_us, NULL
    WHERE (SELECT COUNT(*) FROM signals_feed_key WHERE feed = :feed AND retired_us IS NULL) < :most
    ON CONFLICT (feed, kid) DO NOTHING RETURNING kid""",
)
RETIRE_KEY = statement(
    "signals.retire_key",
    """UPDATE signals_feed_key SET retired_us = :now_us
    WHERE feed = :feed AND kid = :kid AND retired_us IS NULL RETURNING kid""",
)

# ── events ──────────────────────────────────────────────────────────────────────────────────────────────────────
SEEN = statement(
    "signals.seen",
    "SELECT event_id, digest FROM signals_event WHERE feed = :feed AND event_id IN (:ids*)",
)
ADD_EVENT = statement(
    "signals.add_event",
    """INSERT INTO signals_event (feed, event_id, digest, seen_us) VALUES (:feed, :event_id, :digest, :seen_us)
    ON CONFLICT (feed, event_id) DO NOTHING RETURNING event_id""",
)
# A feed speaks of those who work for its client, now or later: of others it learns nothing, and closes nothing.
PERSONS_NAMED = statement(
    "signals.persons_named",
    """SELECT p.id, p.staff_id, p.employer FROM identity_person p
    WHERE (p.id IN (:persons*) OR p.staff_id IN (:staff_ids*))
        AND EXISTS (SELECT 1 FROM identity_assignment a
            WHERE a.person = p.id AND a.client = :client AND (a.ends_us IS NULL OR a.ends_us > :now_us))""",
)

INDEX_HITS = statement(
    "signals.index_hits",
    """SELECT token, customer, record, version, operation FROM keyring_index
    WHERE client = :client AND collection = :collection AND field = :field AND token IN (:tokens*)
    LIMIT :limit""",
)
CONFIRMED = statement(
    "signals.confirmed",
    """SELECT r.id, r.customer, r.collection, r.version, r.body, r.operation
    FROM vault_record r JOIN vault_customer c ON c.client = r.client AND c.id = r.customer
    WHERE r.client = :client AND r.customer IN (:customers*) AND c.state = 'live'""",
)
CUSTOMER_REFS = statement(
    "signals.customer_refs",
    "SELECT customer, ref FROM keyring_customer WHERE client = :client AND customer IN (:customers*)",
)

# ── how fast a feed speaks ──────────────────────────────────────────────────────────────────────────────────────
PACE = statement(
    "signals.pace",
    """SELECT feed, site, quarter, received_us, gap_us, gaps, lag_us, lags, heard
    FROM signals_pace WHERE feed = :feed AND site IN (:sites*)""",
)
PUT_PACE = statement(
    "signals.put_pace",
    """INSERT INTO signals_pace (feed, site, quarter, received_us, gap_us, gaps, lag_us, lags, heard)
    VALUES (:feed, :site, :quarter, :received_us, :gap_us, :gaps, :lag_us, :lags, :heard)
    ON CONFLICT (feed, site, quarter) DO UPDATE SET received_us = excluded.received_us, gap_us = excluded.gap_us,
        gaps = excluded.gaps, lag_us = excluded.lag_us, lags = excluded.lags, heard = excluded.heard""",
)
# across clients: a feed's pace is its own; the list for those who keep it running
PACES = statement(
    "signals.paces",
    """SELECT feed, site, quarter, received_us, gap_us, gaps, lag_us, lags, heard FROM signals_pace
    ORDER BY feed, site, quarter""",
)
# Feeds that tell when a contact is connected, of one client; a list of words is matched as whole words.
PACES_OF_CLIENT = statement(
    "signals.paces_of_client",
    """SELECT f.programmes, p.feed, p.site, p.quarter, p.received_us, p.gap_us, p.gaps, p.lag_us, p.lags, p.heard
    FROM signals_feed f JOIN signals_pace p ON p.feed = f.name
    WHERE f.client = :client AND ',' || f.types || ',' LIKE '%,contact.connected,%'""",
)

# ── what was refused ────────────────────────────────────────────────────────────────────────────────────────────
ADD_DEAD_LETTER = statement(
    "signals.add_dead_letter",
    """INSERT INTO signals_dead_letter (id, feed, client, at_us, line, reason, field)
    VALUES (:id, :feed, :client, :at_us, :line, :reason, :field)""",
)
# across clients: the list for those who administer feeds
DEAD_LETTERS = statement(
    "signals.dead_letters",
    """SELECT at_us, feed, client, line, reason, field FROM signals_dead_letter
    WHERE (:feed = '' OR feed = :feed) AND (:client = '' OR client = :client)
    ORDER BY at_us DESC, id DESC LIMIT :limit""",
)
ADD_TO_TALLY = statement(
    "signals.add_to_tally",
    """INSERT INTO signals_tally (feed, signal, minute, count) VALUES (:feed, :signal, :minute, :count)
    ON CONFLICT (feed, signal, minute) DO UPDATE SET count = signals_tally.count + excluded.count
    RETURNING signal, count""",
)

# ── forgetting ──────────────────────────────────────────────────────────────────────────────────────────────────
CLEAR_EVENTS = statement(
    "signals.clear_events",
    """DELETE FROM signals_event WHERE (feed, event_id) IN
        (SELECT feed, event_id FROM signals_event WHERE seen_us < :before LIMIT :most)
    RETURNING feed""",
)
# across clients: what is old is old for every client
CLEAR_DEAD_LETTERS = statement(
    "signals.clear_dead_letters",
    """DELETE FROM signals_dead_letter WHERE id IN
        (SELECT id FROM signals_dead_letter WHERE at_us < :before LIMIT :most)
    RETURNING id""",
)
CLEAR_PACES = statement(
    "signals.clear_paces",
    """DELETE FROM signals_pace WHERE (feed, site, quarter) IN
        (SELECT feed, site, quarter FROM signals_pace WHERE received_us < :before LIMIT :most)
    RETURNING feed""",
)
CLEAR_TALLIES = statement(
    "signals.clear_tallies",
    """DELETE FROM signals_tally WHERE (feed, signal, minute) IN
        (SELECT feed, signal, minute FROM signals_tally WHERE minute < :before LIMIT :most)
    RETURNING feed""",
)
# across clients: a key belongs to its feed, and the feed to the client that is named
RETIRE_CLIENT_KEYS = statement(
    "signals.retire_client_keys",
    """UPDATE signals_feed_key SET retired_us = :now_us
    WHERE retired_us IS NULL AND feed IN (SELECT name FROM signals_feed WHERE client = :client)""",
)

# ── a client that is erased ─────────────────────────────────────────────────────────────────────────────────────
ERASE_EVENTS = statement(
    "signals.erase_events",
    """DELETE FROM signals_event WHERE (feed, event_id) IN
        (SELECT feed, event_id FROM signals_event
            WHERE feed IN (SELECT name FROM signals_feed WHERE client = :client) LIMIT :most)
    RETURNING feed""",
)
ERASE_DEAD_LETTERS = statement(
    "signals.erase_dead_letters",
    """DELETE FROM signals_dead_letter WHERE client = :client AND id IN
        (SELECT id FROM signals_dead_letter WHERE client = :client LIMIT :most)
    RETURNING id""",
)
ERASE_OF_CLIENT: Final = (ERASE_EVENTS, ERASE_DEAD_LETTERS)
