"""What this procedure contributes."""

from typing import Final

from holdfast.vocabulary.manifest import Manifest

MANIFEST: Final = Manifest(
    procedure=6,
    name="network",
    title="Secure network and strong login",
    sentence="Sessions are bound to device and zone.",
)
