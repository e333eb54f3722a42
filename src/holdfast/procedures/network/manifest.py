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
    ),
)
