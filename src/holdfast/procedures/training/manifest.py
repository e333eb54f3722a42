"""What this procedure contributes."""

from typing import Final

from holdfast.vocabulary.manifest import Manifest

MANIFEST: Final = Manifest(
    procedure=5,
    name="training",
    title="Employee training",
    sentence="Course currency is a live input of the decision.",
)
