"""What this procedure contributes."""

from typing import Final

from holdfast.vocabulary.manifest import Control, Manifest

MANIFEST: Final = Manifest(
    procedure=7,
    name="incidents",
    title="Incident response",
    sentence="The client stops every look at once, and a house that was lost comes back as it was.",
    controls=(
        Control(
            "incidents.freeze",
            "A user of the client stops every look from the next request on; nobody of the house lifts it alone.",
            "values shown while frozen, beyond the exempt reasons",
            "0",
            ("GDPR 28(3)(a)",),
        ),
        Control(
            "incidents.recovery",
            "A copy that is put back serves nothing until it is brought up to the published log.",
            "erased customers, tokens or freezes that a restore undid",
            "0",
            ("GDPR 32", "HIPAA 164.308(a)(7)"),
        ),
    ),
)
