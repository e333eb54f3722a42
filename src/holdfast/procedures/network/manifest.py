"""What this procedure contributes."""

from typing import Final

from holdfast.vocabulary.manifest import Command, Control, Manifest

MANIFEST: Final = Manifest(
    procedure=6,
    name="network",
    title="Secure network and strong login",
    sentence="Sessions are bound to device and zone.",
    controls=(
        Control(
            "network.bound",
            "A token counts only from the networks and the device that it was made for, and that the contract accepts.",
            "values shown elsewhere",
            "0",
            ("PCI DSS 4.0.1 8.6", "HIPAA 164.312(d)"),
        ),
        Control(
            "network.possession",
            "A token bound to a key or certificate is worth nothing without it; a proof counts once.",
            "values shown for a stolen token or a repeated proof",
            "0",
            ("PCI DSS 4.0.1 8.5.1",),
        ),
        Control(
            "network.proxy",
            "Addresses and certificates in headers are believed of a trusted proxy only.",
            "requests taken for another's by a header",
            "0",
        ),
        Control(
            "network.strength",
            "A plain token shows no C3 field in clear and no C4 field; a step-up is for one person and contact.",
            "sensitive values shown without a step-up",
            "0",
            ("PCI DSS 4.0.1 8.4",),
        ),
        Control(
            "network.loopback",
            "The house does not start on an address that others reach in clear.",
            "listeners after a failed check",
            "0",
            ("PCI DSS 4.0.1 4.2",),
        ),
        Control(
            "network.flood",
            "Whoever asks too much waits and takes nothing from others; without room for its line nothing is shown.",
            "honest requests refused in a flood of others",
            "0",
        ),
        Control(
            "network.passkey",
            "People sign in with a passkey; there is no password, and a key whose counter falls opens nothing.",
            "sessions that began with a password",
            "0",
            ("PCI DSS 4.0.1 8.4.2", "NIST SP 800-63B AAL2"),
        ),
        Control(
            "network.session",
            "A session ends after 15 minutes without its person, after a shift, and at once when somebody ends it.",
            "pages shown after a session's end",
            "0",
            ("PCI DSS 4.0.1 8.2.8",),
        ),
    ),
    commands=(
        Command(
            "person invite",
            "holdfast.procedures.network.commands:invite",
            False,
            "Make the link by which a person enrols their first passkey.",
        ),
    ),
)
