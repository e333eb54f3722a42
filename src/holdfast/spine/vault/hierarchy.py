"""The key hierarchy: root → client key (by epoch) → data key per (customer, class).

``ensure_client_keys(root, client) -> Work[None]``      makes a client's keys once; call it when the client is added
``client_keys(keks, client, fence) -> Work[ClientKeys]``  unwrapped, from the cache when the fence is the same
``ClientKeys.new_class_key(customer, data_class) -> (ClassKey, DekRow)``, ``ClientKeys.open_class_key(customer,
row) -> ClassKey``
``record_key(keys, month) -> Work[Secret[bytes]]``       the key of a month's decision records, made on first use

Client keys are cached per (client, fence): whatever narrows access bumps the fence, and the next request unwraps anew.
Data keys are **never** cached: their deletion takes effect at once, everywhere. A data key is split by HMAC-SHA-512
into a field key and a commitment that is stored beside the wrapped key, so that a ciphertext opens under one data key
only (AES-GCM and GCM-SIV alone do not promise that).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.kit.canonical import length_prefixed
from holdfast.kit.crypto.aead import (
    GCM_SIV,
    KEY_BYTES,
    NONCE_BYTES,
    Aead,
    aead,
    open_with,
    seal_with,
)
from holdfast.kit.crypto.mac import equal, hmac_sha256, hmac_sha512, keyed_sha256, sha256
from holdfast.kit.db import Round
from holdfast.kit.errors import IntegrityBroken
from holdfast.kit.ids import random_bytes
from holdfast.kit.secret import Secret
from holdfast.spine.vault.keyring import store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from holdfast.kit.db import Row, Work
    from holdfast.spine.vault.roots import Root

WRAP: Final = "wrap"
INDEX: Final = "index"
CLIENT_ERASED: Final = sha256(
    b"holdfast/client-tombstone/v1"
)  # stands for a client that gets no keys again
NEW_DEK_RANDOM_BYTES: Final = KEY_BYTES + NONCE_BYTES
_EPOCH_BYTES: Final = 4
_PREFIX_BYTES: Final = _EPOCH_BYTES + 1  # and the suite
_NO_KEK: Final = "a key is wrapped under a client key that does not exist"
_SUITE: Final = bytes((GCM_SIV,))
_SPLIT: Final = b"split-v1"
# seven parts: label, suite, client, customer, class, version, epoch
_DEK: Final = (7).to_bytes(4, "big") + length_prefixed(b"holdfast/dek/v1", _SUITE)[4:]
_CLASSES: Final = tuple(bytes((number,)) for number in range(256))


class DekRow(NamedTuple):
    """A wrapped data key as :data:`~holdfast.spine.vault.keyring.store.DEKS` loads it."""

    data_class: int
    version: int
    wrapped: bytes
    commitment: bytes


class ClassKey(NamedTuple):
    """An opened data key of one (customer, class). It lives as long as one operation."""

    data_class: int
    version: int
    suite: int
    cipher: Aead
    dek: bytes
    label: bytes  # binds what is derived from the key to client, customer and class

    def __repr__(self) -> str:
        return f"ClassKey(C{self.data_class} v{self.version} …)"

    def compare_key(self) -> bytes:
        """Return the key for hashes that compare values: verification, and whether a row has changed."""
        return hmac_sha512(self.dek, b"compare-v1" + self.label)[:KEY_BYTES]


class ClientKeys:
    """A client's unwrapped keys. Hand it on, do not keep it: the cache does."""

    def __init__(
        self, client: str, keks: dict[int, bytes], index_root: bytes, *, suite: int = GCM_SIV
    ) -> None:
        self.client = client
        self.suite = suite
        self.epoch = max(keks)
        self._keks = {epoch: aead(GCM_SIV, key) for epoch, key in keks.items()}
        self._by_prefix = {_word(epoch) + _SUITE: kek for epoch, kek in self._keks.items()}
        self._index_root = index_root
        self._index_keys: dict[tuple[str, str], bytes] = {}
        self._macs: dict[tuple[str, str], Callable[[bytes], bytes]] = {}
        self._label = length_prefixed(client.encode())[4:]
        self._record_keys: dict[str, Secret[bytes]] = {}
        self.decoys: dict[str, object] = {}  # records.py keeps one sealed decoy per schema here

    @classmethod
    def of_nobody(cls) -> ClientKeys:
        """Make keys that open nothing, for the work done on behalf of a client that does not exist."""
        return cls("", {1: random_bytes(KEY_BYTES)}, random_bytes(KEY_BYTES))

    def __repr__(self) -> str:
        return f"ClientKeys({self.client!r}, epoch={self.epoch})"

    def index_key(self, collection: str, purpose: str) -> bytes:
        """Return the key of one blind index (or import key, suppression list) of the client."""
        name = (collection, purpose)
        found = self._index_keys.get(name)
        if found is None:
            label = length_prefixed(
                b"holdfast/index/v1", self.client.encode(), collection.encode(), purpose.encode()
            )
            found = self._index_keys[name] = hmac_sha256(self._index_root, label)
        return found

    def mac(self, purpose: str, message: bytes, *, collection: str = "") -> bytes:
        """Return a keyed hash (32 bytes) of something that may be guessed, under the index key of ``purpose``."""
        return self.mac_under(collection, purpose)(message)

    def mac_under(self, collection: str, purpose: str) -> Callable[[bytes], bytes]:
        """Return :meth:`mac` of one index key as a function: for who hashes much under it."""
        name = (collection, purpose)
        found = self._macs.get(name)
        if found is None:
            found = self._macs[name] = keyed_sha256(self.index_key(*name))
        return found

    def new_class_key(self, customer: str, data_class: int) -> tuple[ClassKey, DekRow]:
        """Make a data key of version 1."""
        random = random_bytes(NEW_DEK_RANDOM_BYTES)
        (made,) = self.new_class_keys(((customer, data_class),), random)
        return made

    def new_class_keys(
        self, wanted: Sequence[tuple[str, int]], random: bytes
    ) -> list[tuple[ClassKey, DekRow]]:
        """Make a data key of version 1 per (customer, class).

        ``random`` is :data:`NEW_DEK_RANDOM_BYTES` fresh bytes for each. Each step is taken for all of them before the
        next: its code then stays in the processor's caches.
        """
        epoch, suite = self.epoch, self.suite
        encrypt, wrapped_by = self._keks[epoch].encrypt, _word(epoch) + _SUITE
        whose = {customer: self._whose(customer) for customer, _ in wanted}
        starts = range(0, NEW_DEK_RANDOM_BYTES * len(wanted), NEW_DEK_RANDOM_BYTES)
        deks = [random[at : at + KEY_BYTES] for at in starts]
        nonces = [random[at + KEY_BYTES : at + NEW_DEK_RANDOM_BYTES] for at in starts]
        bound = [
            _DEK + whose[customer] + _dek_tail(data_class, 1, epoch)
            for customer, data_class in wanted
        ]
        sealed = list(map(encrypt, nonces, deks, bound))
        labels = [whose[customer] + _CLASSES[data_class] for customer, data_class in wanted]
        both = [hmac_sha512(dek, _SPLIT + label) for dek, label in zip(deks, labels, strict=True)]
        ciphers = [aead(suite, one[:KEY_BYTES]) for one in both]
        return [
            (
                ClassKey(data_class, 1, suite, cipher, dek, label),
                DekRow(data_class, 1, wrapped_by + nonce + box, halves[KEY_BYTES:]),
            )
            for (_, data_class), cipher, dek, label, nonce, box, halves in zip(
                wanted, ciphers, deks, labels, nonces, sealed, both, strict=True
            )
        ]

    def open_class_key(self, customer: str, row: DekRow) -> ClassKey:
        """Unwrap one data key; see :meth:`open_class_keys`."""
        (key,) = self.open_class_keys(customer, (row,))
        return key

    def open_class_keys(
        self, customer: str, rows: Iterable[tuple[int, int, bytes, bytes]]
    ) -> list[ClassKey]:
        """Unwrap data keys of one customer, rows of ``keyring.store.DEKS``.

        :class:`IntegrityBroken` if one is another's, edited, or not the one that was committed to.
        """
        whose, suite = self._whose(customer), self.suite
        head, opened = _DEK + whose, []
        for data_class, version, wrapped, committed in rows:
            kek = self._by_prefix.get(wrapped[:_PREFIX_BYTES])
            if kek is None:
                raise IntegrityBroken(_NO_KEK)
            tail = _dek_tail(data_class, version, int.from_bytes(wrapped[:_EPOCH_BYTES], "big"))
            dek = open_with(kek, wrapped[_EPOCH_BYTES:], head + tail)
            label = whose + _CLASSES[data_class]
            both = hmac_sha512(dek, _SPLIT + label)
            if not equal(both[KEY_BYTES:], committed):
                raise IntegrityBroken("a data key is not the one that was committed to")
            cipher = aead(suite, both[:KEY_BYTES])
            opened.append(ClassKey(data_class, version, suite, cipher, dek, label))
        return opened

    def _whose(self, customer: str) -> bytes:
        encoded = customer.encode()
        return self._label + len(encoded).to_bytes(4, "big") + encoded

    def cached_record_key(self, month: str) -> Secret[bytes] | None:
        """Return the month's record key if this process has unwrapped it under the present fence."""
        return self._record_keys.get(month)

    def new_record_key(self, month: str) -> bytes:
        """Make a month's record key and return it wrapped."""
        aad = self._record_aad(month, self.epoch)
        sealed = seal_with(
            self._keks[self.epoch], GCM_SIV, random_bytes(NONCE_BYTES), random_bytes(KEY_BYTES), aad
        )
        return self.epoch.to_bytes(_EPOCH_BYTES, "big") + sealed

    def open_record_key(self, month: str, wrapped: bytes) -> Secret[bytes]:
        """Unwrap a month's record key and keep it until the fence moves."""
        epoch = int.from_bytes(wrapped[:_EPOCH_BYTES], "big")
        kek = self._keks.get(epoch)
        if kek is None or wrapped[_EPOCH_BYTES : _EPOCH_BYTES + 1] != _SUITE:
            raise IntegrityBroken("a record key is wrapped under a client key that does not exist")
        key = Secret(open_with(kek, wrapped[_EPOCH_BYTES:], self._record_aad(month, epoch)))
        self._record_keys[month] = key
        return key

    def new_hold_key(self, hold: str, reference: str) -> bytes:
        """Make the key of what a hold keeps, and return it wrapped."""
        aad = self._hold_aad(hold, reference, self.epoch)
        sealed = seal_with(
            self._keks[self.epoch], GCM_SIV, random_bytes(NONCE_BYTES), random_bytes(KEY_BYTES), aad
        )
        return self.epoch.to_bytes(_EPOCH_BYTES, "big") + sealed

    def open_hold_key(self, hold: str, reference: str, wrapped: bytes) -> bytes:
        """Unwrap the key of a hold; :class:`IntegrityBroken` for another's."""
        kek = self._by_prefix.get(wrapped[:_PREFIX_BYTES])
        if kek is None:
            raise IntegrityBroken(_NO_KEK)
        epoch = int.from_bytes(wrapped[:_EPOCH_BYTES], "big")
        return open_with(kek, wrapped[_EPOCH_BYTES:], self._hold_aad(hold, reference, epoch))

    def _hold_aad(self, hold: str, reference: str, epoch: int) -> bytes:
        parts = (self.client.encode(), hold.encode(), reference.encode(), _word(epoch))
        return length_prefixed(b"holdfast/hold-key/v1", _SUITE, *parts)

    def _record_aad(self, month: str, epoch: int) -> bytes:
        return length_prefixed(
            b"holdfast/record-key/v1", _SUITE, self.client.encode(), month.encode(), _word(epoch)
        )


