"""SQL of approvals (portable subset)."""

from __future__ import annotations

from typing import Final

from holdfast.kit.db import statement

COLUMNS: Final = (
    *("id", "client", "clients", "kind", "state"),
    *("requester", "requester_device", "requester_credential"),
    *("operation", "contact", "customer", "programme", "reason", "collection", "record"),
    *("subject", "policies"),
    *("decision", "digest", "salt", "summary", "created_us", "expires_us"),
    *("decided_by", "decided_device", "decided_us", "used_us"),
)
_LIST: Final = ", ".join(COLUMNS)
_OF_R: Final = ", ".join(f"r.{name}" for name in COLUMNS)
_BOUND: Final = ", ".join(f":{name}" for name in COLUMNS)

ADD = statement("approvals.add", f"INSERT INTO approvals_request ({_LIST}) VALUES ({_BOUND})")
# An approver who was suspended since, or left, has approved nothing any more: their state is read with the request.
# across clients: an approval's id says not whose it is; the reader's right is judged on what is found
LOAD = statement(
    "approvals.load",
    f"""SELECT {_OF_R}, COALESCE(p.state, ''), q.staff_id FROM approvals_request r
    JOIN identity_person q ON q.id = r.requester
    LEFT JOIN identity_person p ON p.id = r.decided_by WHERE r.id = :id""",
)
# One's own, and what waits for somebody in one of these lines of work (client/programme): all, or a break-glass only.
# across clients: a person's own requests, and those of the clients at which they may approve
LIST = statement(
    "approvals.list",
    f"""SELECT {_OF_R}, COALESCE(p.state, ''), q.staff_id FROM approvals_request r
    JOIN identity_person q ON q.id = r.requester
    LEFT JOIN identity_person p ON p.id = r.decided_by
    WHERE r.id > :after AND r.kind IN (:kinds*) AND (:bound = '' OR r.client = :bound)
        AND ((r.requester = :person AND r.created_us > :since_us)
            OR (r.requester <> :person AND r.state = 'asked' AND r.expires_us > :now_us
                AND ((r.client || '/' || r.programme) IN (:lines*)
                    OR (r.kind = 'glass' AND (r.client || '/' || r.programme) IN (:on_call*)))))
    ORDER BY r.id LIMIT :limit""",
)
OPEN = statement(
    "approvals.open",
    """SELECT id FROM approvals_request
    WHERE client = :client AND state = 'asked' AND requester = :requester AND kind = :kind
        AND operation = :operation AND digest = :digest AND expires_us > :now_us ORDER BY id LIMIT 1""",
)
GRANTED = statement(
    "approvals.granted",
    f"""SELECT {_OF_R}, p.state, q.staff_id FROM approvals_request r
    JOIN identity_person p ON p.id = r.decided_by JOIN identity_person q ON q.id = r.requester
    WHERE r.client = :client AND r.state = 'granted' AND r.requester = :requester AND r.kind = :kind
        AND r.operation = :operation AND r.digest = :digest AND r.expires_us > :now_us AND p.state = 'active'
    ORDER BY r.id LIMIT 20""",
)
# Each limit is counted in the statement that grants: no number of approvals at once gets beyond it.
GRANT = statement(
    "approvals.grant",
    """UPDATE approvals_request
    SET state = 'granted', decided_by = :by, decided_device = :device, decided_us = :now_us,
        expires_us = :use_by_us
    WHERE id = :id AND client = :client AND state = 'asked' AND expires_us > :now_us AND requester <> :by
        AND (SELECT COUNT(*) FROM approvals_request
            WHERE client = :client AND decided_by = :by AND decided_us > :since_us
                AND state IN ('granted', 'used')) < :per_approver
        AND (SELECT COUNT(*) FROM approvals_request
            WHERE client = :client AND decided_by = :by AND decided_us > :since_us
                AND state IN ('granted', 'used') AND requester = :requester) < :per_pair
    RETURNING id""",
)
REFUSE = statement(
    "approvals.refuse",
    """UPDATE approvals_request
    SET state = 'refused', decided_by = :by, decided_device = :device, decided_us = :now_us
    WHERE id = :id AND client = :client AND state = 'asked' AND expires_us > :now_us AND requester <> :by
    RETURNING id""",
)
SHARE = statement(
    "approvals.share",
    """SELECT COALESCE(SUM(CASE WHEN decided_by = :by THEN 1 ELSE 0 END), 0), COUNT(*)
    FROM approvals_request
    WHERE client = :client AND requester = :requester AND decided_us > :since_us
        AND state IN ('granted', 'used')""",
)
# Who saw a token's secret when it was issued. Of one that is bound to its holder's key, knowing the secret is nothing.
# across clients: a credential's issuer, by its id
SEEN_BY = statement(
    "approvals.seen_by",
    """SELECT id, CASE WHEN jkt = '' AND x5t = '' THEN issued_by ELSE '' END
    FROM identity_credential WHERE id IN (:ids*)""",
)
GIVEN = statement(
    "approvals.given",
    """SELECT COALESCE(SUM(CASE WHEN requester = :requester THEN 1 ELSE 0 END), 0), COUNT(*)
    FROM approvals_request
    WHERE client = :client AND decided_by = :by AND decided_us > :since_us
        AND state IN ('granted', 'used')""",
)
# Answers a row for one of any number who take it at once.
TAKE = statement(
    "approvals.take",
    """UPDATE approvals_request SET state = 'used', used_us = :now_us
    WHERE id = :id AND client = :client AND requester = :requester AND policies = :policies
        AND digest = :digest AND state = 'granted' AND expires_us > :now_us
        AND EXISTS (SELECT 1 FROM identity_person
            WHERE id = approvals_request.decided_by AND state = 'active')
    RETURNING id""",
)
# across clients: what is decided, used or lapsed for so long that no count reaches it any more
CLEAR = statement(
    "approvals.clear",
    """DELETE FROM approvals_request WHERE id IN
        (SELECT id FROM approvals_request WHERE created_us < :before LIMIT :most)
    RETURNING id""",
)
END_OF_CLIENT = statement(
    "approvals.end_of_client",
    """UPDATE approvals_request SET expires_us = :now_us
    WHERE client = :client AND state IN ('asked', 'granted') AND expires_us > :now_us""",
)
# across clients: who leaves has asked for nothing any more, anywhere
END_OF_PERSON = statement(
    "approvals.end_of_person",
    """UPDATE approvals_request SET expires_us = :now_us
    WHERE requester = :person AND state IN ('asked', 'granted') AND expires_us > :now_us RETURNING id""",
)
# across clients: and has nothing open any more
CLOSE_GLASS_OF_PERSON = statement(
    "approvals.close_glass_of_person",
    """UPDATE approvals_glass SET closed_us = :now_us
    WHERE person = :person AND closed_us = 0 AND until_us > :now_us""",
)

