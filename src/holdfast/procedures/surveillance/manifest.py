"""What this procedure contributes."""

from typing import Final

from holdfast.vocabulary.manifest import Control, Manifest

MANIFEST: Final = Manifest(
    procedure=7,
    name="surveillance",
    title="Surveillance",
    sentence="Every decision and signal is watched.",
    controls=(
        Control(
            "surveillance.line",
            "No answer leaves before its line in the client's log is durable; refusals have one, too.",
            "acknowledged answers whose line is lost",
            "0",
            ("PCI DSS 4.0.1 10.2.1", "HIPAA 164.312(b)", "GDPR 5(2)"),
        ),
        Control(
            "surveillance.log",
            "A client's own tool tells a log that was edited, cut or, since its last look, rolled back.",
            "forgeries that verify",
            "0",
            ("PCI DSS 4.0.1 10.3.2",),
        ),
        Control(
            "surveillance.pseudonyms",
            "Logs hold no personal data, and nobody has the same reference in two of them.",
            "planted values found in a log",
            "0",
            ("GDPR 25",),
        ),
    ),
)
