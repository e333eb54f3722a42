"""The subtractive half of an erasure: a customer's rows leave the ``keys`` store, and its files are searched for them.

A database does not overwrite all that it deletes, and its log keeps earlier images of pages. So: delete → wipe → search
the bytes of the files. Only when nothing is found is the customer erased (SPINE 19).
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from holdfast.kit.db.shell import writing
from holdfast.kit.errors import IntegrityBroken
from holdfast.spine.vault.blindindex import TOKEN_BYTES, suppression_mac
from holdfast.spine.vault.keyring import store as keyring
from holdfast.spine.vault.load import tombstone_mac

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from holdfast.kit.db import Rows
    from holdfast.kit.db.ports import Connection, Traces
    from holdfast.spine.vault.hierarchy import ClientKeys

_WORD: Final = 8
_LEAST: Final = 2 * _WORD - 1
_MANY: Final = 48  # one pass by words costs as much as some thirty to fifty searches for one
_ERASURES: Final = (
    keyring.ERASE_DEKS,
    keyring.ERASE_INDEX,
    keyring.ERASE_IMPORT_KEYS,
    keyring.ERASE_HEADS,
    keyring.ERASE_REFERENCE,
    keyring.ERASE_OPERATIONS,
)


#: Where rows of a customer stand.
TABLES: Final = frozenset(erase.text.split()[2] for erase in _ERASURES)  # DELETE FROM …


def erase_keys(keys: Connection, opened: ClientKeys, customer: str, *, now_us: int) -> list[bytes]:
    """Delete all of a customer in one transaction; return byte strings that must then be nowhere in the files.

    What remains are hashes: of the id, so that no key is made for it again, and of the customer's number, so that a
    ``data`` store put back from before the erasure learns again whom not to import. It may run again after a crash: the
    customer's id, which stands in every row, is always among the byte strings.
    """
    client = opened.client
    whose = {"client": client, "customer": customer}
    needles = [customer.encode()]
    for _, _, wrapped, commitment in keys.execute(keyring.DEKS(**whose)):
        needles += (wrapped, commitment)
    import_keys = keys.execute(keyring.CUSTOMER_TOKENS(**whose))
    needles += [token for _, token in import_keys]
    remaining = [tombstone_mac(customer)]
    remaining += [
        suppression_mac(opened, token) for collection, token in import_keys if not collection
    ]
    tokens = keys.execute(keyring.INDEX_TOKENS(**whose))
    with writing(keys):
        for mac in remaining:
            keys.execute(keyring.ADD_TOMBSTONE(client=client, mac=mac, at_us=now_us))
        for erase in _ERASURES:
            keys.execute(erase(**whose))
    if keys.execute(keyring.REMAINS(**whose))[0][0]:
        raise IntegrityBroken("rows of an erased customer remain in the keys store")
    return needles + _own_tokens(keys, client, tokens)


def _own_tokens(keys: Connection, client: str, tokens: Rows) -> list[bytes]:
    """Leave out what other customers share: short tokens by design, long ones where two have the same number."""
    return [
        token
        for collection, field, token in tokens
        if len(token) == TOKEN_BYTES
        and not keys.execute(
            keyring.IS_TOKEN_USED(client=client, collection=collection, field=field, token=token)
        )
    ]


class Bytes:
    """Byte strings to search for, few or many.

    Many are searched for in one pass: whatever is at least ``_LEAST`` bytes long holds a whole one of the words of
    eight bytes that the window is cut into. Their ends are looked at, since the beginnings of ids are alike.
    """

    def __init__(self, needles: Sequence[bytes]) -> None:
        self._needles = tuple(needles)
        self.longest = max(map(len, self._needles), default=1)
        long = [needle[-_LEAST:] for needle in self._needles if len(needle) >= _LEAST]
        self._singly = self._needles if len(long) < _MANY else self._short()
        self._words = (
            frozenset(_word(end[at : at + _WORD]) for end in long for at in range(_WORD))
            if len(long) >= _MANY
            else frozenset()
        )

    def _short(self) -> tuple[bytes, ...]:
        return tuple(needle for needle in self._needles if len(needle) < _LEAST)

    def stand_in(self, window: bytes) -> bool:
        """Tell whether one of them stands in ``window``."""
        if any(needle in window for needle in self._singly):
            return True
        whole = len(window) - len(window) % _WORD
        words = memoryview(window)[:whole].cast("Q") if self._words else ()
        if self._words.isdisjoint(words):
            return False
        return any(needle in window for needle in self._needles)


def _word(part: bytes) -> int:
    return int.from_bytes(part, sys.byteorder)


def erase_bytes(
    keys: Connection, traces: Traces, *, anew: bool = False, tables: Collection[str] = ()
) -> None:
    """Make sure that none of ``traces`` stands in the files of the ``keys`` store; ``tables`` are where they stood.

    Where the search, which is of everything, finds one, the store is written anew. Raises :class:`Unavailable` while a
    reader keeps it from that, and :class:`IntegrityBroken` when one is still there.
    """
    keys.wipe(anew=anew, tables=tables)
    if not keys.holds(traces):
        return
    if not anew:
        keys.wipe(anew=True)
    if anew or keys.holds(traces):
        raise IntegrityBroken(
            "the keys store still holds bytes of what was erased",
            remedy="Stop the house and run the erasure again; it completes at the next start.",
            code="erasure_incomplete",
        )
