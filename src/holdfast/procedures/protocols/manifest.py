"""What this procedure contributes."""

from typing import Final

from holdfast.vocabulary.manifest import Command, Control, Manifest

_COMMANDS: Final = "holdfast.procedures.protocols.commands"

MANIFEST: Final = Manifest(
    procedure=13,
    name="protocols",
    title="Evolving protocols",
    sentence="Policies are versioned and tested before they apply.",
    controls=(
        Control(
            "protocols.tested",
            "A contract is published only after its own test cases pass.",
            "published versions with a failing case",
            "0",
        ),
        Control(
            "protocols.signed",
            "A client that gave a signing key has signed each version in force; nobody else can change the key.",
            "versions in force without the signature",
            "0",
        ),
        Control(
            "protocols.explained",
            "A past decision is judged again by the contract of its time, and its reasons are proven.",
            "decisions that come out otherwise",
            "0",
            ("GDPR 5(2)",),
        ),
        Control(
            "protocols.compared",
            "Which past decisions another contract would have changed is told before; what is unknown is counted.",
            "decisions of the same day that come out otherwise than was said",
            "0",
        ),
    ),
    commands=(
        Command(
            "policy check",
            f"{_COMMANDS}.policy:check",
            False,
            "Compile a contract, say what it would change, and run its tests.",
        ),
        Command("policy test", f"{_COMMANDS}.policy:test", False, "Run a contract's own tests."),
        Command(
            "policy diff",
            f"{_COMMANDS}.diff:diff",
            False,
            "Say which real decisions another contract would have changed.",
        ),
        Command(
            "policy publish",
            f"{_COMMANDS}.policy:publish",
            False,
            "Put a new version of a contract in force.",
        ),
        Command(
            "explain",
            f"{_COMMANDS}.explain:explain",
            False,
            "Say why a decision came out as it did, and prove it.",
        ),
    ),
)