# ── break-glass ─────────────────────────────────────────────────────────────────────────────────────────────────
# One at a time: two that are open at once would be ten customers.
OPEN_GLASS = statement(
    "approvals.open_glass",
    """INSERT INTO approvals_glass
        (client, id, approval, person, programme, queue, reason, opened_us, until_us, most, closed_us)
    SELECT :client, :id, :approval, :person, :programme, :queue, :reason, :opened_us, :until_us, :most, 0
    WHERE NOT EXISTS (SELECT 1 FROM approvals_glass
        WHERE client = :client AND person = :person AND closed_us = 0 AND until_us > :opened_us)
    ON CONFLICT DO NOTHING RETURNING id""",
)
# It stands while its approver does: whoever was suspended since has opened nothing.
GLASS = statement(
    "approvals.glass",
    """SELECT g.id, g.programme, g.queue, g.reason, g.opened_us, g.until_us, g.most,
        (SELECT COUNT(*) FROM approvals_glass_customer c WHERE c.client = :client AND c.glass = :id),
        (SELECT COUNT(*) FROM approvals_glass_customer c
            WHERE c.client = :client AND c.glass = :id AND c.customer = :customer),
        (SELECT COUNT(*) FROM purpose_candidate n
            WHERE n.client = :client AND n.contact = :id AND n.customer = :customer)
    FROM approvals_glass g
    JOIN approvals_request r ON r.id = g.approval AND r.client = :client
    JOIN identity_person p ON p.id = r.decided_by AND p.state = 'active'
    WHERE g.client = :client AND g.id = :id AND g.person = :person AND g.closed_us = 0
        AND g.until_us > :now_us""",
)
GLASS_OF = statement(
    "approvals.glass_of",
    "SELECT id, until_us FROM approvals_glass WHERE client = :client AND approval = :approval",
)
# across clients: a break-glass is found by its id, and says itself whose it is
GLASS_ANYWHERE = statement(
    "approvals.glass_anywhere", "SELECT client, person FROM approvals_glass WHERE id = :id"
)
CLOSE_GLASS = statement(
    "approvals.close_glass",
    """UPDATE approvals_glass SET closed_us = :now_us
    WHERE client = :client AND id = :id AND person = :person AND closed_us = 0 AND until_us > :now_us
    RETURNING id""",
)
GLASS_CUSTOMERS = statement(
    "approvals.glass_customers",
    "SELECT COUNT(*) FROM approvals_glass_customer WHERE client = :client AND glass = :id",
)
# Answers a row for each customer new to the glass while there is room and time left.
TAKE_GLASS = statement(
    "approvals.take_glass",
    """INSERT INTO approvals_glass_customer (client, glass, customer, at_us)
    SELECT :client, :id, :customer, :now_us
    WHERE (SELECT COUNT(*) FROM approvals_glass_customer
            WHERE client = :client AND glass = :id) < :most
        AND EXISTS (SELECT 1 FROM approvals_glass
            WHERE client = :client AND id = :id AND closed_us = 0 AND until_us > :now_us)
    ON CONFLICT (client, glass, customer) DO NOTHING RETURNING glass""",
)
END_GLASSES_OF_CLIENT = statement(
    "approvals.end_glasses_of_client",
    """UPDATE approvals_glass SET closed_us = :now_us
    WHERE client = :client AND closed_us = 0 AND until_us > :now_us""",
)
# Who may be the second person for a programme: active, assigned now, somebody else.
SECONDS = statement(
    "approvals.seconds",
    """SELECT p.staff_id, p.employer, a.roles
    FROM identity_assignment a JOIN identity_person p ON p.id = a.person
    WHERE a.client = :client AND a.programme = :programme AND a.starts_us <= :now_us
        AND (a.ends_us IS NULL OR a.ends_us > :now_us) AND p.state = 'active' AND p.id <> :person""",
)
# across clients: break-glasses that were over long ago; the log keeps what was done
CLEAR_GLASS = statement(
    "approvals.clear_glass",
    """DELETE FROM approvals_glass WHERE (client, id) IN
        (SELECT client, id FROM approvals_glass WHERE until_us < :before LIMIT :most)
    RETURNING client""",
)
# across clients: as above
CLEAR_GLASS_CUSTOMERS = statement(
    "approvals.clear_glass_customers",
    """DELETE FROM approvals_glass_customer WHERE (client, glass, customer) IN
        (SELECT client, glass, customer FROM approvals_glass_customer WHERE at_us < :before LIMIT :most)
    RETURNING client""",
)

# ── a client that is erased ─────────────────────────────────────────────────────────────────────────────────────
ERASE_REQUESTS = statement(
    "approvals.erase_requests",
    """DELETE FROM approvals_request WHERE client = :client AND id IN
        (SELECT id FROM approvals_request WHERE client = :client LIMIT :most)
    RETURNING id""",
)
ERASE_GLASSES = statement(
    "approvals.erase_glasses",
    """DELETE FROM approvals_glass WHERE client = :client AND id IN
        (SELECT id FROM approvals_glass WHERE client = :client LIMIT :most)
    RETURNING id""",
)
ERASE_GLASS_CUSTOMERS = statement(
    "approvals.erase_glass_customers",
    """DELETE FROM approvals_glass_customer WHERE client = :client AND (glass, customer) IN
        (SELECT glass, customer FROM approvals_glass_customer WHERE client = :client LIMIT :most)
    RETURNING glass""",
)
ERASE_OF_CLIENT: Final = (ERASE_REQUESTS, ERASE_GLASSES, ERASE_GLASS_CUSTOMERS)
