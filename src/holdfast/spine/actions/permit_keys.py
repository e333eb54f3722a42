"""The keys that sign permits, and which of them counts when.

There is one, or two while one takes the other's place::

    rotated            a minute later             a minute later           ten minutes later
    the new one is     it signs; the old one      no permit by the old     no outcome of one can be
    in the JWK Set     signs no more              one is good any more     told: the old one is gone

The minute before the new key signs is for targets that fetch the set at most once a minute: whoever fetched it a moment
before the first permit by the new key has that key. Everything follows from the times; nothing has to run.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import msgspec

from holdfast.kit.canonical import canonical_json
from holdfast.kit.clock import MINUTE_US
from holdfast.kit.errors import IntegrityBroken, NotFound
from holdfast.kit.files import write_durably, write_once
from holdfast.kit.ids import random_bytes
from holdfast.kit.secret import Secret
from holdfast.spine.actions.permits import LIFE_US, TOLD_WITHIN_US, PermitKey, no_such_permit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from holdfast.spine.actions.permits import Claims

KNOWN_FIRST_US: Final = MINUTE_US
FILE: Final = "permit-keys"
_SEED_BYTES: Final = 32
_OWNER_ONLY: Final = 0o600


class _Seed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    seed: str
    from_us: int


class _Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    v: Literal[1]
    keys: tuple[_Seed, ...]


class Held(NamedTuple):
    """One key: from when it signs, from when the next one does in its place (None for the last), and its seed."""

    key: PermitKey
    seed: Secret[bytes]
    from_us: int
    next_us: int | None = None

    def listed(self, now_us: int) -> bool:
        """Whether a permit by it can still be good: then it stands in the JWK Set."""
        return self.next_us is None or now_us < self.next_us + LIFE_US

    def accepted(self, now_us: int) -> bool:
        """Whether the outcome of a permit by it can still be told."""
        return self.next_us is None or now_us < self.gone_us

    def standing(self, now_us: int) -> str:
        """In a word: ``next``, ``signs``, ``ends`` (its last permits, and their outcomes) or ``gone``."""
        if now_us < self.from_us:
            return "next"
        if self.next_us is None or now_us < self.next_us:
            return "signs"
        return "ends" if self.accepted(now_us) else "gone"

    @property
    def gone_us(self) -> int:
        """When nothing by it counts any more, of a key that has a successor."""
        assert self.next_us is not None
        return self.next_us + LIFE_US + TOLD_WITHIN_US


class PermitKeys:
    """All keys of a house that sign, will sign or have signed, the oldest first."""

    def __init__(self, seeds: tuple[tuple[Secret[bytes], int], ...]) -> None:
        nexts = (*(from_us for _, from_us in seeds[1:]), None)
        self.held = tuple(
            Held(PermitKey(seed), seed, from_us, next_us)
            for (seed, from_us), next_us in zip(seeds, nexts, strict=True)
        )

    @classmethod
    def first(cls, now_us: int) -> PermitKeys:
        """Make the first key of a house; it signs at once, as no target knows another."""
        return cls(((_seed(), now_us),))

    def signing(self, now_us: int) -> PermitKey:
        """The key that signs now."""
        held = self.held
        return next((one.key for one in reversed(held) if one.from_us <= now_us), held[0].key)

    def jwk_set(self, now_us: int) -> dict[str, Any]:
        """The public halves as a JWK Set (RFC 7517), for targets to fetch."""
        return {"keys": [one.key.jwk for one in self.held if one.listed(now_us)]}

    def read(self, text: str, now_us: int) -> Claims:
        """Return the claims of one of our permits; :class:`NotFound` for anything else, always in the same words."""
        for one in self.held:
            if one.accepted(now_us):
                with suppress(NotFound):
                    return one.key.read(text)
        raise no_such_permit()

    def settled_us(self, now_us: int) -> int:
        """When the last rotation is over, if it is not yet; else 0."""
        waiting = [one.gone_us for one in self.held[:-1] if one.accepted(now_us)]
        return max(waiting, default=0)

    def rotated(self, now_us: int) -> PermitKeys:
        """These keys with a new one that takes over in a minute; of older ones only the last is kept."""
        last = self.held[-1]
        return PermitKeys(((last.seed, last.from_us), (_seed(), now_us + KNOWN_FIRST_US)))

    def document(self) -> bytes:
        """How the keys are kept; to be sealed."""
        keys = [{"from_us": one.from_us, "seed": one.seed.reveal().hex()} for one in self.held]
        return canonical_json({"keys": keys, "v": 1})

    @classmethod
    def of(cls, document: bytes) -> PermitKeys:
        """Read what :meth:`document` wrote; :class:`IntegrityBroken` for anything else."""
        try:
            read = msgspec.json.decode(document, type=_Document)
            seeds = [(Secret(bytes.fromhex(one.seed)), one.from_us) for one in read.keys]
        except (ValueError, msgspec.MsgspecError):
            seeds = []
        if not seeds or any(len(seed.reveal()) != _SEED_BYTES for seed, _ in seeds):
            raise IntegrityBroken("the file of the keys for permits is damaged")
        return cls(tuple(seeds))


def _seed() -> Secret[bytes]:
    return Secret(random_bytes(_SEED_BYTES))


class PermitKeyFile:
    """The file of the keys, beside the logs' signing keys and in no database: a restore brings no old key back.

    It is read again whenever another process has replaced it.
    """

    def __init__(
        self, folder: Path, *, seal: Callable[[bytes], bytes], unseal: Callable[[bytes], bytes]
    ) -> None:
        self._path = folder / FILE
        self._seal = seal
        self._unseal = unseal
        self._read: tuple[object, PermitKeys] | None = None

    @property
    def lock_path(self) -> Path:
        """What a process locks while it rotates."""
        return self._path.with_name(f"{FILE}.lock")

    def read_or_make(self, now_us: int) -> PermitKeys:
        """Return the keys; on first use make one, and whoever makes it first wins."""
        found = self.read()
        if found is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileExistsError):  # another process was faster; its key is the house's
                made = PermitKeys.first(now_us)
                write_once(self._path, self._seal(made.document()), mode=_OWNER_ONLY)
            found = self.read()
        assert found is not None
        return found

    def read(self) -> PermitKeys | None:
        """Return the keys, or None when none was made yet."""
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            return None
        mark = stat.st_ino, stat.st_mtime_ns, stat.st_size
        if self._read is None or self._read[0] != mark:
            self._read = mark, PermitKeys.of(self._unseal(self._path.read_bytes()))
        return self._read[1]

    def replace(self, keys: PermitKeys) -> None:
        """Write other keys in their place."""
        write_durably(self._path, self._seal(keys.document()), mode=_OWNER_ONLY)
