"""SQL of contacts. Statements on ``keyring_…`` tables run against the keys store, all others against ``data``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdfast.kit.db import statement
from holdfast.spine.purpose.contact import Contact

if TYPE_CHECKING:
    from holdfast.kit.db import Query, Row

_JOINED: Final = ("voice_key", "voice_client", "voice_contact", "logout_us")
OWN: Final = tuple(name for name in Contact._fields if name not in _JOINED)
_KEY: Final = ("client", "ref")
_LIST: Final = ", ".join(OWN)
_FROM_C: Final = ", ".join(f"c.{name}" for name in OWN)

# ── the contact of a look ───────────────────────────────────────────────────────────────────────────────────────
CONTACT = statement(
    "purpose.contact",
    f"""SELECT {_FROM_C}, COALESCE(p.voice_key, ''), COALESCE(p.voice_client, ''), COALESCE(p.voice_contact, ''),
        COALESCE(p.logout_us, 0)
    FROM purpose_contact c LEFT JOIN purpose_presence p ON p.person = c.person
    WHERE c.client = :client AND c.ref = :ref""",
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
    f"SELECT {_LIST} FROM purpose_contact WHERE client = :client AND ref IN (:refs*)",
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
    """INSERT INTO purpose_presence (person, voice_key, voice_client, voice_contact, logout_us)
    VALUES (:person, :voice_key, :voice_client, :voice_contact, 0)
    ON CONFLICT (person) DO UPDATE SET voice_key = excluded.voice_key, voice_client = excluded.voice_client,
        voice_contact = excluded.voice_contact
    WHERE excluded.voice_key > purpose_presence.voice_key""",
)
PUT_LOGOUT = statement(
    "purpose.put_logout",
    """INSERT INTO purpose_presence (person, voice_key, voice_client, voice_contact, logout_us)
    VALUES (:person, '', '', '', :logout_us)
    ON CONFLICT (person) DO UPDATE SET logout_us = excluded.logout_us
    WHERE excluded.logout_us > purpose_presence.logout_us""",
)


def stored_contact(row: Row) -> Contact:
    """Read one row of :data:`CONTACTS`."""
    return Contact(*row)


def put_contact(contact: Contact) -> Query:
    """Return the write of ``contact`` with its next version; it answers no row if somebody else wrote in between."""
    values = dict(zip(OWN, contact, strict=False))
    values["version"] = contact.version + 1
    return (CHANGE_CONTACT if contact.version else ADD_CONTACT)(**values)
