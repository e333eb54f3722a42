"""Django's session engine: a browser's state between two requests, sealed and under the hash of its cookie.

It holds ceremonies under way. Who is signed in stands elsewhere, in a row that an operation reads in its own
transaction (:mod:`holdfast.spine.identity.sessions`).
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from django.contrib.sessions.backends.base import CreateError, SessionBase, UpdateError

from holdfast.edges.console.store import (
    ADD_BROWSER,
    BROWSER,
    FORGET_BROWSER,
    HAS_BROWSER,
    KEEP_BROWSER,
)
from holdfast.kit.clock import HOUR_US, MINUTE_US
from holdfast.kit.db import Round
from holdfast.kit.errors import IntegrityBroken
from holdfast.pages.house import house
from holdfast.spine.identity.sessions import hash_cookie

if TYPE_CHECKING:
    from holdfast.kit.db import Query, Rows, Work

SIGNED_IN: Final = "holdfast.signed_in"
_KIND: Final = "browser"
_STRANGER_US: Final = 15 * MINUTE_US  # of somebody who has not signed in yet
_PERSON_US: Final = 12 * HOUR_US


def _run(query: Query) -> Work[Rows]:
    (rows,) = yield Round(data=(query,))
    return rows


class SessionStore(SessionBase):
    """One browser's state."""

    def load(self) -> dict[str, Any]:
        """Return the state; a cookie that is unknown or too old gets none, and no session under its own name."""
        hashed = hash_cookie(self.session_key or "")
        rows = house().read(_run(BROWSER(hash=hashed, now=house().clock.now_us())))
        if self.session_key and rows:
            with suppress(IntegrityBroken):
                opened = house().console_key.unseal(_KIND, bytes(rows[0][0]), about=hashed)
                state: dict[str, Any] = json.loads(opened)
                return state
        self._session_key = None
        return {}

    def exists(self, session_key: str) -> bool:
        """Tell whether a browser has this key."""
        return bool(house().read(_run(HAS_BROWSER(hash=hash_cookie(session_key)))))

    def create(self) -> None:
        """Draw a new key: 165 random bits."""
        while True:
            self._session_key = self._get_new_session_key()  # type: ignore[attr-defined]  # not in the stubs
            with suppress(CreateError):
                self.save(must_create=True)
                self.modified = True
                return

    def save(self, must_create: bool = False) -> None:  # noqa: FBT001, FBT002  Django's interface
        """Write the state. ``CreateError`` if the key is taken, ``UpdateError`` if the row is gone."""
        if self.session_key is None:
            self.create()
            return
        hashed = hash_cookie(self.session_key)
        state = json.dumps(self._get_session(no_load=must_create)).encode()  # type: ignore[attr-defined]
        life_us = _PERSON_US if self.get(SIGNED_IN) else _STRANGER_US
        write = ADD_BROWSER if must_create else KEEP_BROWSER
        row = write(
            hash=hashed,
            sealed=house().console_key.seal(_KIND, state, about=hashed),
            expires_us=house().clock.now_us() + life_us,
        )
        if not house().transact(_run(row)):
            raise CreateError if must_create else UpdateError

    def delete(self, session_key: str | None = None) -> None:
        """Forget a browser's state."""
        key = session_key or self.session_key
        if key:
            house().transact(_run(FORGET_BROWSER(hash=hash_cookie(key), nothing=b"")))

    @classmethod
    def clear_expired(cls) -> None:
        """Nothing: the worker trims by age (:mod:`holdfast.edges.worker.retention`)."""
