"""The commands that belong to no procedure, and what the groups of commands are about.

A procedure's own commands stand in its manifest. ``holdfast.manifests`` puts both together.
"""

from typing import Final

from holdfast.vocabulary.manifest import Command

_CLI: Final = "holdfast.edges.cli"

COMMANDS: Final = (
    Command(
        "init",
        f"{_CLI}.house:init",
        False,
        "Found a house: stores, keys and the first administrator.",
    ),
    Command("serve", f"{_CLI}.serve:serve", False, "Serve the house until Ctrl-C."),
    Command(
        "demo", "holdfast.drills.demo:demo", False, "Set up a demo house, serve it, walk a contact."
    ),
    Command(
        "worker", f"{_CLI}.worker:worker", False, "Sequence the logs and run jobs, on its own."
    ),
    Command(
        "migrate", f"{_CLI}.migrate:migrate", False, "Bring both stores to this version's tables."
    ),
    Command(
        "roles",
        f"{_CLI}.roles:roles",
        False,
        "Grant the database roles their rights, or print the SQL (PostgreSQL).",
    ),
    Command(
        "doctor",
        f"{_CLI}.doctor:doctor",
        False,
        "Check the house and say what to do about each finding.",
    ),
    Command(
        "backup",
        f"{_CLI}.backup:backup",
        False,
        "Copy both stores as they are at one moment, while the house serves.",
    ),
    Command(
        "restore",
        f"{_CLI}.backup:restore",
        False,
        "Put a copy back, and do again what has erased and narrowed since.",
    ),
    Command(
        "move",
        f"{_CLI}.move:move",
        False,
        "Move the house from its SQLite files to PostgreSQL.",
    ),
    Command(
        "verify",
        f"{_CLI}.verify:verify",
        False,
        "Verify a log's files on your own machine; nothing in them is trusted.",
    ),
    Command(
        "export key",
        f"{_CLI}.recipient:key",
        False,
        "Make the key to which exports are sealed for you.",
    ),
    Command(
        "export open",
        f"{_CLI}.recipient:open_export",
        False,
        "Open a sealed file of an export on your own machine.",
    ),
    Command(
        "log export",
        f"{_CLI}.log:export",
        False,
        "Write a client's log, its certificates and a verifier to a folder.",
    ),
    Command(
        "log timeline",
        f"{_CLI}.log_read:timeline",
        False,
        "Show what a log says of one person, customer or decision.",
    ),
    Command(
        "log tally",
        f"{_CLI}.log_read:tally",
        False,
        "Count a log's looks, refusals by rule, and signals, by day.",
    ),
    Command(
        "stream list", f"{_CLI}.stream:list_all", False, "List who follows the logs, and how far."
    ),
    Command(
        "stream parked", f"{_CLI}.stream:parked", False, "List leaves that somebody could not take."
    ),
    Command("stream retry", f"{_CLI}.stream:retry", False, "Take parked leaves once more."),
    Command(
        "stream rebuild", f"{_CLI}.stream:rebuild", False, "Let a subscriber read all logs anew."
    ),
    Command("job list", f"{_CLI}.job:list_all", False, "List background work."),
    Command("job retry", f"{_CLI}.job:retry", False, "Run a job at once."),
    Command(
        "approval list",
        f"{_CLI}.approval:list_all",
        False,
        "List what waits for a second person.",
    ),
    Command("approval show", f"{_CLI}.approval:show", False, "Show what somebody asks for."),
    Command(
        "approval approve",
        f"{_CLI}.approval:approve",
        False,
        "Approve exactly what somebody else has tried to do.",
    ),
    Command(
        "approval refuse",
        f"{_CLI}.approval:refuse",
        False,
        "Refuse what somebody else has tried to do.",
    ),
    Command(
        "break-glass open",
        f"{_CLI}.break_glass:open_one",
        False,
        "Ask to look at a few customers without a contact, in an emergency.",
    ),
    Command(
        "break-glass end", f"{_CLI}.break_glass:end", False, "End your break-glass before its time."
    ),
    Command("log key", f"{_CLI}.log:key", False, "Show the keys by which a log is verified."),
    Command(
        "client add", f"{_CLI}.client:add", False, "Take on a client under its first contract."
    ),
    Command(
        "client list",
        f"{_CLI}.client:list_all",
        False,
        "List clients with the version of their contract.",
    ),
    Command(
        "client freeze",
        f"{_CLI}.freeze:freeze",
        False,
        "Stop every look at a client's customers, or confirm that it stays so.",
    ),
    Command(
        "client unfreeze",
        f"{_CLI}.freeze:unfreeze",
        False,
        "Lift a client's freeze, as one of its users.",
    ),
    Command("feed add", f"{_CLI}.feed:add", False, "Register a feed and what it may speak for."),
    Command("feed list", f"{_CLI}.feed:list_all", False, "List feeds and their keys."),
    Command("feed key", f"{_CLI}.feed:key", False, "Make a feed's signing key, or retire one."),
    Command(
        "feed push",
        f"{_CLI}.feed_push:push",
        False,
        "Sign events and send them to the data plane.",
    ),
    Command(
        "feed dead-letters",
        f"{_CLI}.feed:dead_letters",
        False,
        "List lines of feeds that were refused, and why.",
    ),
    Command(
        "outage declare",
        f"{_CLI}.outage:declare",
        False,
        "Declare that a client's contact feed is down; takes two people.",
    ),
    Command("outage end", f"{_CLI}.outage:end", False, "End a declared outage."),
    Command("outage list", f"{_CLI}.outage:list_all", False, "List declared outages."),
    Command(
        "provisional list",
        f"{_CLI}.provisional:list_all",
        False,
        "List contacts that persons opened and no feed has confirmed.",
    ),
    Command(
        "provisional clear",
        f"{_CLI}.provisional:clear",
        False,
        "Clear one that no feed confirmed, as a lead of another line.",
    ),
    Command(
        "clock show",
        f"{_CLI}.clock:show",
        False,
        "Show the house's time, and whether the machine's clock was set.",
    ),
    Command(
        "clock confirm",
        f"{_CLI}.clock:confirm",
        False,
        "Confirm the machine's clock after it was set.",
    ),
    Command(
        "permit-key list",
        f"{_CLI}.permit_key:list_all",
        False,
        "List the keys that sign permits for target systems.",
    ),
    Command(
        "permit-key rotate",
        f"{_CLI}.permit_key:rotate",
        False,
        "Let another key sign permits; the old one ends with its last permit.",
    ),
    Command(
        "config explain",
        f"{_CLI}.config:explain",
        False,
        "Show each setting, its source and its default.",
    ),
)

GROUPS: Final = {
    "approval": "What waits for a second person.",
    "break-glass": "Looking without a contact, in an emergency.",
    "client": "Companies whose customers these are: their contracts, and stopping every look.",
    "clock": "The time that the house goes by.",
    "collection": "Kinds of records, each with a schema.",
    "config": "Settings of this house.",
    "customer": "Data subjects: find one, erase one.",
    "employer": "The house and its vendors, who employ the persons.",
    "export": "Records that leave the house in sealed files.",
    "feed": "Systems that tell which contact is live.",
    "hold": "What an erasure keeps to tell a customer of an incident.",
    "job": "Background work: what waits, what runs, what was given up.",
    "log": "The client's log of every look.",
    "permit-key": "The keys that sign permits for target systems.",
    "person": "Members of the workforce.",
    "policy": "Contracts compiled into rules: check, test, publish.",
    "outage": "Times at which a client's contact feed is declared to be down.",
    "provisional": "Contacts that a person opened because the feed is late.",
    "stream": "Who follows the logs leaf by leaf, and keeps what they say.",
    "token": "Credentials of persons and services.",
}