class Keks:
    """Cache of unwrapped client keys, one entry per client, valid for one fence."""

    def __init__(self, root: Root, *, suite: int = GCM_SIV) -> None:
        self._root = root
        self._suite = suite
        self._cached: dict[str, tuple[int, ClientKeys]] = {}

    def cached(self, client: str, fence: int) -> ClientKeys | None:
        """Return the client's keys if they were unwrapped under this fence."""
        found = self._cached.get(client)
        return found[1] if found is not None and found[0] == fence else None

    def unwrap(self, client: str, fence: int, rows: Sequence[Row]) -> ClientKeys:
        """Unwrap as :meth:`opened` does, and keep the keys for this fence."""
        keys = self.opened(client, rows)
        self._cached[client] = (fence, keys)
        return keys

    def opened(self, client: str, rows: Sequence[Row]) -> ClientKeys:
        """Unwrap rows of ``keyring.store.KEKS``; :class:`IntegrityBroken` if there are none."""
        keks: dict[int, bytes] = {}
        index_root = b""
        newest = 0
        for purpose, epoch, wrapped in rows:
            key = self._root.unwrap(bytes(wrapped), kek_aad(client, purpose, epoch))
            if purpose == WRAP:
                keks[epoch] = key
            elif epoch > newest:
                newest, index_root = epoch, key
        if not keks or not index_root:
            raise IntegrityBroken(f"client {client} has no keys", remedy="Restore the keys store.")
        return ClientKeys(client, keks, index_root, suite=self._suite)

    def forget(self, client: str) -> None:
        """Drop the client's keys from this process."""
        self._cached.pop(client, None)


