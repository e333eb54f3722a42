"""What this procedure contributes."""

from typing import Final

from holdfast.vocabulary.manifest import Manifest

MANIFEST: Final = Manifest(
    procedure=7,
    name="surveillance",
    title="Surveillance",
    sentence="Every decision and signal is watched.",
)
