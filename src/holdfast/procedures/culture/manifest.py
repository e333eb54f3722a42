"""What this procedure contributes."""

from typing import Final

from holdfast.vocabulary.manifest import Control, Manifest

MANIFEST: Final = Manifest(
    procedure=11,
    name="culture",
    title="Security culture",
    sentence="Reporting takes one click and is answered on a clock.",
    controls=(
        Control(
            "culture.report",
            "Everybody can report something odd, without their name too, and is answered within a day.",
            "reports that wait longer than a day",
            "0",
            ("ISO 27001 A.6.8",),
        ),
    ),
    urls="holdfast.procedures.culture.urls",
)
