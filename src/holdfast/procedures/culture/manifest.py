"""What this procedure contributes."""

from typing import Final

from holdfast.vocabulary.manifest import Manifest

MANIFEST: Final = Manifest(
    procedure=11,
    name="culture",
    title="Security culture",
    sentence="Reporting takes one click and is answered on a clock.",
)
