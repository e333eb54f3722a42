"""How fast one may ask: a token bucket for each credential and for each client, and a share of what is under way.

All of it stands in this process's memory and is asked before the turn begins, in constant time. Three rules keep it
from being turned against others (SPINE 23):

- A credential has a bucket and a share of its own only once a request with it was answered; until then it shares those
  of its network address. So inventing credentials wins nothing, and takes nothing from those that are known.
- A client's bucket is charged only by credentials that were shown something of this client.
- Only a full bucket is ever forgotten, which is the same as a new one: nobody empties the table to fill their own.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Final

from holdfast.kit.buckets import MOST_KNOWN, Buckets
from holdfast.kit.clock import monotonic_s
from holdfast.kit.errors import TooMany

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from holdfast.kit.config import Rate

MOST_CLIENTS: Final = 64  # of one credential
SHARE: Final = (
    64  # requests of one credential, or of one address without a known one, under way at once
)
STRANGERS: Final = 256  # requests of all that are not known yet, under way at once


class Pass:
    """One request under way."""

    __slots__ = ("client", "credential", "known", "peer")

    def __init__(self, credential: bytes, peer: str, *, known: bool) -> None:
        self.credential = credential
        self.peer = peer
        self.known = known
        self.client = ""


class Gate:
    """One per data plane process."""

    def __init__(
        self, per_credential: Rate, per_client: Rate, *, now: Callable[[], float] = monotonic_s
    ) -> None:
        self._credentials = Buckets(per_credential, now)
        self._strangers = Buckets(per_credential, now)
        self._clients = Buckets(per_client, now)
        self._known: dict[bytes, dict[str, None]] = {}  # credential → clients that it was shown
        self._under_way: dict[Hashable, int] = {}
        self._strange = 0

    def enter(self, credential: bytes, peer: str) -> Pass:
        """Let a request in; :class:`TooMany` when its credential (or address, while unknown) asks too fast."""
        known = credential in self._known
        who: Hashable = credential if known else peer
        if self._under_way.get(who, 0) >= SHARE or (not known and self._strange >= STRANGERS):
            raise TooMany("too many of your requests are under way", retry_after_s=1)
        wait_s = (self._credentials if known else self._strangers).take(who)
        if wait_s:
            raise TooMany("you ask too fast", retry_after_s=ceil(wait_s))
        self._under_way[who] = self._under_way.get(who, 0) + 1
        self._strange += not known
        return Pass(credential, peer, known=known)

    def name_client(self, given: Pass, client: str) -> None:
        """Charge the client that the request names, if it is known to be the credential's business."""
        given.client = client
        if client in self._known.get(given.credential, ()):
            wait_s = self._clients.take(client)
            if wait_s:
                raise TooMany("too much is asked of this client", retry_after_s=ceil(wait_s))

    def leave(self, given: Pass, *, answered: bool, shown: bool) -> None:
        """The request is over. ``answered``: its credential was accepted; ``shown``: what it asked was done."""
        who: Hashable = given.credential if given.known else given.peer
        left = self._under_way[who] - 1
        if left:
            self._under_way[who] = left
        else:
            del self._under_way[who]
        self._strange -= not given.known
        if not answered:
            return
        clients = self._known.get(given.credential)
        if clients is None:
            if len(self._known) >= MOST_KNOWN:
                self._known.pop(next(iter(self._known)))
            clients = self._known[given.credential] = {}
        if shown and given.client and len(clients) < MOST_CLIENTS:
            clients[given.client] = None

    def refuse(self, given: Pass) -> None:
        """The credential was not accepted (any more): it is unknown from here on. Its bucket stays as it is."""
        self._known.pop(given.credential, None)
