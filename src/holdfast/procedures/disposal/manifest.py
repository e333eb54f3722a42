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
    ),
    commands=(
        Command(
            "client shred",
            f"{_COMMANDS}:shred_client",
            False,
            "Erase a whole client by destroying all its keys, with a certificate.",
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
