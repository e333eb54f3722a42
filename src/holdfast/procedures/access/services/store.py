"""SQL of the list of people (portable subset; see ``holdfast.kit.db``)."""

from __future__ import annotations

from holdfast.kit.db import statement

_MEMBER = "p.id, p.staff_id, p.employer, p.label, p.state, p.roles, p.os_user, p.created_us, p.lead"
# ``mine`` is 0 for who sees everybody, else 1: agents and leads of the clients that one works for oneself.
_WANTED = """FROM identity_person p
    WHERE (:state = '' OR p.state = :state) AND (:employer = '' OR p.employer = :employer)
        AND (:role = '' OR ',' || p.roles || ',' LIKE '%,' || :role || ',%')
        AND (:text = '' OR p.staff_id LIKE :like OR p.staff_id LIKE :upper OR p.label LIKE :like)
        AND (:client = '' OR EXISTS (SELECT 1 FROM identity_assignment a WHERE a.person = p.id
            AND a.client = :client AND (a.ends_us IS NULL OR a.ends_us > :now)))
        AND (:mine = 0 OR (p.roles IN ('agent', 'agent,lead', 'lead')
            AND EXISTS (SELECT 1 FROM identity_assignment a WHERE a.person = p.id
                AND a.client IN (:clients*) AND a.starts_us <= :now AND (a.ends_us IS NULL OR a.ends_us > :now))))"""

# across clients: the list of people, for those who may see them
ROSTER = statement(
    "access.roster",
    f"""SELECT {_MEMBER} {_WANTED}
        AND (:after = '' OR (p.staff_id, p.id) > (:after, :after_id))
    ORDER BY p.staff_id, p.id LIMIT :limit""",
)
# across clients: the same, who joined last first
ROSTER_NEWEST = statement(
    "access.roster_newest",
    f"""SELECT {_MEMBER} {_WANTED} AND (:after_id = '' OR p.id < :after_id)
    ORDER BY p.id DESC LIMIT :limit""",
)
# How many factors of each kind a person signs in by; the table is that of the library which keeps them.
FACTORS = statement(
    "access.factors",
    "SELECT type, COUNT(*) FROM mfa_authenticator WHERE user_id = :person GROUP BY type ORDER BY type",
)
