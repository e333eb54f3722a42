"""What becomes of the rows of every table: which job trims it and when, or why it stays.

One declaration for each table; the job ``forget`` works through :data:`TRIMS`, and a test demands that no table of any
app is missing here. A table that grows with use and says nothing would grow for ever.

Nothing is trimmed by what the clock says. Before :func:`~holdfast.spine.timekeeping.horizon` lies what was over a day
ago, too, by the time of leaves (SPINE 24). Only what cannot come back, because the house's time never runs backwards,
is trimmed at once.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.edges.console import store as console
from holdfast.kit.clock import DAY_US, HOUR_US, MINUTE_US
from holdfast.kit.db import Round
from holdfast.kit.jobs import store as jobs
from holdfast.kit.jobs.queue import KEPT_US as JOBS_KEPT_US
from holdfast.spine.actions import store as actions
from holdfast.spine.administration import store as administration
from holdfast.spine.approvals import store as approvals
from holdfast.spine.decision import store as decisions
from holdfast.spine.identity import store as identity
from holdfast.spine.ledger import store as ledger
from holdfast.spine.purpose import store as purpose
from holdfast.spine.signals import store as signals
from holdfast.spine.signals.intake import REMEMBERED_US
from holdfast.spine.stream import store as stream
from holdfast.spine.timekeeping import horizon

if TYPE_CHECKING:
    from holdfast.kit.db import Statement, Work
    from holdfast.spine.house import House

MOST: Final = 1000  # rows at a time, so that no transaction is long
LONGEST_CONTACT_US: Final = (
    30 * DAY_US
)  # a contract allows seven days; attempts count for a contact


class Trim(NamedTuple):
    """Rows of ``table`` go when ``column``, a time in ``unit_us``, is ``after_us`` ago."""

    table: str
    column: str
    statement: Statement  # takes ``before`` and ``most``, answers a row for each that went
    after_us: int = 0
    unit_us: int = 1
    at_once: bool = False

    def before(self, now_us: int) -> int:
        """The least value of the column that stays."""
        return (now_us - self.after_us) // self.unit_us


class Because(StrEnum):
    """Why the rows of a table are not trimmed by age."""

    EVIDENCE = "a client may ask for it years later; it goes with the client, or with the key it is sealed under"
    HELD = "the clients' data and its keys: they go by erasure"
    DECLARED = "a row for each thing that somebody declared, or for each member of the workforce"
    SLOT = "a row for each thing that there is, written over"
    SWEPT = "another job takes a row away when what it stands for is done"
    WAITS = "somebody has to look into it, and takes it away by that"


TRIMS: Final = (
    Trim("actions_permit", "issued_us", actions.CLEAR_PERMITS, 30 * DAY_US),
    Trim("actions_quarantine", "until_us", actions.CLEAR_QUARANTINE),
    Trim("actions_export", "expires_us", actions.CLEAR_EXPORTS, 90 * DAY_US),
    Trim("administration_refusal", "hour", administration.CLEAR_REFUSALS, DAY_US, HOUR_US),
    Trim("approvals_request", "created_us", approvals.CLEAR, 7 * DAY_US),
    Trim("approvals_glass", "until_us", approvals.CLEAR_GLASS, 7 * DAY_US),
    Trim("approvals_glass_customer", "at_us", approvals.CLEAR_GLASS_CUSTOMERS, 7 * DAY_US),
    Trim("decision_budget", "minute", decisions.CLEAR_BUDGETS, 2 * DAY_US, MINUTE_US),
    Trim("decision_budget_customer", "minute", decisions.CLEAR_CUSTOMERS, 2 * DAY_US, MINUTE_US),
    Trim("decision_verify_attempt", "at_us", decisions.CLEAR_ATTEMPTS, LONGEST_CONTACT_US),
    Trim("decision_challenge", "expires_us", decisions.CLEAR_CHALLENGES, 2 * DAY_US),
    Trim("decision_idempotency", "at_us", decisions.CLEAR_KEYS, 2 * DAY_US),
    Trim("console_attempt", "until_us", console.CLEAR_ATTEMPTS, DAY_US),
    Trim("console_browser", "expires_us", console.CLEAR_BROWSERS, DAY_US),
    Trim("identity_enrolment", "expires_us", identity.CLEAR_ENROLMENTS, DAY_US),
    Trim("identity_session", "expires_us", identity.CLEAR_SESSIONS, 30 * DAY_US),
    Trim("identity_credential", "expires_us", identity.CLEAR_CREDENTIALS, 90 * DAY_US),
    Trim("identity_credential", "expires_us", identity.CLEAR_STEP_UPS, 7 * DAY_US),
    # A proof of that age is refused for its age, whether it is remembered or not; a minute more costs little.
    Trim("identity_proof", "until_us", identity.CLEAR_PROOFS, MINUTE_US, at_once=True),
    Trim("jobs_job", "finished_us", jobs.PURGE, JOBS_KEPT_US),
    Trim("jobs_job", "finished_us", jobs.PURGE_DEAD, 90 * DAY_US),
    Trim("ledger_due", "first_us", ledger.CLEAR_DUE, 90 * DAY_US),
    Trim("purpose_contact", "last_event_us", purpose.CLEAR_CONTACTS, LONGEST_CONTACT_US),
    Trim("purpose_candidate", "at_us", purpose.CLEAR_CANDIDATES, LONGEST_CONTACT_US),
    Trim("purpose_search_value", "at_us", purpose.CLEAR_SEARCH_VALUES, LONGEST_CONTACT_US),
    Trim("purpose_provisional", "opened_us", purpose.CLEAR_ON_WORD, 30 * DAY_US),
    Trim("purpose_outage", "until_us", purpose.CLEAR_OUTAGES, 400 * DAY_US),
    # An event of that age opens nothing, so forgetting its id brings nothing back.
    Trim("signals_event", "seen_us", signals.CLEAR_EVENTS, REMEMBERED_US),
    Trim("signals_dead_letter", "at_us", signals.CLEAR_DEAD_LETTERS, 30 * DAY_US),
    Trim("signals_pace", "received_us", signals.CLEAR_PACES, 30 * DAY_US),
    Trim("stream_tally", "day", stream.TRIM_TALLY, 400 * DAY_US, DAY_US),
    Trim("signals_tally", "minute", signals.CLEAR_TALLIES, REMEMBERED_US, MINUTE_US),
)
STAYS: Final[dict[str, Because]] = {
    "classification_import": Because.SLOT,
    "console_code": Because.SLOT,
    "culture_report": Because.WAITS,
    "decision_client": Because.DECLARED,
    "decision_contract": Because.DECLARED,
    "decision_record": Because.EVIDENCE,
    "identity_assignment": Because.DECLARED,
    "identity_departure": Because.SLOT,
    "identity_directory": Because.SLOT,
    "identity_employer": Because.DECLARED,
    "identity_fact": Because.SLOT,
    "identity_person": Because.DECLARED,
    "identity_reference": Because.EVIDENCE,
    "keyring_contact": Because.SWEPT,
    "keyring_customer": Because.HELD,
    "keyring_dek": Because.HELD,
    "keyring_head": Because.HELD,
    "keyring_hold": Because.SWEPT,
    "keyring_import_key": Because.HELD,
    "keyring_index": Because.HELD,
    "keyring_kek": Because.HELD,
    "keyring_operation": Because.SWEPT,
    "keyring_record_key": Because.EVIDENCE,
    "keyring_tombstone": Because.EVIDENCE,
    "ledger_bundle": Because.EVIDENCE,
    "ledger_checkpoint": Because.EVIDENCE,
    "ledger_clock": Because.SLOT,
    "ledger_fold": Because.SWEPT,
    "ledger_lease": Because.SLOT,
    "ledger_pending": Because.SWEPT,
    "ledger_placed": Because.SLOT,
    "ledger_tile": Because.EVIDENCE,
    "ledger_tree": Because.SLOT,
    "ledger_written": Because.SLOT,
    "mfa_authenticator": Because.DECLARED,
    "purpose_presence": Because.SLOT,
    "recovery_gap": Because.EVIDENCE,
    "signals_feed": Because.DECLARED,
    "signals_feed_key": Because.DECLARED,
    "stream_parked": Because.WAITS,
    "stream_position": Because.SLOT,
    "stream_timeline": Because.EVIDENCE,
    "vault_client_shred": Because.EVIDENCE,
    "vault_collection": Because.DECLARED,
    "vault_customer": Because.HELD,
    "vault_hold": Because.EVIDENCE,
    "vault_operation": Because.EVIDENCE,
    "vault_record": Because.HELD,
    "vault_shred": Because.EVIDENCE,
    "vault_suppression": Because.EVIDENCE,
}


class Forgetting:
    """Trims one house. It remembers how far it has looked through the names of contacts, until the process ends."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._client, self._external = "", ""

    def run(self) -> None:
        """Trim every table; may be killed anywhere and run again."""
        horizon_us, sure_us = self._house.transact(horizon(self._house)), self._house.sure_us()
        for trim in TRIMS:
            now_us = sure_us if trim.at_once else horizon_us
            while now_us and self._house.transact(_trimmed(trim, now_us)) == MOST:
                pass
        self._house.transact(self._names())

    def _names(self) -> Work[None]:
        """Forget what feeds called the contacts that are forgotten, some at a time.

        A name is written while its contact is, under the same lock: one without a contact belongs to none.
        """
        asked = purpose.CONTACT_NAMES(client=self._client, external=self._external, most=MOST)
        (rows,) = yield Round(keys=(asked,))
        self._client, self._external = rows[-1][:2] if len(rows) == MOST else ("", "")
        refs: dict[str, list[str]] = {}
        for client, _, ref in rows:
            refs.setdefault(client, []).append(ref)
        asks = (purpose.KNOWN_CONTACTS, purpose.KNOWN_ON_WORD)
        answers = yield Round(
            data=tuple(ask(client=c, refs=names) for ask in asks for c, names in refs.items())
        )
        known = {row[0] for answer in answers for row in answer}
        drops = [
            purpose.DROP_CONTACT_NAME(client=client, external=external)
            for client, external, ref in rows
            if ref not in known
        ]
        yield Round(keys_writes=tuple(drops))


def _trimmed(trim: Trim, now_us: int) -> Work[int]:
    (rows,) = yield Round(data=(trim.statement(before=trim.before(now_us), most=MOST),))
    return len(rows)
