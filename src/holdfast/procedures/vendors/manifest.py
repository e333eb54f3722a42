"""What this procedure contributes."""

from typing import Final

from holdfast.vocabulary.manifest import Manifest

MANIFEST: Final = Manifest(
    procedure=12,
    name="vendors",
    title="Third-party risk",
    sentence="A lapsed vendor's people drop out of the decision.",
)