def client_keys(keks: Keks, client: str, fence: int) -> Work[ClientKeys]:
    """Return the client's keys as of ``fence`` (``decision_client.fence``), asking the store only when it has moved."""
    found = keks.cached(client, fence)
    if found is not None:
        return found
    (rows,) = yield Round(keys=(store.KEKS(client=client),))
    return keks.unwrap(client, fence, rows)


def ensure_client_keys(root: Root, client: str) -> Work[None]:
    """Make a client's keys (epoch 1) unless it has them; additive, so it may run again after a crash."""
    yield Round(
        keys_writes=tuple(
            store.ADD_KEK(
                client=client,
                purpose=purpose,
                epoch=1,
                erased=CLIENT_ERASED,
                wrapped=root.wrap(random_bytes(KEY_BYTES), kek_aad(client, purpose, 1)),
            )
            for purpose in (WRAP, INDEX)
        )
    )


def record_key(keys: ClientKeys, month: str) -> Work[Secret[bytes]]:
    """Return the key of the client's decision records of ``month`` (``2026-11``), making it on first use."""
    found = keys.cached_record_key(month)
    if found is not None:
        return found
    ask = store.RECORD_KEY(client=keys.client, month=month)
    (rows,) = yield Round(keys=(ask,))
    if not rows:
        add = store.ADD_RECORD_KEY(
            client=keys.client, month=month, wrapped=keys.new_record_key(month)
        )
        (rows,) = yield Round(keys_writes=(add,), keys=(ask,))
    return keys.open_record_key(month, bytes(rows[0][0]))


def kept_record_key(keys: ClientKeys, month: str) -> Work[Secret[bytes] | None]:
    """Return the key of the client's decision records of ``month``, or None if there is none, or none any more."""
    (rows,) = yield Round(keys=(store.RECORD_KEY(client=keys.client, month=month),))
    return keys.open_record_key(month, bytes(rows[0][0])) if rows else None


def kek_aad(client: str, purpose: str, epoch: int) -> bytes:
    """Return what a client key is bound to when the root wraps it."""
    return length_prefixed(b"holdfast/kek/v1", client.encode(), purpose.encode(), _word(epoch))


def _word(value: int) -> bytes:
    return value.to_bytes(4, "big")


# The parts of associated data that are the same for every customer, built once.
@lru_cache(maxsize=4096)
def _dek_tail(data_class: int, version: int, epoch: int) -> bytes:
    return length_prefixed(_CLASSES[data_class], _word(version), _word(epoch))[4:]
