"""SQL of recovery: what was put back, and what a restored store must not go on with."""

from __future__ import annotations

from typing import Final

from holdfast.kit.db import statement

_GAP: Final = """id, log, state, source, person, second, asks, from_size, to_size, from_us, to_us, known, erased,
    narrowed, not_redone, lost_size, lost_root, leaf, at_us"""

# ── the gaps ────────────────────────────────────────────────────────────────────────────────────────────────────
ADD_GAP: Final = statement(
    "recovery.add_gap",
    f"""INSERT INTO recovery_gap ({_GAP})
    VALUES (:id, :log, 'put_back', :source, :person, :second, :asks, :from_size, :to_size, :from_us, :to_us, :known,
        0, 0, 0, :lost_size, :lost_root, '', :at_us)
    ON CONFLICT (id, log) DO NOTHING""",
)
UNFINISHED: Final = statement(
    "recovery.unfinished",
    f"SELECT {_GAP} FROM recovery_gap WHERE state <> 'told' ORDER BY id, log",
)
GAPS: Final = statement(
    "recovery.gaps", f"SELECT {_GAP} FROM recovery_gap WHERE id = :id ORDER BY log"
)
NEWEST: Final = statement("recovery.newest", "SELECT MAX(id) FROM recovery_gap")
REDONE: Final = statement(
    "recovery.redone",
    """UPDATE recovery_gap SET state = 'redone', erased = :erased, narrowed = :narrowed, not_redone = :not_redone
    WHERE id = :id AND log = :log AND state = 'put_back' RETURNING log""",
)
# A copy that knows of nobody else who might has nobody to ask.
OTHER_ADMINS: Final = statement(
    "recovery.other_admins",
    """SELECT id FROM identity_person WHERE state = 'active' AND id <> :person
        AND (',' || roles || ',') LIKE '%,admin,%' LIMIT 1""",
)
AGREED: Final = statement(
    "recovery.agreed",
    "UPDATE recovery_gap SET second = :second, asks = 0 WHERE id = :id AND state = 'redone'",
)
TOLD: Final = statement(
    "recovery.told",
    """UPDATE recovery_gap SET state = 'told', leaf = :leaf
    WHERE id = :id AND log = :log AND state = 'redone' RETURNING log""",
)
PENDING_OF: Final = statement(
    "recovery.pending_of", "SELECT id, leaf FROM ledger_pending WHERE log = :log ORDER BY id"
)

IS_PENDING: Final = statement(
    "recovery.is_pending", "SELECT 1 FROM ledger_pending WHERE log = :log AND leaf = :leaf"
)
# The copy was begun under a lease, which stands in it.
END_COPY: Final = statement(
    "recovery.end_copy", "UPDATE ledger_lease SET until_us = 0 WHERE name = :name"
)

# ── what a restored store must not go on with ───────────────────────────────────────────────────────────────────
# across clients: calls have ended since, and no feed will say so again; a contact that ended at 1 closed long ago
END_CONTACTS: Final = statement(
    "recovery.end_contacts",
    "UPDATE purpose_contact SET ended_us = 1, version = version + 1 WHERE ended_us = 0",
)
# across clients: a contact on a person's word, too; the worker settles it when no feed confirms it
END_ON_WORD: Final = statement(
    "recovery.end_on_word",
    "UPDATE purpose_provisional SET until_us = :now_us WHERE state = 'open' AND until_us > :now_us",
)
# across clients: what may be used once may have been used since
CLOSE_CHALLENGES: Final = statement(
    "recovery.close_challenges",
    "UPDATE decision_challenge SET used_us = :now_us WHERE used_us IS NULL",
)
# across clients: a client's log names a token by a reference that follows from the id
UNREVOKED = statement(
    "recovery.unrevoked", "SELECT id FROM identity_credential WHERE revoked_us IS NULL"
)
# across clients: second tokens live for minutes; whoever still has one asks anew
END_STEP_UPS: Final = statement(
    "recovery.end_step_ups",
    "UPDATE identity_credential SET revoked_us = :now_us WHERE kind = 'step_up' AND revoked_us IS NULL",
)
# across clients: a yes that was given may have been used since
END_APPROVALS: Final = statement(
    "recovery.end_approvals",
    "UPDATE approvals_request SET expires_us = :now_us WHERE state IN ('asked', 'granted') AND expires_us > :now_us",
)
# across clients: a break-glass may have been ended, or its customers used up, since
END_GLASSES: Final = statement(
    "recovery.end_glasses",
    "UPDATE approvals_glass SET closed_us = :now_us WHERE closed_us = 0 AND until_us > :now_us",
)

