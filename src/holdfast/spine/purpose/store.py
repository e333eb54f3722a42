"""SQL of contacts. Statements on ``keyring_…`` tables run against the keys store, all others against ``data``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdfast.kit.db import statement
from holdfast.spine.purpose.contact import Contact
from holdfast.spine.purpose.provisional import Provisional

if TYPE_CHECKING:
    from holdfast.kit.db import Query, Row

_PRESENCE: Final = ("voice_key", "voice_client", "voice_contact", "logout_us")
_JOINED: Final = (*_PRESENCE, "basis", "until_us")
OWN: Final = tuple(name for name in Contact._fields if name not in _JOINED)
_KEY: Final = ("client", "ref")
_LIST: Final = ", ".join(OWN)
_FROM_C: Final = ", ".join(f"c.{name}" for name in OWN)
_OWN_WORD: Final = tuple(name for name in Provisional._fields if name not in _PRESENCE)
_WORD: Final = ", ".join(_OWN_WORD)
_FROM_V: Final = ", ".join(f"v.{name}" for name in _OWN_WORD)

# ── the contact of a look ───────────────────────────────────────────────────────────────────────────────────────
CONTACT = statement(
    "purpose.contact",
    f"""SELECT {_FROM_C}, COALESCE(p.voice_key, ''), COALESCE(p.voice_client, ''), COALESCE(p.voice_contact, ''),
        COALESCE(p.logout_us, 0)
    FROM purpose_contact c LEFT JOIN purpose_presence p ON p.person = c.person
    WHERE c.client = :client AND c.ref = :ref""",
    lock="FOR NO KEY UPDATE OF c",
)
# across clients: the contacts that one person has now, whoever's they are
CONTACTS_OF_PERSON = statement(
    "purpose.contacts_of_person",
    f"""SELECT {_FROM_C}, COALESCE(p.voice_key, ''), COALESCE(p.voice_client, ''), COALESCE(p.voice_contact, ''),
        COALESCE(p.logout_us, 0)
    FROM purpose_contact c LEFT JOIN purpose_presence p ON p.person = c.person
    WHERE c.person = :person AND c.last_event_us > :since_us ORDER BY c.last_event_us DESC, c.ref LIMIT :limit""",
)
BIND = statement(
    "purpose.bind",
    """UPDATE purpose_contact
    SET customer = :customer, bound_how = 'verified', bound_us = :at_us, version = version + 1
    WHERE client = :client AND ref = :ref AND version = :version AND customer = '' RETURNING version""",
)
REBIND = statement(
    "purpose.rebind",
    """UPDATE purpose_contact
    SET customer = :customer, bound_how = 'rebound', bound_us = :at_us, rebinds = rebinds + 1, version = version + 1
    WHERE client = :client AND ref = :ref AND version = :version AND rebinds < :most
        AND customer <> '' AND customer <> :customer RETURNING version""",
)
SET_REASON = statement(
    "purpose.set_reason",
    """UPDATE purpose_contact
    SET chosen_reason = :reason, chosen_over = feed_reason, chosen_queue = queue,
        reason_changes = reason_changes + 1, version = version + 1
    WHERE client = :client AND ref = :ref AND version = :version AND reason_changes < :most RETURNING version""",
)

# ── what this contact's searches asked and found ────────────────────────────────────────────────────────────────
ADD_CANDIDATE = statement(
    "purpose.add_candidate",
    """INSERT INTO purpose_candidate (client, contact, customer, at_us)
    VALUES (:client, :contact, :customer, :at_us) ON CONFLICT (client, contact, customer) DO NOTHING""",
)
CANDIDATES = statement(
    "purpose.candidates",
    """SELECT customer FROM purpose_candidate WHERE client = :client AND contact = :contact
    ORDER BY at_us, customer""",
)
# Answers one row when the value may be searched (a repeated value always may), none when the limit is reached. On
# PostgreSQL the person's budget row, locked by the load round, keeps two searches of one contact apart.
ADD_SEARCH_VALUE = statement(
    "purpose.add_search_value",
    """INSERT INTO purpose_search_value (client, contact, value_mac, at_us)
    SELECT :client, :contact, :value_mac, :at_us
    WHERE (SELECT COUNT(*) FROM purpose_search_value
            WHERE client = :client AND contact = :contact AND value_mac <> :value_mac) < :most
        OR EXISTS (SELECT 1 FROM purpose_search_value
            WHERE client = :client AND contact = :contact AND value_mac = :value_mac)
    ON CONFLICT (client, contact, value_mac) DO UPDATE SET at_us = purpose_search_value.at_us
    RETURNING value_mac""",
)
SEARCH_VALUES = statement(
    "purpose.search_values",
    "SELECT value_mac FROM purpose_search_value WHERE client = :client AND contact = :contact",
)

# ── the feed's own id of a contact stands only in the keys store ────────────────────────────────────────────────
CONTACT_REF = statement(
    "purpose.contact_ref",
    "SELECT ref FROM keyring_contact WHERE client = :client AND external = :external",
)
# across clients: an agent who changes a reason names the contact alone; which client's it is, its person tells
CONTACT_REFS_ANYWHERE = statement(
    "purpose.contact_refs_anywhere",
    "SELECT client, ref FROM keyring_contact WHERE external = :external ORDER BY client LIMIT 50",
)
CONTACT_REFS = statement(
    "purpose.contact_refs",
    "SELECT external, ref FROM keyring_contact WHERE client = :client AND external IN (:externals*)",
)
ADD_CONTACT_REF = statement(
    "purpose.add_contact_ref",
    """INSERT INTO keyring_contact (client, external, ref) VALUES (:client, :external, :ref)
    ON CONFLICT (client, external) DO NOTHING""",
)

# ── intake ──────────────────────────────────────────────────────────────────────────────────────────────────────
CONTACTS = statement(
    "purpose.contacts",
    f"SELECT {_LIST} FROM purpose_contact WHERE client = :client AND ref IN (:refs*) ORDER BY ref",
    lock="FOR NO KEY UPDATE",  # two batches about one contact come one after the other
)
ADD_CONTACT = statement(
    "purpose.add_contact",
    f"""INSERT INTO purpose_contact ({_LIST}) VALUES ({", ".join(f":{name}" for name in OWN)})
    ON CONFLICT (client, ref) DO NOTHING RETURNING version""",
)
CHANGE_CONTACT = statement(
    "purpose.change_contact",
    f"""UPDATE purpose_contact SET {", ".join(f"{name} = :{name}" for name in OWN if name not in _KEY)}
    WHERE client = :client AND ref = :ref AND version = :version - 1 RETURNING version""",
)
PUT_VOICE = statement(
    "purpose.put_voice",
    """INSERT INTO purpose_presence (person, voice_key, voice_client, voice_contact, logout_us, login_us, site)
    VALUES (:person, :voice_key, :voice_client, :voice_contact, 0, 0, '')
    ON CONFLICT (person) DO UPDATE SET voice_key = excluded.voice_key, voice_client = excluded.voice_client,
        voice_contact = excluded.voice_contact
    WHERE excluded.voice_key > purpose_presence.voice_key""",
)
PUT_LOGOUT = statement(
    "purpose.put_logout",
    """INSERT INTO purpose_presence (person, voice_key, voice_client, voice_contact, logout_us, login_us, site)
    VALUES (:person, '', '', '', :logout_us, 0, '')
    ON CONFLICT (person) DO UPDATE SET logout_us = excluded.logout_us
    WHERE excluded.logout_us > purpose_presence.logout_us""",
)
PUT_LOGIN = statement(
    "purpose.put_login",
    """INSERT INTO purpose_presence (person, voice_key, voice_client, voice_contact, logout_us, login_us, site)
    VALUES (:person, '', '', '', 0, :login_us, :site)
    ON CONFLICT (person) DO UPDATE SET login_us = excluded.login_us, site = excluded.site
    WHERE excluded.login_us > purpose_presence.login_us""",
)
PRESENCE = statement(
    "purpose.presence",
    "SELECT login_us, logout_us, site FROM purpose_presence WHERE person = :person",
)

# ── contacts on a person's word ─────────────────────────────────────────────────────────────────────────────────
PROVISIONAL = statement(
    "purpose.provisional",
    f"""SELECT {_FROM_V}, COALESCE(p.voice_key, ''), COALESCE(p.voice_client, ''), COALESCE(p.voice_contact, ''),
        COALESCE(p.logout_us, 0)
    FROM purpose_provisional v LEFT JOIN purpose_presence p ON p.person = v.person
    WHERE v.client = :client AND v.contact = :contact AND v.person = :person AND v.state = 'open'
    ORDER BY v.opened_us DESC, v.id DESC LIMIT 1""",
)
# across clients: one that no feed confirmed suspends its person's privilege everywhere
PROVISIONALS_OF_PERSON = statement(
    "purpose.provisionals_of_person",
    f"""SELECT {_WORD} FROM purpose_provisional
    WHERE person = :person AND (state IN ('open', 'unreconciled') OR opened_us > :since_us)
    ORDER BY opened_us DESC, id DESC LIMIT 100""",
)
# A row comes back when no other waits or was left unconfirmed, and the shift has some left.
# across clients: a person has one at a time, wherever it is
OPEN_PROVISIONAL = statement(
    "purpose.open_provisional",
    f"""INSERT INTO purpose_provisional ({_WORD})
    SELECT {", ".join(f":{name}" for name in _OWN_WORD)}
    WHERE NOT EXISTS (SELECT 1 FROM purpose_provisional
            WHERE person = :person AND basis = 'provisional' AND state IN ('open', 'unreconciled'))
        AND (SELECT COUNT(*) FROM purpose_provisional
            WHERE person = :person AND basis = 'provisional' AND opened_us > :since_us) < :most
    RETURNING id""",
)
# A row comes back while the outage stands and the person's privilege is not suspended.
# across clients: the privilege is the person's
OPEN_IN_OUTAGE = statement(
    "purpose.open_in_outage",
    f"""INSERT INTO purpose_provisional ({_WORD})
    SELECT {", ".join(f":{name}" for name in _OWN_WORD)}
    WHERE EXISTS (SELECT 1 FROM purpose_outage
            WHERE client = :client AND id = :outage AND ended_us = 0 AND until_us > :opened_us)
        AND NOT EXISTS (SELECT 1 FROM purpose_provisional
            WHERE person = :person AND basis = 'provisional' AND state = 'unreconciled')
    RETURNING id""",
)
# across clients: a person works on one contact of their own word at a time
CLOSE_OTHERS = statement(
    "purpose.close_others",
    """UPDATE purpose_provisional SET until_us = :now_us
    WHERE person = :person AND id <> :id AND state = 'open' AND until_us > :now_us""",
)
# A row comes back when this is its one customer, now or before.
NAME_CUSTOMER = statement(
    "purpose.name_customer",
    """UPDATE purpose_provisional SET customer = :customer,
        customer_at_us = CASE WHEN customer_at_us = 0 THEN :at_us ELSE customer_at_us END
    WHERE client = :client AND id = :id AND state = 'open' AND customer IN ('', :customer) RETURNING id""",
)
MARK_VERIFIED = statement(
    "purpose.mark_verified",
    """UPDATE purpose_provisional SET verified_us = :at_us
    WHERE client = :client AND id = :id AND state = 'open' AND customer = :customer AND verified_us = 0
    RETURNING id""",
)
OPEN_ON_WORD = statement(
    "purpose.open_on_word",
    f"""SELECT {_WORD} FROM purpose_provisional
    WHERE client = :client AND contact IN (:contacts*) AND state = 'open' ORDER BY opened_us, id""",
)
# Whoever settles it first settles it: it never ends both ways.
SETTLE = statement(
    "purpose.settle",
    """UPDATE purpose_provisional SET state = :state, settled_us = :now_us
    WHERE client = :client AND id = :id AND state = 'open' RETURNING id""",
)
# across clients: the worker settles what is overdue for every client
OVERDUE = statement(
    "purpose.overdue",
    f"""SELECT {_WORD} FROM purpose_provisional
    WHERE state = 'open' AND basis = 'provisional'
        AND CASE WHEN customer_at_us > 0 THEN customer_at_us ELSE opened_us END < :before_us
    ORDER BY opened_us, id LIMIT :limit""",
)
# across clients: an id says itself whose it is
PROVISIONAL_BY_ID = statement(
    "purpose.provisional_by_id",
    f"SELECT {_WORD} FROM purpose_provisional WHERE id = :id",
)
# across clients: the list for those who look at them
PROVISIONALS = statement(
    "purpose.provisionals",
    f"""SELECT {_WORD} FROM purpose_provisional
    WHERE (:client = '' OR client = :client) AND (:all = 1 OR state IN ('open', 'unreconciled'))
    ORDER BY opened_us DESC, id DESC LIMIT :limit""",
)
CLEAR = statement(
    "purpose.clear",
    """UPDATE purpose_provisional SET state = 'cleared', settled_us = :now_us
    WHERE client = :client AND id = :id AND state = 'unreconciled' RETURNING id""",
)
# across clients: what nobody waits for any more is forgotten for every client
CLEAR_ON_WORD = statement(
    "purpose.clear_on_word",
    """DELETE FROM purpose_provisional WHERE id IN
        (SELECT id FROM purpose_provisional WHERE opened_us < :before
            AND (state IN ('reconciled', 'cleared') OR basis = 'outage') LIMIT :most)
    RETURNING id""",
)
# across clients: no contact lasts that long, and no feed says anything of one any more
CLEAR_CONTACTS = statement(
    "purpose.clear_contacts",
    """DELETE FROM purpose_contact WHERE (client, ref) IN
        (SELECT client, ref FROM purpose_contact WHERE last_event_us < :before LIMIT :most)
    RETURNING client""",
)
# across clients: as above
CLEAR_CANDIDATES = statement(
    "purpose.clear_candidates",
    """DELETE FROM purpose_candidate WHERE (client, contact, customer) IN
        (SELECT client, contact, customer FROM purpose_candidate WHERE at_us < :before LIMIT :most)
    RETURNING client""",
)
# across clients: as above
CLEAR_SEARCH_VALUES = statement(
    "purpose.clear_search_values",
    """DELETE FROM purpose_search_value WHERE (client, contact, value_mac) IN
        (SELECT client, contact, value_mac FROM purpose_search_value WHERE at_us < :before LIMIT :most)
    RETURNING client""",
)
# across clients: outages that are over and told
CLEAR_OUTAGES = statement(
    "purpose.clear_outages",
    """DELETE FROM purpose_outage WHERE id IN
        (SELECT id FROM purpose_outage WHERE until_us < :before AND ended_us > 0 LIMIT :most)
    RETURNING id""",
)
# across clients: the names that feeds gave to contacts which are forgotten, page by page
CONTACT_NAMES = statement(
    "purpose.contact_names",
    """SELECT client, external, ref FROM keyring_contact
    WHERE client > :client OR (client = :client AND external > :external)
    ORDER BY client, external LIMIT :most""",
)
KNOWN_CONTACTS = statement(
    "purpose.known_contacts",
    "SELECT ref FROM purpose_contact WHERE client = :client AND ref IN (:refs*)",
)
KNOWN_ON_WORD = statement(
    "purpose.known_on_word",
    "SELECT contact FROM purpose_provisional WHERE client = :client AND contact IN (:refs*)",
)
DROP_CONTACT_NAME = statement(
    "purpose.drop_contact_name",
    "DELETE FROM keyring_contact WHERE client = :client AND external = :external",
)

# ── declared outages ────────────────────────────────────────────────────────────────────────────────────────────
DECLARE_OUTAGE = statement(
    "purpose.declare_outage",
    """INSERT INTO purpose_outage (id, client, reason, declared_us, until_us, ended_us)
    SELECT :id, :client, :reason, :now_us, :until_us, 0
    WHERE NOT EXISTS (SELECT 1 FROM purpose_outage WHERE client = :client AND ended_us = 0 AND until_us > :now_us)
    RETURNING id""",
)
OUTAGE = statement(
    "purpose.outage",
    """SELECT id, client, reason, declared_us, until_us, ended_us FROM purpose_outage
    WHERE client = :client AND ended_us = 0 AND until_us > :now_us ORDER BY declared_us DESC LIMIT 1""",
)
# across clients: the list for those who declare them
OUTAGES = statement(
    "purpose.outages",
    """SELECT id, client, reason, declared_us, until_us, ended_us FROM purpose_outage
    WHERE :client = '' OR client = :client ORDER BY declared_us DESC, id DESC LIMIT :limit""",
)
# across clients: the worker tells each client that its outage is over
OUTAGES_OVER = statement(
    "purpose.outages_over",
    """SELECT id, client, reason, declared_us, until_us, ended_us FROM purpose_outage
    WHERE ended_us = 0 AND until_us < :before_us ORDER BY until_us LIMIT :limit""",
)
END_OUTAGE = statement(
    "purpose.end_outage",
    """UPDATE purpose_outage SET ended_us = :now_us
    WHERE client = :client AND id = :id AND ended_us = 0 RETURNING id""",
)
CLOSE_IN_OUTAGE = statement(
    "purpose.close_in_outage",
    """UPDATE purpose_provisional SET until_us = :now_us
    WHERE client = :client AND outage = :outage AND until_us > :now_us""",
)
COUNT_IN_OUTAGE = statement(
    "purpose.count_in_outage",
    """SELECT state, COUNT(*) FROM purpose_provisional
    WHERE client = :client AND outage = :outage GROUP BY state""",
)

END_CLIENT_CONTACTS = statement(
    "purpose.end_client_contacts",
    """UPDATE purpose_contact SET ended_us = 1, version = version + 1
    WHERE client = :client AND ended_us = 0""",
)

# ── a client that is erased ─────────────────────────────────────────────────────────────────────────────────────
ERASE_CONTACTS = statement(
    "purpose.erase_contacts",
    """DELETE FROM purpose_contact WHERE client = :client AND ref IN
        (SELECT ref FROM purpose_contact WHERE client = :client LIMIT :most)
    RETURNING ref""",
)
ERASE_CANDIDATES = statement(
    "purpose.erase_candidates",
    """DELETE FROM purpose_candidate WHERE client = :client AND (contact, customer) IN
        (SELECT contact, customer FROM purpose_candidate WHERE client = :client LIMIT :most)
    RETURNING contact""",
)
ERASE_SEARCH_VALUES = statement(
    "purpose.erase_search_values",
    """DELETE FROM purpose_search_value WHERE client = :client AND (contact, value_mac) IN
        (SELECT contact, value_mac FROM purpose_search_value WHERE client = :client LIMIT :most)
    RETURNING contact""",
)
# What nobody confirmed stays: it suspends its person's privilege until a lead has cleared it. It names nobody any more.
CUT_ON_WORD = statement(
    "purpose.cut_on_word",
    """UPDATE purpose_provisional SET customer = ''
    WHERE client = :client AND customer <> '' AND id IN
        (SELECT id FROM purpose_provisional WHERE client = :client AND customer <> '' LIMIT :most)
    RETURNING id""",
)
CUT_VOICE = statement(
    "purpose.cut_voice",
    """UPDATE purpose_presence SET voice_client = '', voice_contact = ''
    WHERE voice_client = :client AND person IN
        (SELECT person FROM purpose_presence WHERE voice_client = :client LIMIT :most)
    RETURNING person""",
)
ERASE_OF_CLIENT: Final = (
    ERASE_CONTACTS,
    ERASE_CANDIDATES,
    ERASE_SEARCH_VALUES,
    CUT_ON_WORD,
    CUT_VOICE,
)


def stored_contact(row: Row) -> Contact:
    """Read one row of :data:`CONTACTS`."""
    return Contact(*row)


def word_row(given: Provisional) -> dict[str, object]:
    """Return the columns of a contact on a person's word, for :data:`OPEN_PROVISIONAL` and :data:`OPEN_IN_OUTAGE`."""
    return dict(zip(_OWN_WORD, given, strict=False))


def put_contact(contact: Contact) -> Query:
    """Return the write of ``contact`` with its next version; it answers no row if somebody else wrote in between."""
    values = dict(zip(OWN, contact, strict=False))
    values["version"] = contact.version + 1
    return (CHANGE_CONTACT if contact.version else ADD_CONTACT)(**values)
