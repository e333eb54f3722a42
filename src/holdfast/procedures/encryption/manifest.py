"""What this procedure contributes."""

from typing import Final

from holdfast.vocabulary.manifest import Control, Manifest

MANIFEST: Final = Manifest(
    procedure=4,
    name="encryption",
    title="Encryption",
    sentence="No key, no value: root, client key, customer key, field.",
    controls=(
        Control(
            "encryption.field",
            "Every stored field is sealed under a key of its customer and class.",
            "field values found in clear in either store",
            "0",
            ("GDPR 32", "PCI DSS 4.0.1 3.5"),
        ),
    ),
)
