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
        Control(
            "encryption.integrity",
            "A value from a row, key or index entry that was edited, swapped or rolled back is never shown.",
            "edits of the stores that yield a value",
            "0",
            ("GDPR 32", "HIPAA 164.312(c)"),
        ),
        Control(
            "encryption.root",
            "Both stores without the root key yield no value.",
            "values opened under another root",
            "0",
            ("PCI DSS 4.0.1 3.6",),
        ),
        Control(
            "encryption.export",
            "Only the recipient named in the contract opens an export's file.",
            "files opened by another key",
            "0",
            ("GDPR 32",),
        ),
        Control(
            "encryption.vectors",
            "Every primitive answers as its standard's published vectors say.",
            "vectors answered otherwise",
            "0",
        ),
    ),
)
