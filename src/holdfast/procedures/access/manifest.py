"""What this procedure contributes."""

from typing import Final

from holdfast.vocabulary.manifest import Control, Manifest

MANIFEST: Final = Manifest(
    procedure=3,
    name="access",
    title="Strict access control",
    sentence="A look needs a live contact, an assignment and a field set.",
    controls=(
        Control(
            "access.purpose",
            "A field is shown only for a live contact of this person with this customer.",
            "values shown without a live contact",
            "0",
            ("GDPR 28(3)(a)", "HIPAA 164.502(b)", "PCI DSS 4.0.1 7.3.3"),
        ),
        Control(
            "access.leaver",
            "A suspension or revocation takes effect on the next request.",
            "permits after a suspension",
            "0",
            ("PCI DSS 4.0.1 8.2.5", "HIPAA 164.308"),
        ),
    ),
)
