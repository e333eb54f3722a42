"""What this procedure contributes."""

from typing import Final

from holdfast.vocabulary.manifest import Control, Manifest

MANIFEST: Final = Manifest(
    procedure=1,
    name="classification",
    title="Value of customer data",
    sentence="No field without a class and an owner.",
    controls=(
        Control(
            "classification.schema",
            "No field enters the vault without a type, a class, a handling and an owner.",
            "collections without a complete schema",
            "0",
        ),
        Control(
            "classification.forbidden",
            "Card security codes and PINs are never stored.",
            "collections that declare one",
            "0",
            ("PCI DSS 4.0.1 3.3",),
        ),
    ),
)
