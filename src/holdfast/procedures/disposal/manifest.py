"""What this procedure contributes."""

from typing import Final

from holdfast.vocabulary.manifest import Command, Control, Manifest

_COMMANDS: Final = "holdfast.procedures.disposal.commands"

MANIFEST: Final = Manifest(
    procedure=9,
    name="disposal",
    title="Safe data elimination",
    sentence="A customer's keys can be destroyed, with a certificate.",
    controls=(
        Control(
            "disposal.shred",
            "An erased customer's values cannot be read from the live stores; no import or restore brings them back.",
            "erased customers whose keys or index rows remain",
            "0",
            ("GDPR 17", "GDPR 28(3)(g)"),
        ),
        Control(
            "disposal.client_shred",
            "Two persons, and the client's key if it gave one, erase all of a client; none of its keys is left.",
            "keys or keyring rows of erased clients",
            "0",
            ("GDPR 17", "GDPR 28(3)(g)"),
        ),
        Control(
            "disposal.certificate",
            "Each erasure has a certificate that the client verifies, and that claims nothing about copies.",
            "erasures without a certificate that verifies",
            "0",
            ("GDPR 17",),
        ),
        Control(
            "disposal.hold",
            "An erasure under a hold keeps the contract's notify fields only, sealed apart, and not beyond its date.",
            "kept entries that are over and whose key is there",
            "0",
            ("GDPR 34", "GDPR 17"),
        ),
    ),
    commands=(
        Command(
            "client shred",
            f"{_COMMANDS}:shred_client",
            False,
            "Erase a whole client by destroying all its keys, with a certificate.",
        ),
        Command(
            "hold place",
            f"{_COMMANDS}:hold_place",
            False,
            "Let an erasure keep what it takes to tell the customer of an incident.",
        ),
        Command("hold list", f"{_COMMANDS}:hold_list", False, "Show a client's holds."),
        Command(
            "hold lift",
            f"{_COMMANDS}:hold_lift",
            False,
            "End a hold, and destroy what it kept.",
        ),
        Command(
            "hold open",
            f"{_COMMANDS}:hold_open",
            False,
            "Show what was kept of an erased customer; a second person approves.",
        ),
        Command(
            "customer shred",
            f"{_COMMANDS}:shred",
            False,
            "Erase a customer by destroying its keys, with a certificate.",
        ),
        Command(
            "customer find",
            f"{_COMMANDS}:find",
            False,
            "Say which customer has the client's own number.",
        ),
    ),
)
