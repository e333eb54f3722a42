"""All SQL about people and credentials (portable subset; see ``holdfast.kit.db``)."""

from __future__ import annotations

from holdfast.kit.db import statement

# ── employers and persons ───────────────────────────────────────────────────────────────────────────────────

ADD_EMPLOYER = statement(
    "identity.add_employer",
    """INSERT INTO identity_employer (id, name) VALUES (:id, :name)
       ON CONFLICT (id) DO NOTHING RETURNING id""",
)
EMPLOYER = statement("identity.employer", "SELECT id, name FROM identity_employer WHERE id = :id")
EMPLOYERS = statement("identity.employers", "SELECT id, name FROM identity_employer ORDER BY id")

# No row comes back when the staff id (of this employer) or the operating-system user is taken.
ADD_PERSON = statement(
    "identity.add_person",
    """INSERT INTO identity_person
         (id, password, last_login, staff_id, employer, label, state, roles, os_user, created_us)
       VALUES (:id, '!', NULL, :staff_id, :employer, :label, 'active', :roles, :os_user, :created_us)
       ON CONFLICT DO NOTHING RETURNING id""",
)
PERSON = statement(
    "identity.person",
    """SELECT id, staff_id, employer, label, state, roles, os_user, created_us, lead
       FROM identity_person WHERE id = :id""",
)
PERSONS_BY_STAFF = statement(
    "identity.persons_by_staff",
    """SELECT id, staff_id, employer, label, state, roles, os_user, created_us, lead
       FROM identity_person WHERE staff_id = :staff_id ORDER BY id LIMIT 20""",
)
PERSON_BY_OS_USER = statement(
    "identity.person_by_os_user",
    """SELECT id, staff_id, employer, label, state, roles, os_user, created_us, lead
       FROM identity_person WHERE os_user = :os_user""",
)
PERSONS = statement(
    "identity.persons",
    """SELECT id, staff_id, employer, label, state, roles, os_user, created_us, lead
       FROM identity_person WHERE id > :after ORDER BY id LIMIT :limit""",
)
# A row comes back when the state was indeed ``was``: two who act at once do not undo each other.
SET_STATE = statement(
    "identity.set_state",
    """UPDATE identity_person SET state = :state
       WHERE id = :person AND state = :was RETURNING id""",
)
SET_ROLES = statement(
    "identity.set_roles",
    """UPDATE identity_person SET roles = :roles
       WHERE id = :person AND state <> 'left' RETURNING id""",
)
SET_LEAD = statement(
    "identity.set_lead",
    """UPDATE identity_person SET lead = :lead
       WHERE id = :person AND state <> 'left' RETURNING id""",
)
# The chain of leads above a person; a circle, which nothing should have made, ends at the depth.
LEADS = statement(
    "identity.leads",
    """WITH RECURSIVE chain (person, depth) AS (
         SELECT lead, 1 FROM identity_person WHERE id = :person
         UNION
         SELECT p.lead, c.depth + 1 FROM identity_person p JOIN chain c ON p.id = c.person
         WHERE c.depth < :most)
       SELECT DISTINCT person FROM chain WHERE person IS NOT NULL""",
)
OTHER_ADMINS = statement(
    "identity.other_admins",
    """SELECT COUNT(*) FROM identity_person
       WHERE id <> :person AND state = 'active' AND ',' || roles || ',' LIKE '%,admin,%'""",
)
UNBIND_OS_USER = statement(
    "identity.unbind_os_user", "UPDATE identity_person SET os_user = NULL WHERE id = :person"
)

SET_LABEL = statement(
    "identity.set_label",
    """UPDATE identity_person SET label = :label
       WHERE id = :person AND state <> 'left' RETURNING id""",
)

# ── what an employer's directory says ────────────────────────────────────────────────────────────────────────

