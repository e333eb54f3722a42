"""The subtractive half of an erasure: a customer's rows leave the ``keys`` store, and its files are searched for them.

SQLite overwrites deleted content (``secure_delete``), but the write-ahead log keeps earlier page images until it is
truncated, and that waits for readers. So: delete → truncate → search the bytes of the files. Only when nothing is found
is the customer erased (SPINE 19).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdfast.kit.db.sqlite import begin_immediate, execute, write_anew
from holdfast.kit.errors import IntegrityBroken, Unavailable
from holdfast.spine.vault.blindindex import TOKEN_BYTES, suppression_mac
from holdfast.spine.vault.keyring import store as keyring
from holdfast.spine.vault.load import tombstone_mac

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from holdfast.kit.db import Rows
    from holdfast.kit.db.sqlite import Connection
    from holdfast.spine.vault.hierarchy import ClientKeys

_ERASURES: Final = (
    keyring.ERASE_DEKS,
    keyring.ERASE_INDEX,
    keyring.ERASE_IMPORT_KEYS,
    keyring.ERASE_HEADS,
    keyring.ERASE_REFERENCE,
    keyring.ERASE_OPERATIONS,
)
_TRIES: Final = 3
_CHUNK_BYTES: Final = 4 * 1024 * 1024


def erase_keys(keys: Connection, opened: ClientKeys, customer: str, *, now_us: int) -> list[bytes]:
    """Delete all of a customer in one transaction; return byte strings that must then be nowhere in the files.

    What remains are hashes: of the id, so that no key is made for it again, and of the customer's number, so that a
    ``data`` store put back from before the erasure learns again whom not to import. It may run again after a crash: the
    customer's id, which stands in every row, is always among the byte strings.
    """
    client = opened.client
    whose = {"client": client, "customer": customer}
    needles = [customer.encode()]
    for _, _, wrapped, commitment in execute(keys, keyring.DEKS(**whose)):
        needles += (wrapped, commitment)
    import_keys = execute(keys, keyring.CUSTOMER_TOKENS(**whose))
    needles += [token for _, token in import_keys]
    remaining = [tombstone_mac(customer)]
    remaining += [
        suppression_mac(opened, token) for collection, token in import_keys if not collection
    ]
    tokens = execute(keys, keyring.INDEX_TOKENS(**whose))
    begin_immediate(keys)
    try:
        for mac in remaining:
            execute(keys, keyring.ADD_TOMBSTONE(client=client, mac=mac, at_us=now_us))
        for erase in _ERASURES:
            execute(keys, erase(**whose))
        keys.execute("COMMIT")
    except BaseException:
        if keys.in_transaction:
            keys.execute("ROLLBACK")
        raise
    if execute(keys, keyring.REMAINS(**whose))[0][0]:
        raise IntegrityBroken("rows of an erased customer remain in the keys store")
    return needles + _own_tokens(keys, client, tokens)


def _own_tokens(keys: Connection, client: str, tokens: Rows) -> list[bytes]:
    """Leave out what other customers share: short tokens by design, long ones where two have the same number."""
    return [
        token
        for collection, field, token in tokens
        if len(token) == TOKEN_BYTES
        and not execute(
            keys,
            keyring.IS_TOKEN_USED(client=client, collection=collection, field=field, token=token),
        )
    ]


def truncate_log(connection: Connection) -> None:
    """Write the log back and cut it to nothing; :class:`Unavailable` while a reader keeps it from that."""
    for _ in range(_TRIES):  # each waits for the busy timeout of the connection
        busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if not busy:
            return
    raise Unavailable(
        "a reader keeps the log of the keys store open, so erased keys cannot be overwritten yet",
        remedy="The erasure goes on by itself; nothing can be read meanwhile.",
        retry_after_s=5,
    )


def erase_bytes(keys: Connection, store: Path, needles: Sequence[bytes]) -> None:
    """Make sure that none of ``needles`` stands in a store's files; see :func:`search_files` for what is raised.

    SQLite moves rows between pages and leaves copies in the unused part of the old ones, which ``secure_delete`` does
    not overwrite. Where the search finds such a copy, the store is written anew, page by page.
    """
    truncate_log(keys)
    try:
        search_files(store, needles)
    except IntegrityBroken:
        write_anew(keys)
        truncate_log(keys)
        search_files(store, needles)


def search_files(store: Path, needles: Sequence[bytes]) -> None:
    """Raise :class:`IntegrityBroken` if any of ``needles`` stands in a store's files, free pages and log included."""
    for path in (
        store,
        store.with_name(f"{store.name}-wal"),
        store.with_name(f"{store.name}-journal"),
    ):
        if path.exists() and _holds(path, needles):
            raise IntegrityBroken(
                f"{path.name} still holds bytes of an erased customer",
                remedy="Stop the house and run the erasure again; it completes at the next start.",
                code="erasure_incomplete",
            )


def _holds(path: Path, needles: Sequence[bytes]) -> bool:
    overlap = max(map(len, needles)) - 1
    tail = b""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            window = tail + chunk
            if any(needle in window for needle in needles):
                return True
            tail = window[-overlap:]
    return False
