"""What this procedure contributes."""

from typing import Final

from holdfast.vocabulary.manifest import Command, Control, Manifest

_COMMANDS: Final = "holdfast.procedures.access.commands"

MANIFEST: Final = Manifest(
    procedure=3,
    name="access",
    title="Strict access control",
    sentence="A look needs a live contact, an assignment and a field set.",
    urls="holdfast.procedures.access.urls",
    controls=(
        Control(
            "access.purpose",
            "A field is shown only for a live contact of this person with this customer.",
            "values shown without a live contact",
            "0",
            ("GDPR 28(3)(a)", "HIPAA 164.502(b)", "PCI DSS 4.0.1 7.3.3"),
        ),
        Control(
            "access.leaver",
            "A suspension or revocation takes effect on the next request.",
            "permits after a suspension",
            "0",
            ("PCI DSS 4.0.1 8.2.5", "HIPAA 164.308"),
        ),
        Control(
            "access.field_set",
            "A field is shown only if the contact's reason needs it, and no higher than its class and handling allow.",
            "values shown outside a field set",
            "0",
            ("GDPR 5(1)(c)", "HIPAA 164.502(b)", "PCI DSS 4.0.1 7.2.5"),
        ),
        Control(
            "access.approval",
            "What the contract wants approved is shown once, after an independent person said yes to exactly that.",
            "approvals used twice, by others or for anything else",
            "0",
            ("PCI DSS 4.0.1 7.2.6", "ISO 27001 A.5.3"),
        ),
        Control(
            "access.budget",
            "Nobody sees more than the contract's budgets, however many requests come at once.",
            "values shown beyond a budget",
            "0",
            ("PCI DSS 4.0.1 7.2.6",),
        ),
        Control(
            "access.hidden",
            "What does not exist and what may not be known are answered alike, in body, line and work.",
            "kinds of answer that tell them apart",
            "0",
        ),
        Control(
            "access.administration",
            "What can widen access is done in a named person's name, judged, and told in each client's log.",
            "changes of persons, tokens, feeds or contracts without a line",
            "0",
            ("PCI DSS 4.0.1 10.2.1.5", "ISO 27001 A.8.2"),
        ),
        Control(
            "access.second_administrator",
            "No administrator alone lets more be seen by a contract, or has both a feed's key and a token.",
            "wider contracts in force without a second person",
            "0",
            ("ISO 27001 A.5.3",),
        ),
        Control(
            "access.provisional",
            "On a person's own word, while a feed is late or down, little is shown: masked, and of one customer only.",
            "values in clear on a contact that no feed told",
            "0",
            ("GDPR 5(1)(c)",),
        ),
        Control(
            "access.break_glass",
            "Without a contact one looks in an emergency only: two persons, few customers, briefly, and told.",
            "looks under a break-glass beyond what was opened",
            "0",
            ("HIPAA 164.312(a)(2)(ii)",),
        ),
        Control(
            "access.action",
            "An action on an account needs what the caller has proven in the same contact; its permit works once.",
            "permits without proof, for another act, or used twice",
            "0",
            ("GDPR 32",),
        ),
        Control(
            "access.export",
            "Records leave the house approved, up to the contract's cap, for a recipient that it names.",
            "files without an approval or beyond the cap",
            "0",
            ("GDPR 28(3)(a)",),
        ),
    ),
    commands=(
        Command(
            "export request",
            f"{_COMMANDS}.export:request",
            False,
            "Ask that records leave the house in a sealed file.",
        ),
        Command("export list", f"{_COMMANDS}.export:list_all", False, "List a client's exports."),
        Command("export show", f"{_COMMANDS}.export:show", False, "Show how an export stands."),
        Command(
            "export fetch", f"{_COMMANDS}.export:fetch", False, "Take an export's sealed file."
        ),
        Command("employer add", f"{_COMMANDS}.employer:add", False, "Add an employer."),
        Command("employer list", f"{_COMMANDS}.employer:list_all", False, "List employers."),
        Command(
            "person add",
            f"{_COMMANDS}.person:add",
            False,
            "Add a person, and assign them to a programme.",
        ),
        Command(
            "person list",
            f"{_COMMANDS}.person:list_all",
            False,
            "List persons with state, roles and assignments.",
        ),
        Command(
            "person assign",
            f"{_COMMANDS}.person:assign",
            False,
            "Assign a person to a programme of a client.",
        ),
        Command(
            "person move",
            f"{_COMMANDS}.person:move",
            False,
            "Let a person work on one programme, and on no other any more.",
        ),
        Command(
            "person badge",
            f"{_COMMANDS}.person:badge",
            False,
            "List badges to take back from leavers, or say that one was.",
        ),
        Command(
            "person import",
            f"{_COMMANDS}.personnel:import_people",
            False,
            "Follow an export of a personnel system.",
        ),
        Command("person unassign", f"{_COMMANDS}.person:unassign", False, "End an assignment."),
        Command(
            "person roles", f"{_COMMANDS}.person:roles", False, "Set a person's roles in the house."
        ),
        Command("person lead", f"{_COMMANDS}.person:lead", False, "Say to whom a person reports."),
        Command(
            "person suspend",
            f"{_COMMANDS}.person:suspend",
            False,
            "Refuse everything a person does, from the next request on.",
        ),
        Command("person restore", f"{_COMMANDS}.person:restore", False, "End a suspension."),
        Command(
            "person leave",
            f"{_COMMANDS}.person:leave",
            False,
            "Let a person go: assignments and tokens end.",
        ),
        Command(
            "token create",
            f"{_COMMANDS}.token:create",
            False,
            "Issue a token to a person or a service.",
        ),
        Command(
            "token key",
            f"{_COMMANDS}.token:key",
            False,
            "Make a key for a token's holder, and print its thumbprint.",
        ),
        Command("token list", f"{_COMMANDS}.token:list_all", False, "List tokens."),
        Command(
            "token revoke",
            f"{_COMMANDS}.token:revoke",
            False,
            "Revoke a token, from the next request on.",
        ),
        Command(
            "token step-up",
            f"{_COMMANDS}.token:step_up",
            False,
            "Answer a step-up challenge with a second token.",
        ),
    ),
)
