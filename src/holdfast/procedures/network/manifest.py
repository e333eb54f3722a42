"""What this procedure contributes."""

from typing import Final

from holdfast.vocabulary.manifest import Control, Manifest

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
    ),
)
