"""What this procedure contributes."""

from typing import Final

from holdfast.vocabulary.manifest import Command, Control, Manifest

_COMMANDS: Final = "holdfast.procedures.classification.commands"

MANIFEST: Final = Manifest(
    procedure=1,
    name="classification",
    title="Value of customer data",
    sentence="No field without a class and an owner.",
    controls=(
        Control(
            "classification.schema",
            "No field enters the vault without a type, a class, a handling and an owner.",
            "collections without a complete schema",
            "0",
        ),
        Control(
            "classification.forbidden",
            "Card security codes and PINs are never stored.",
            "collections that declare one",
            "0",
            ("PCI DSS 4.0.1 3.3",),
        ),
        Control(
            "classification.quiet",
            "An import prints and logs no value; what it rejects is listed by line, field and reason.",
            "planted values found in output, logs or lists of rejects",
            "0",
            ("GDPR 32",),
        ),
    ),
    commands=(
        Command(
            "collection propose",
            f"{_COMMANDS}:propose",
            False,
            "Read a client's file and propose a schema for it.",
        ),
        Command(
            "collection add",
            f"{_COMMANDS}:add",
            False,
            "Declare a collection, or put a changed schema in force.",
        ),
        Command("collection list", f"{_COMMANDS}:list_all", False, "List a client's collections."),
        Command(
            "import", f"{_COMMANDS}:import_", False, "Import a client's file into a collection."
        ),
    ),
)
