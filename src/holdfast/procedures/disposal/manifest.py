"""What this procedure contributes."""

from typing import Final

from holdfast.vocabulary.manifest import Control, Manifest

MANIFEST: Final = Manifest(
    procedure=9,
    name="disposal",
    title="Safe data elimination",
    sentence="A customer's keys can be destroyed, with a certificate.",
    controls=(
        Control(
            "disposal.shred",
            "An erased customer's values cannot be read from the live stores, and do not come back by import.",
            "erased customers whose keys or index rows remain",
            "0",
            ("GDPR 17", "GDPR 28(3)(g)"),
        ),
    ),
)
