"""What each database role may do to each table.

One declaration for each table; ``holdfast migrate`` grants it, and a test demands that no table of any app is missing
here and that the worker may do exactly what some statement does.

*App* is what data planes and consoles connect as: it adds to the logs and cannot change or remove what stands there.
*Worker* is the worker's and that of operators' commands: it places leaves, so it writes tiles, but removes no place of
a leaf. *Reader* is an auditor's, also on a replica: what is evidence, and nothing of the keys. Tables belong to a
fourth, their owner, who founds, migrates and restores. Nobody else may truncate, alter or drop.
"""

from __future__ import annotations

from typing import Final, NamedTuple

_READ: Final = "SELECT"
_ADD: Final = "SELECT, INSERT"
_CHANGE: Final = "SELECT, INSERT, UPDATE"
_TRIM: Final = "SELECT, INSERT, DELETE"
_ALL: Final = "SELECT, INSERT, UPDATE, DELETE"


class Rights(NamedTuple):
    """Rights of each role on one table, as they stand in ``GRANT``."""

    app: str
    worker: str
    reader: str = ""


RIGHTS: Final[dict[str, Rights]] = {
    "actions_export": Rights(_ADD, _ALL),
    "actions_permit": Rights(_CHANGE, _ALL),
    "actions_quarantine": Rights(_CHANGE, _ALL),
    "administration_refusal": Rights(_CHANGE, _ALL),
    "approvals_glass": Rights(_CHANGE, _ALL),
    "approvals_glass_customer": Rights(_ADD, _TRIM),
    "approvals_request": Rights(_CHANGE, _ALL),
    "classification_import": Rights("", _ALL),
    "console_attempt": Rights(_CHANGE, _ALL),
    "console_browser": Rights(_CHANGE, _ALL),
    "console_code": Rights(_CHANGE, _CHANGE),
    "culture_report": Rights(_CHANGE, _READ),
    "decision_budget": Rights(_CHANGE, _ALL),
    "decision_budget_customer": Rights(_ADD, _TRIM),
    "decision_challenge": Rights(_CHANGE, _ALL),
    # A look holds its client's row, which takes the right to change some of it; freezing needs these.
    "decision_client": Rights(
        "SELECT, UPDATE (frozen_us, frozen_until_us, frozen_by, frozen_reason, frozen_confirmed_by, fence)",
        _CHANGE,
        _READ,
    ),
    "decision_contract": Rights(_READ, _ADD, _READ),
    "decision_idempotency": Rights(_CHANGE, _ALL),
    "decision_record": Rights(_ADD, _TRIM, _READ),
    "decision_verify_attempt": Rights(_ADD, _TRIM),
    "django_migrations": Rights(_READ, _READ, _READ),
    # Held as above. An assignment's id names it in the logs; with another it gives nobody more. People come, move and
    # go by the console and by an employer's directory, too; tokens they issue there to nobody.
    "identity_assignment": Rights("SELECT, INSERT, UPDATE (id, ends_us)", _CHANGE),
    "identity_credential": Rights("SELECT, UPDATE (revoked_us)", _ALL),
    "identity_departure": Rights(_CHANGE, _CHANGE),
    "identity_directory": Rights(_CHANGE, _CHANGE),
    "identity_employer": Rights(_ADD, _ADD),
    "identity_enrolment": Rights("SELECT, INSERT, UPDATE (expires_us, used_us)", _ALL),
    "identity_fact": Rights(_READ, _CHANGE),
    "identity_person": Rights(
        "SELECT, INSERT, UPDATE (label, lead, os_user, roles, state)", _CHANGE
    ),
    "identity_proof": Rights(_ADD, _TRIM),
    "identity_reference": Rights(_ADD, _ADD),
    "identity_session": Rights(_CHANGE, _ALL),
    "jobs_job": Rights(
        "SELECT, INSERT, UPDATE (state, run_at_us, payload, attempts, error, finished_us)", _ALL
    ),
    "keyring_contact": Rights(_ADD, _TRIM),
    "keyring_customer": Rights(_ADD, _TRIM),
    "keyring_dek": Rights(_ADD, _ALL),
    "keyring_head": Rights(_ADD, _TRIM),
    "keyring_hold": Rights(_READ, _TRIM),
    "keyring_import_key": Rights(_READ, _ALL),
    "keyring_index": Rights(_ADD, _TRIM),
    "keyring_kek": Rights(_READ, _TRIM),
    "keyring_operation": Rights(_ADD, _TRIM),
    "keyring_record_key": Rights(_ADD, _TRIM),
    "keyring_tombstone": Rights(_READ, _TRIM),
    "ledger_bundle": Rights(_READ, _CHANGE, _READ),
    "ledger_checkpoint": Rights(_READ, _CHANGE, _READ),
    "ledger_clock": Rights(_CHANGE, _CHANGE, _READ),
    "ledger_due": Rights(_READ, _ALL),
    "ledger_fold": Rights(_CHANGE, _ALL),
    "ledger_lease": Rights(_READ, _CHANGE),
    "ledger_pending": Rights(_ADD, _TRIM),
    "ledger_placed": Rights(_READ, _CHANGE),
    "ledger_tile": Rights(_READ, _CHANGE, _READ),
    "ledger_tree": Rights(_READ, _CHANGE, _READ),
    "ledger_written": Rights(_CHANGE, _CHANGE),
    "mfa_authenticator": Rights(_ALL, _READ),  # people remove factors of their own
    "purpose_candidate": Rights(_ADD, _TRIM),
    "purpose_contact": Rights(_CHANGE, _ALL),
    "purpose_outage": Rights(_READ, _ALL),
    "purpose_presence": Rights(_CHANGE, _CHANGE),
    "purpose_provisional": Rights(_CHANGE, _ALL),
    "purpose_search_value": Rights(_CHANGE, _ALL),
    "recovery_gap": Rights(_READ, _READ),
    "signals_dead_letter": Rights(_ADD, _TRIM),
    "signals_event": Rights(_ADD, _TRIM),
    "signals_feed": Rights(_READ, _ADD),
    "signals_feed_key": Rights(_READ, _CHANGE),
    "signals_pace": Rights(_CHANGE, _ALL),
    "signals_tally": Rights(_CHANGE, _ALL),
    "stream_parked": Rights(_READ, _ALL),
    "stream_position": Rights(_READ, _CHANGE),
    "stream_tally": Rights(_READ, _ALL, _READ),
    "stream_timeline": Rights(_READ, _TRIM, _READ),
    "vault_client_shred": Rights(_READ, _CHANGE, _READ),
    "vault_collection": Rights(_READ, _ADD),
    # Held as above.
    "vault_customer": Rights("SELECT, UPDATE (changed_us)", _ALL),
    "vault_hold": Rights(_READ, _CHANGE),
    "vault_operation": Rights(_ADD, _ADD),
    "vault_record": Rights("SELECT, UPDATE (version, body, operation)", _ALL),
    "vault_shred": Rights(_READ, _ALL),
    "vault_suppression": Rights(_READ, _TRIM),
}

#: What a client is shown to be told the truth: where its leaves wait, where they stand, and what was decided.
LEDGER: Final = frozenset(
    {
        "decision_record",
        "ledger_bundle",
        "ledger_checkpoint",
        "ledger_lease",
        "ledger_pending",
        "ledger_tile",
        "ledger_tree",
    }
)