DIRECTORY = statement(
    "identity.directory",
    """SELECT p.id, p.staff_id, p.label, p.state, p.created_us,
              COALESCE(d.external_id, ''), CASE WHEN d.person IS NULL THEN 1 ELSE d.active END,
              COALESCE(d.held, 0), COALESCE(d.changed_us, p.created_us)
       FROM identity_person p LEFT JOIN identity_directory d ON d.person = p.id
       WHERE p.employer = :employer AND d.removed_us IS NULL
         AND (:person = '' OR p.id = :person) AND (:staff_id = '' OR p.staff_id = :staff_id)
       ORDER BY p.id LIMIT :limit""",
)
KEEP_DIRECTORY = statement(
    "identity.keep_directory",
    """INSERT INTO identity_directory (person, external_id, active, held, changed_us, removed_us)
       VALUES (:person, :external_id, :active, :held, :now, :removed_us)
       ON CONFLICT (person) DO UPDATE SET external_id = :external_id, active = :active, held = :held,
         changed_us = :now, removed_us = :removed_us""",
)
# A row comes back when it was the directory that suspended the person: from here on it is the house.
TAKE_OVER = statement(
    "identity.take_over",
    """UPDATE identity_directory SET held = 0 WHERE person = :person AND held = 1 RETURNING person""",
)
# Whoever restores a person overrules the directory, until it says so again.
OVERRULE_DIRECTORY = statement(
    "identity.overrule_directory",
    """UPDATE identity_directory SET active = 1, held = 0 WHERE person = :person AND active = 0""",
)

# ── who left, and what is to be taken back from them ────────────────────────────────────────────────────────

ADD_DEPARTURE = statement(
    "identity.add_departure",
    """INSERT INTO identity_departure (person, left_us, badge_us, badge_by)
       VALUES (:person, :now, NULL, '') ON CONFLICT (person) DO NOTHING""",
)
BADGES_OUT = statement(
    "identity.badges_out",
    """SELECT p.id, p.staff_id, p.employer, p.label, d.left_us
       FROM identity_departure d JOIN identity_person p ON p.id = d.person
       WHERE d.badge_us IS NULL ORDER BY d.left_us, p.id LIMIT :limit""",
)
BADGE_BACK = statement(
    "identity.badge_back",
    """UPDATE identity_departure SET badge_us = :now, badge_by = :by
       WHERE person = :person AND badge_us IS NULL RETURNING person""",
)

# ── assignments ─────────────────────────────────────────────────────────────────────────────────────────────

ADD_ASSIGNMENT = statement(
    "identity.add_assignment",
    """INSERT INTO identity_assignment
         (id, person, client, programme, queues, roles, starts_us, ends_us)
       VALUES (:id, :person, :client, :programme, :queues, :roles, :starts_us, :ends_us)""",
)
ASSIGNMENTS = statement(
    "identity.assignments",
    """SELECT id, client, programme, queues, roles, starts_us, ends_us
       FROM identity_assignment WHERE person = :person AND client = :client ORDER BY id""",
)
# One person's requests at one client come one after the other: what they use of their budgets adds up (SPINE 5).
OWN_ASSIGNMENTS = ASSIGNMENTS.locking("FOR NO KEY UPDATE")
# across clients: what one person works on; it is the person's row, not the client's
ASSIGNMENTS_OF_PERSON = statement(
    "identity.assignments_of_person",
    """SELECT id, client, programme, queues, roles, starts_us, ends_us
       FROM identity_assignment WHERE person = :person ORDER BY id""",
)
# across clients: the list of persons shows each with all that they work on
ASSIGNMENTS_OF_PERSONS = statement(
    "identity.assignments_of_persons",
    """SELECT person, id, client, programme, queues, roles, starts_us, ends_us
       FROM identity_assignment WHERE person IN (:persons*) AND (ends_us IS NULL OR ends_us > :now)
       ORDER BY id""",
)
END_ASSIGNMENTS = statement(
    "identity.end_assignments",
    """UPDATE identity_assignment SET ends_us = :now
       WHERE person = :person AND client = :client AND programme = :programme
         AND (ends_us IS NULL OR ends_us > :now)
       RETURNING id""",
)
# across clients: who leaves, leaves everywhere
END_ALL_ASSIGNMENTS = statement(
    "identity.end_all_assignments",
    """UPDATE identity_assignment SET ends_us = :now
       WHERE person = :person AND (ends_us IS NULL OR ends_us > :now) RETURNING client""",
)

