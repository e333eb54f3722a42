"""What this procedure contributes."""

from typing import Final

from holdfast.vocabulary.manifest import Manifest

MANIFEST: Final = Manifest(
    procedure=8,
    name="physical",
    title="Physical security",
    sentence="Presence and zone are live facts.",
)
