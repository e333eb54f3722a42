"""The house's two signing keys and its name in the world, in a 0600 file beside no database.

One Ed25519 and one ML-DSA-44 key sign all logs of a house. In each log they sign under the log's own origin as key
name, so every log has its own verifier keys and a signature for one log says nothing about another.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from holdfast.kit.crypto.signing import SEED_BYTES, Ed25519Key, MlDsa44Key
from holdfast.kit.errors import Conflict, IntegrityBroken, InvalidInput, NotFound
from holdfast.kit.files import write_once
from holdfast.kit.ids import random_bytes
from holdfast.kit.secret import Secret
from holdfast.spine.ledger.memory import Memory
from holdfast.spine.ledger.names import origin_of
from holdfast.spine.ledger.note import Ed25519Signer, MlDsa44Signer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from holdfast.spine.ledger.note import NoteSigner, VerifierKey

FOLDER: Final = "signing"
FILE: Final = "keys"
MOST_NAME_BYTES: Final = 120


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """The keys of one house. ``name`` begins every origin, e.g. ``house.example/1a2b3c4d``; it never changes."""

    name: str
    ed25519: Ed25519Key = field(repr=False)
    ml_dsa_44: MlDsa44Key = field(repr=False)

    @classmethod
    def load_or_create(
        cls,
        folder: Path,
        *,
        host: str,
        seal: Callable[[bytes], bytes],
        unseal: Callable[[bytes], bytes],
    ) -> SigningKeys:
        """Read the keys, or make them when the folder holds none yet; see :meth:`load` and :meth:`create`."""
        try:
            return cls.load(folder, unseal=unseal)
        except NotFound:
            return cls.create(folder, host=host, seal=seal)

    @classmethod
    def load(cls, folder: Path, *, unseal: Callable[[bytes], bytes]) -> SigningKeys:
        """Read the keys. :class:`NotFound` without a file, :class:`IntegrityBroken` when it does not open."""
        try:
            sealed = (folder / FILE).read_bytes()
        except FileNotFoundError:
            raise NotFound(
                "the house has no signing keys",
                remedy="`holdfast init` makes them.",
                code="no_signing_keys",
            ) from None
        return _decode(unseal(sealed))

    @classmethod
    def create(cls, folder: Path, *, host: str, seal: Callable[[bytes], bytes]) -> SigningKeys:
        """Make new keys and an empty signer's memory; :class:`Conflict` when there are keys already.

        The name is ``host`` and 32 random bits, so that two houses of the same host are two origins.
        """
        name = f"{host}/{random_bytes(4).hex()}"
        if len(name.encode()) > MOST_NAME_BYTES or any(c.isspace() or c == "+" for c in name):
            raise InvalidInput("the public origin's host cannot name a log", field="origin")
        seeds = random_bytes(SEED_BYTES), random_bytes(SEED_BYTES)
        document = {"v": 1, "name": name, "ed25519": seeds[0].hex(), "ml_dsa_44": seeds[1].hex()}
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        if not (folder / FILE).exists():
            Memory.create(folder)
        _write_once(folder / FILE, seal(json.dumps(document).encode()))
        return cls(name, Ed25519Key(Secret(seeds[0])), MlDsa44Key(Secret(seeds[1])))

    def origin(self, log: str) -> str:
        """The origin line of ``log``."""
        return origin_of(self.name, log)

    def signers(self, log: str) -> tuple[NoteSigner, NoteSigner]:
        """Those who sign the checkpoints of ``log``: Ed25519 first, which every C2SP tool can check."""
        origin = self.origin(log)
        return Ed25519Signer(origin, self.ed25519), MlDsa44Signer(origin, self.ml_dsa_44)

    def verifier_keys(self, log: str) -> tuple[VerifierKey, ...]:
        """The public halves for ``log``."""
        return tuple(signer.key for signer in self.signers(log))

    def vkeys(self, log: str) -> tuple[str, str]:
        """What the client is given: the vkeys of ``log``, Ed25519 and ML-DSA-44."""
        ed25519, ml_dsa_44 = self.signers(log)
        return ed25519.key.text, ml_dsa_44.key.text


def _decode(raw: bytes) -> SigningKeys:
    try:
        document = json.loads(raw)
        return SigningKeys(
            str(document["name"]),
            Ed25519Key(Secret(bytes.fromhex(document["ed25519"]))),
            MlDsa44Key(Secret(bytes.fromhex(document["ml_dsa_44"]))),
        )
    except (ValueError, KeyError, TypeError):
        raise IntegrityBroken("the file of the signing keys is damaged") from None


def _write_once(path: Path, content: bytes) -> None:
    try:
        write_once(path, content)
    except FileExistsError:
        raise Conflict("the house has signing keys already", code="keys_exist") from None