END_CLIENT_ASSIGNMENTS = statement(
    "identity.end_client_assignments",
    """UPDATE identity_assignment SET ends_us = :now
       WHERE client = :client AND (ends_us IS NULL OR ends_us > :now)""",
)

# ── credentials ─────────────────────────────────────────────────────────────────────────────────────────────

# across clients: a credential is found by its secret, and says itself which client it is good for
ADD_CREDENTIAL = statement(
    "identity.add_credential",
    """INSERT INTO identity_credential
         (id, kind, person, service, scope, secret_hash, level, networks, device, client, challenge,
          contact, jkt, x5t, via, issued_by, created_us, expires_us, revoked_us)
       VALUES (:id, :kind, :person, :service, :scope, :secret_hash, :level, :networks, :device, :client,
          :challenge, :contact, :jkt, :x5t, :via, :issued_by, :created_us, :expires_us, NULL)""",
)
# across clients: a credential is found by its secret, and says itself which client it is good for
CREDENTIAL = statement(
    "identity.credential",
    """SELECT c.id, c.kind, c.person, c.service, c.scope, c.level, c.networks, c.device, c.client,
              c.challenge, c.contact, c.expires_us, c.revoked_us, p.state, p.employer, p.roles,
              c.jkt, c.x5t, c.via, c.issued_by
       FROM identity_credential c LEFT JOIN identity_person p ON p.id = c.person
       WHERE c.secret_hash = :secret_hash""",
)
# across clients: one credential by its id, for those who administer credentials
CREDENTIAL_BY_ID = statement(
    "identity.credential_by_id",
    """SELECT id, kind, person, service, scope, level, networks, device, client, created_us,
              expires_us, revoked_us, jkt, x5t, via
       FROM identity_credential WHERE id = :id""",
)
# across clients: the list of credentials, for those who administer them
CREDENTIALS = statement(
    "identity.credentials",
    """SELECT c.id, c.kind, c.person, c.service, c.scope, c.level, c.networks, c.device, c.client,
              c.created_us, c.expires_us, c.revoked_us, c.jkt, c.x5t, c.via, p.employer, p.staff_id
       FROM identity_credential c LEFT JOIN identity_person p ON p.id = c.person
       WHERE c.id > :after AND (:person = '' OR c.person = :person) AND (:service = '' OR c.service = :service)
         AND (:all = 1 OR (c.revoked_us IS NULL AND c.expires_us > :now))
       ORDER BY c.id LIMIT :limit""",
)
# across clients: a revoked credential is revoked everywhere
REVOKE = statement(
    "identity.revoke",
    """UPDATE identity_credential SET revoked_us = :now
       WHERE id = :id AND revoked_us IS NULL RETURNING id""",
)
# across clients: who leaves, leaves everywhere
REVOKE_ALL = statement(
    "identity.revoke_all",
    """UPDATE identity_credential SET revoked_us = :now
       WHERE person = :person AND revoked_us IS NULL AND expires_us > :now RETURNING id""",
)

# ── sessions of the console ──────────────────────────────────────────────────────────────────────────────────

