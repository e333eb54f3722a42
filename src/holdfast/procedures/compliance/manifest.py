"""What this procedure contributes."""

from typing import Final

from holdfast.vocabulary.manifest import Manifest

MANIFEST: Final = Manifest(
    procedure=10,
    name="compliance",
    title="Adherence to regulations",
    sentence="Legal clocks and evidence derive from decisions.",
)