# ── what is closed where leaves are lost ───────────────────────────────────────────────────────────────────────
# across clients: one of them may have been revoked, or its person suspended
END_TOKENS: Final = statement(
    "recovery.end_tokens",
    """UPDATE identity_credential SET revoked_us = :now_us
    WHERE person IS NOT NULL AND revoked_us IS NULL""",
)

# ── what is redone ──────────────────────────────────────────────────────────────────────────────────────────────
# Its contract or a schema was changed since, to what nobody can tell: no look until a contract is published again.
OUTDATE_CLIENT: Final = statement(
    "recovery.outdate_client",
    """UPDATE decision_client SET state = 'outdated', fence = fence + 1
    WHERE client = :client AND state = 'open' RETURNING client""",
)
STAND_IN_CONTRACT: Final = statement(
    "recovery.stand_in_contract",
    """INSERT INTO decision_contract
        (client, version, text, digest, salt, signature, policies_digest, published_us, published_by)
    SELECT client, :version, text, digest, salt, signature, policies_digest, published_us, published_by
    FROM decision_contract WHERE client = :client AND version = :before
    ON CONFLICT (client, version) DO NOTHING""",
)
SET_CONTRACT_VERSION: Final = statement(
    "recovery.set_contract_version",
    """UPDATE decision_client SET contract_version = :version, fence = fence + 1
    WHERE client = :client AND contract_version = :before""",
)
ADD_ATTEMPT: Final = statement(
    "recovery.add_attempt",
    """INSERT INTO decision_verify_attempt (id, client, customer, field, contact, at_us)
    VALUES (:id, :client, :customer, :field, :contact, :at_us) ON CONFLICT (id) DO NOTHING""",
)
# Lifting it in the gap is not done again: it ends by itself, or a user of the client lifts it once more.
FREEZE: Final = statement(
    "recovery.freeze",
    """UPDATE decision_client SET frozen_us = :now_us, frozen_until_us = :until_us, frozen_by = :by,
        frozen_reason = :reason, fence = fence + 1
    WHERE client = :client AND frozen_until_us < :until_us RETURNING client""",
)
# It counts against its person until a feed, or somebody, has cleared it.
PUT_ON_WORD: Final = statement(
    "recovery.put_on_word",
    """INSERT INTO purpose_provisional (id, client, contact, person, basis, programme, queue, reason, opened_us,
        until_us, customer, customer_at_us, verified_us, state, settled_us, outage, person_ref)
    VALUES (:id, :client, :contact, :person, :basis, '', :queue, '', :opened_us, :opened_us,
        '', 0, 0, 'open', 0, :outage, :person_ref)
    ON CONFLICT (id) DO NOTHING""",
)
# Whom a log cannot mean by a name that it has given them: it never did. Of a client's log, those who work there.
NAMELESS: Final = statement(
    "recovery.nameless",
    """SELECT id FROM identity_person WHERE state <> 'left'
        AND NOT EXISTS (SELECT 1 FROM identity_reference
            WHERE identity_reference.person = identity_person.id AND identity_reference.log = :log)
        AND (:client = '' OR EXISTS (SELECT 1 FROM identity_assignment
            WHERE identity_assignment.person = identity_person.id AND identity_assignment.client = :client
                AND (identity_assignment.ends_us IS NULL OR identity_assignment.ends_us > :now_us)))
    ORDER BY id""",
)
RETIRE_KEY: Final = statement(
    "recovery.retire_key",
    """UPDATE signals_feed_key SET retired_us = :now_us
    WHERE feed = :feed AND kid = :kid AND retired_us IS NULL RETURNING kid""",
)