ADD_SESSION = statement(
    "identity.add_session",
    """INSERT INTO identity_session
         (id, secret_hash, person, method, factor, seen_by, peer, agent, created_us, seen_us, expires_us, ends_us,
          revoked_us, lifted_level, lifted_client, lifted_contact, lifted_challenge, lifted_until_us)
       VALUES (:id, :secret_hash, :person, :method, :factor, :seen_by, :peer, :agent, :now, :now, :expires_us, :ends_us,
          NULL, 0, '', '', '', 0)""",
)
# A session as a CREDENTIAL row, then how its person signed in and what they confirmed last.
# across clients: a session is found by its cookie, and is good for whatever its person works for
SESSION = statement(
    "identity.session",
    """SELECT s.id, 'token', s.person, '', '', 1, '', '', '', '', '', s.expires_us, s.revoked_us,
              p.state, p.employer, p.roles, '', '', '', s.seen_by,
              s.method, s.lifted_level, s.lifted_client, s.lifted_contact, s.lifted_challenge, s.lifted_until_us
       FROM identity_session s JOIN identity_person p ON p.id = s.person
       WHERE s.secret_hash = :secret_hash""",
)
SIGNED_IN = statement(
    "identity.signed_in",
    """SELECT s.id, s.person, s.method, s.factor, s.seen_by, s.peer, s.agent, s.created_us, s.seen_us, s.expires_us,
              s.ends_us, p.staff_id, p.employer, p.label, p.state, p.roles
       FROM identity_session s JOIN identity_person p ON p.id = s.person
       WHERE s.secret_hash = :secret_hash AND s.revoked_us IS NULL AND s.expires_us > :now""",
)
SESSIONS = statement(
    "identity.sessions",
    """SELECT s.id, s.person, s.method, s.factor, s.seen_by, s.peer, s.agent, s.created_us, s.seen_us, s.expires_us,
              s.ends_us, p.staff_id, p.employer, p.label, p.state, p.roles
       FROM identity_session s JOIN identity_person p ON p.id = s.person
       WHERE (:person = '' OR s.person = :person) AND s.revoked_us IS NULL AND s.expires_us > :now
       ORDER BY s.seen_us DESC, s.id LIMIT :limit""",
)
SESSION_BY_ID = statement(
    "identity.session_by_id",
    "SELECT person, expires_us, revoked_us FROM identity_session WHERE id = :id",
)
KEEP_SESSION = statement(
    "identity.keep_session",
    """UPDATE identity_session SET seen_us = :now,
              expires_us = CASE WHEN :until_us < ends_us THEN :until_us ELSE ends_us END
       WHERE id = :id AND revoked_us IS NULL AND expires_us > :now RETURNING expires_us""",
)
LIFT_SESSION = statement(
    "identity.lift_session",
    """UPDATE identity_session SET lifted_level = :level, lifted_client = :client, lifted_contact = :contact,
              lifted_challenge = :challenge, lifted_until_us = :until_us
       WHERE id = :id AND revoked_us IS NULL AND expires_us > :now RETURNING id""",
)
END_SESSION = statement(
    "identity.end_session",
    """UPDATE identity_session SET revoked_us = :now
       WHERE id = :id AND revoked_us IS NULL AND expires_us > :now RETURNING person""",
)
END_SESSIONS = statement(
    "identity.end_sessions",
    """UPDATE identity_session SET revoked_us = :now
       WHERE person = :person AND id <> :but AND revoked_us IS NULL AND expires_us > :now RETURNING id""",
)
CLEAR_SESSIONS = statement(
    "identity.clear_sessions",
    """DELETE FROM identity_session WHERE id IN
        (SELECT id FROM identity_session WHERE expires_us < :before LIMIT :most)
    RETURNING id""",
)

# ── links by which a first factor is enrolled ────────────────────────────────────────────────────────────────

