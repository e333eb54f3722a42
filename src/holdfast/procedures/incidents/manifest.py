"""What this procedure contributes."""

from typing import Final

from holdfast.vocabulary.manifest import Manifest

MANIFEST: Final = Manifest(
    procedure=7,
    name="incidents",
    title="Incident response",
    sentence="Containment expires; alert deadlines are kept by the machine.",
)
