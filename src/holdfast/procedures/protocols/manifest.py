"""What this procedure contributes."""

from typing import Final

from holdfast.vocabulary.manifest import Control, Manifest

MANIFEST: Final = Manifest(
    procedure=13,
    name="protocols",
    title="Evolving protocols",
    sentence="Policies are versioned and tested before they apply.",
    controls=(
        Control(
            "protocols.tested",
            "A contract is published only after its own test cases pass.",
            "published versions with a failing case",
            "0",
        ),
    ),
)
