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
        Control(
            "surveillance.receipt",
            "Every answer carries a signed promise of its line; that it was not kept can be proven.",
            "broken promises that verify as kept",
            "0",
            ("PCI DSS 4.0.1 10.3.4",),
        ),
        Control(
            "surveillance.clock",
            "A machine's clock that was set opens nothing again, destroys nothing early, and is told in every log.",
            "steps of the clock without a line",
            "0",
            ("PCI DSS 4.0.1 10.6.3",),
        ),
    ),
)
