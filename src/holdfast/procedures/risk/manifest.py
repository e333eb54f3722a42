"""What this procedure contributes."""

from typing import Final

from holdfast.vocabulary.manifest import Manifest

MANIFEST: Final = Manifest(
    procedure=2,
    name="risk",
    title="Evaluating threats",
    sentence="Policy strictness follows measured risk; exceptions expire.",
)
