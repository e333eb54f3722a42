"""Sessions of the console: whoever signed in there, until they are idle for a while, sign out, or are cut off.

A session is a credential beside tokens: an operation looks it up in its own transaction, so an end that has committed
counts from the next request on. The cookie's secret is hashed under a label of its own: no header of the data plane is
ever read as a session, and no cookie as a token.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from holdfast.kit.clock import HOUR_US, MINUTE_US
from holdfast.kit.crypto.mac import sha256
from holdfast.kit.db import Round
from holdfast.kit.ids import new_id
from holdfast.spine.identity import store
from holdfast.spine.identity.requester import roles_of, words
from holdfast.vocabulary.ids import SESSION
from holdfast.vocabulary.levels import PersonState, Role

if TYPE_CHECKING:
    from holdfast.kit.db import Row, Work
    from holdfast.vocabulary.levels import AuthLevel

IDLE_US: Final = 15 * MINUTE_US  # without anything that the person did
LONGEST_US: Final = 12 * HOUR_US  # a shift
LIFT_US: Final = 5 * MINUTE_US
_MOST_AGENT: Final = 160
_STIR_US: Final = MINUTE_US  # what was done is noted no more often
_DOMAIN: Final = b"holdfast session\x00"


class Browser(msgspec.Struct, frozen=True, kw_only=True):
    """Where somebody signed in: the network address, and browser and system as they name themselves."""

    peer: str = ""
    agent: str = ""


class SignedIn(msgspec.Struct, frozen=True, kw_only=True):
    """One live session and its person, as pages show them."""

    id: str
    person: str
    method: str
    factor: str
    seen_by: tuple[str, ...]
    peer: str
    agent: str
    created_us: int
    seen_us: int
    expires_us: int
    ends_us: int
    staff_id: str
    employer: str
    label: str
    state: PersonState
    roles: frozenset[Role]

    @property
    def name(self) -> str:
        """How pages call the person."""
        return self.label or self.staff_id

    @property
    def is_active(self) -> bool:
        """Whether the person works here and is not suspended."""
        return self.state is PersonState.ACTIVE


def hash_cookie(text: str) -> bytes:
    """Return what is stored, and looked up, in place of a cookie's secret: 32 bytes."""
    return sha256(_DOMAIN + text.encode())


def signed_in(secret_hash: bytes, now_us: int) -> Work[SignedIn | None]:
    """Return the live session of a cookie, or None: unknown, expired, idle for too long, or ended."""
    (rows,) = yield Round(data=(store.SIGNED_IN(secret_hash=secret_hash, now=now_us),))
    return _signed_in(rows[0]) if rows else None


def sessions(person: str, now_us: int, *, limit: int = 200) -> Work[list[SignedIn]]:
    """Return live sessions, the one used last first; of everybody if ``person`` is ""."""
    (rows,) = yield Round(data=(store.SESSIONS(person=person, now=now_us, limit=limit),))
    return [_signed_in(row) for row in rows]


def open_session(
    person: str,
    secret_hash: bytes,
    *,
    method: str,
    factor: str,
    seen_by: str,
    browser: Browser,
    now_us: int,
) -> Work[str]:
    """Begin a session of a person who has just signed in; return its id. Who may sign in was judged before."""
    ident = new_id(SESSION, now_us)
    yield Round(
        data=(
            store.ADD_SESSION(
                id=ident,
                secret_hash=secret_hash,
                person=person,
                method=method,
                factor=factor,
                seen_by=seen_by,
                peer=browser.peer,
                agent=browser.agent[:_MOST_AGENT],
                now=now_us,
                expires_us=now_us + IDLE_US,
                ends_us=now_us + LONGEST_US,
            ),
        )
    )
    return ident


def wants_keeping(session: SignedIn, now_us: int) -> bool:
    """Whether something that the person does now is to be noted: at most once a minute, so that pages only read."""
    return now_us - session.seen_us >= _STIR_US


def keep(session: str, now_us: int) -> Work[None]:
    """Note that the person did something: the session stays for another quarter of an hour, up to its last moment."""
    yield Round(data=(store.KEEP_SESSION(id=session, now=now_us, until_us=now_us + IDLE_US),))


def lift(
    session: str, level: AuthLevel, client: str, contact: str, *, challenge: str, now_us: int
) -> Work[int]:
    """Let the session stand as ``level`` for one contact of a client, for five minutes; return until when.

    0 when the session is not live any more.
    """
    until_us = now_us + LIFT_US
    (rows,) = yield Round(
        data=(
            store.LIFT_SESSION(
                id=session,
                level=int(level),
                client=client,
                contact=contact,
                challenge=challenge,
                until_us=until_us,
                now=now_us,
            ),
        )
    )
    return until_us if rows else 0


def end(session: str, now_us: int) -> Work[str]:
    """End one session; return whose it was, or "" when it was over."""
    (rows,) = yield Round(data=(store.END_SESSION(id=session, now=now_us),))
    return str(rows[0][0]) if rows else ""


def end_all(person: str, now_us: int, *, but: str = "") -> Work[list[str]]:
    """End every live session of a person, but the one named; return their ids."""
    (rows,) = yield Round(data=(store.END_SESSIONS(person=person, but=but, now=now_us),))
    return [row[0] for row in rows]


def _signed_in(row: Row) -> SignedIn:
    return SignedIn(
        id=row[0],
        person=row[1],
        method=row[2],
        factor=row[3],
        seen_by=words(row[4]),
        peer=row[5],
        agent=row[6],
        created_us=row[7],
        seen_us=row[8],
        expires_us=row[9],
        ends_us=row[10],
        staff_id=row[11],
        employer=row[12],
        label=row[13],
        state=PersonState(row[14]),
        roles=roles_of(row[15]),
    )
