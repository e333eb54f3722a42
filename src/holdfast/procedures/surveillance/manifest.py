"""What this procedure contributes."""

from typing import Final

from holdfast.vocabulary.manifest import Control, Manifest, Subscription

MANIFEST: Final = Manifest(
    procedure=7,
    name="surveillance",
    title="Surveillance",
    sentence="Every decision and signal is watched.",
    subscriptions=(
        Subscription(
            name="timeline",
            version=1,
            statement="Where each log names a person, a customer, a contact, a decision.",
            fold="holdfast.spine.stream.timeline:fold",
            clear="holdfast.spine.stream.store:CLEARS_TIMELINE",
            merge="holdfast.spine.stream.timeline:merge",
        ),
        Subscription(
            name="tally",
            version=1,
            statement="How many looks, refusals by rule, and signals each log has of a day.",
            fold="holdfast.spine.stream.tally:fold",
            clear="holdfast.spine.stream.store:CLEARS_TALLY",
            merge="holdfast.spine.stream.tally:merge",
        ),
    ),
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
    urls="holdfast.procedures.surveillance.urls",
)