ADD_ENROLMENT = statement(
    "identity.add_enrolment",
    """INSERT INTO identity_enrolment
         (id, secret_hash, person, networks, issued_by, created_us, expires_us, used_us)
       VALUES (:id, :secret_hash, :person, :networks, :issued_by, :now, :expires_us, NULL)""",
)
ENROLMENT = statement(
    "identity.enrolment",
    """SELECT e.id, e.person, e.networks, e.issued_by, e.expires_us, p.staff_id, p.employer, p.label, p.state
       FROM identity_enrolment e JOIN identity_person p ON p.id = e.person
       WHERE e.secret_hash = :secret_hash AND e.used_us IS NULL AND e.expires_us > :now""",
)
USE_ENROLMENT = statement(
    "identity.use_enrolment",
    """UPDATE identity_enrolment SET used_us = :now
       WHERE id = :id AND used_us IS NULL AND expires_us > :now RETURNING id""",
)
# A newer link takes the place of those that were not used.
END_ENROLMENTS = statement(
    "identity.end_enrolments",
    """UPDATE identity_enrolment SET expires_us = :now
       WHERE person = :person AND used_us IS NULL AND expires_us > :now""",
)
CLEAR_ENROLMENTS = statement(
    "identity.clear_enrolments",
    """DELETE FROM identity_enrolment WHERE id IN
        (SELECT id FROM identity_enrolment WHERE expires_us < :before LIMIT :most)
    RETURNING id""",
)

# ── proofs of possession, which are accepted once ───────────────────────────────────────────────────────────

# No row comes back when the proof was used before, or is about no live token that its key may prove: whoever holds none
# stores nothing.
# across clients: a credential is found by its secret, and says itself which client it is good for
USE_PROOF = statement(
    "identity.use_proof",
    """INSERT INTO identity_proof (used, until_us)
       SELECT :use, :until_us WHERE EXISTS (SELECT 1 FROM identity_credential
            WHERE secret_hash = :secret_hash AND kind = 'token' AND jkt IN ('', :jkt)
              AND revoked_us IS NULL AND expires_us > :now)
       ON CONFLICT (used) DO NOTHING RETURNING until_us""",
    stays=True,
)
CLEAR_PROOFS = statement(
    "identity.clear_proofs",
    """DELETE FROM identity_proof WHERE used IN
        (SELECT used FROM identity_proof WHERE until_us < :before LIMIT :most)
    RETURNING used""",
)
# across clients: credentials that were good long ago; the logs keep who had which
CLEAR_CREDENTIALS = statement(
    "identity.clear_credentials",
    """DELETE FROM identity_credential WHERE id IN
        (SELECT id FROM identity_credential WHERE expires_us < :before LIMIT :most)
    RETURNING id""",
)
# across clients: second tokens live for minutes
CLEAR_STEP_UPS = statement(
    "identity.clear_step_ups",
    """DELETE FROM identity_credential WHERE id IN
        (SELECT id FROM identity_credential WHERE expires_us < :before AND kind = 'step_up' LIMIT :most)
    RETURNING id""",
)

# ── references and standing facts ───────────────────────────────────────────────────────────────────────────

REFERENCE = statement(
    "identity.reference", "SELECT ref FROM identity_reference WHERE person = :person AND log = :log"
)
ADD_REFERENCE = statement(
    "identity.add_reference",
    """INSERT INTO identity_reference (person, log, ref) VALUES (:person, :log, :ref)
       ON CONFLICT (person, log) DO NOTHING""",
)
PERSON_OF_REFERENCE = statement(
    "identity.person_of_reference",
    "SELECT person FROM identity_reference WHERE log = :log AND ref = :ref",
)
FACTS = statement(
    "identity.facts",
    """SELECT fact, met, value, as_of_us, valid_until_us, source
       FROM identity_fact WHERE person = :person""",
)
# An older observation that arrives late does not replace a newer one.
PUT_FACT = statement(
    "identity.put_fact",
    """INSERT INTO identity_fact (person, fact, met, value, as_of_us, valid_until_us, source)
       VALUES (:person, :fact, :met, :value, :as_of_us, :valid_until_us, :source)
       ON CONFLICT (person, fact) DO UPDATE SET met = excluded.met, value = excluded.value,
         as_of_us = excluded.as_of_us, valid_until_us = excluded.valid_until_us, source = excluded.source
       WHERE excluded.as_of_us >= identity_fact.as_of_us""",
)
REVOKE_CLIENT = statement(
    "identity.revoke_client",
    """UPDATE identity_credential SET revoked_us = :now
       WHERE client = :client AND revoked_us IS NULL AND expires_us > :now""",
)
