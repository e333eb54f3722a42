"""The house's own checks. An id is stable: scripts and runbooks name it."""

from typing import Final

from holdfast.vocabulary.manifest import Check

_HERE: Final = "holdfast.edges.checks"

CHECKS: Final = (
    Check("machine.E001", "SQLite has no known corruption bug", f"{_HERE}.machine:sqlite_version"),
    Check("machine.E002", "the clock shows a plausible time", f"{_HERE}.machine:clock"),
    Check("machine.E003", "the disk has room", f"{_HERE}.machine:disk"),
    Check("machine.W001", "a crash leaves no core file", f"{_HERE}.machine:core_files"),
    Check("house.E001", "there is a house in the folder", f"{_HERE}.house:made"),
    Check("house.E002", "only its owner enters the folder", f"{_HERE}.house:folder_mode"),
    Check("house.E003", "it listens where it is safe", f"{_HERE}.house:listeners"),
    Check("house.E004", "browsers reach it by its origin", f"{_HERE}.house:origin"),
    Check("house.E005", "nobody is signed in by a click", f"{_HERE}.house:demo"),
    Check("stores.E001", "both stores can be written", f"{_HERE}.stores:writable"),
    Check("stores.E002", "what is committed survives a power cut", f"{_HERE}.stores:durable"),
    Check("stores.E003", "both stores have this version's tables", f"{_HERE}.stores:migrated"),
    Check(
        "roles.W001",
        "its database role cannot rewrite the ledger",
        f"{_HERE}.server:cannot_rewrite",
    ),
    Check(
        "roles.W002", "each database role may do what is declared", f"{_HERE}.server:as_declared"
    ),
    Check("roles.W003", "an erasure can be completed", f"{_HERE}.server:can_erase"),
    Check(
        "stores.W001",
        "a second server has what was answered",
        f"{_HERE}.server:survives_failover",
    ),
    Check("stores.E004", "no move is unfinished", f"{_HERE}.stores:no_move_unfinished"),
    Check("stores.W002", "no move has left stores behind", f"{_HERE}.stores:nothing_left_behind"),
    Check("stores.W003", "the replica answers and keeps up", f"{_HERE}.server:replica_follows"),
    Check("jobs.W001", "no background work was given up", f"{_HERE}.jobs:given_up"),
    Check("jobs.W002", "background work is done when it is due", f"{_HERE}.jobs:overdue"),
    Check(
        "stream.E001", "the logs are those that were followed", f"{_HERE}.stream:continue_the_logs"
    ),
    Check("stream.W001", "who follows the logs keeps up", f"{_HERE}.stream:keeping_up"),
    Check("stream.W002", "no leaf is parked", f"{_HERE}.stream:nothing_parked"),
    Check(
        "contracts.W001",
        "every client has signed its contract in force",
        f"{_HERE}.contracts:signed",
    ),
    Check("feeds.W001", "no feed is late or silent", f"{_HERE}.feeds:on_time"),
    Check("keys.E001", "the root key opens, and nobody else reads it", f"{_HERE}.keys:root_opens"),
    Check("keys.E002", "the root key opens every client's keys", f"{_HERE}.keys:clients_open"),
    Check("keys.W001", "the key that signs permits is not old", f"{_HERE}.keys:permit_key_age"),
    Check(
        "logs.E001", "the signing keys open, and the signer remembers", f"{_HERE}.logs:keys_open"
    ),
    Check(
        "logs.E002",
        "each log continues what was signed and published",
        f"{_HERE}.logs:continue_what_was_signed",
    ),
    Check("logs.E003", "no restore is unfinished", f"{_HERE}.logs:nothing_unfinished"),
    Check("keys.E003", "no erased customer has keys again", f"{_HERE}.logs:erased_stays_erased"),
)

#: What a house in production wants beside; asked by ``holdfast doctor --deploy`` only, and never in the way of a start.
DEPLOY: Final = (
    Check("deploy.E001", "the origin is a public https address", f"{_HERE}.deploy:origin"),
    Check("deploy.E002", "what leaves the house is encrypted", f"{_HERE}.deploy:encryption"),
    Check(
        "deploy.E003", "the root key is not copied with the stores", f"{_HERE}.deploy:root_apart"
    ),
    Check("deploy.E004", "keys and stores are for their owner only", f"{_HERE}.deploy:file_modes"),
    Check("deploy.E005", "it is not the demo", f"{_HERE}.deploy:demo"),
    Check("deploy.E006", "errors tell no more than they must", f"{_HERE}.deploy:talk"),
    Check("deploy.E007", "a time server keeps the clock", f"{_HERE}.deploy:clock_synchronised"),
    Check(
        "deploy.E008",
        "two administrators, each by their own",
        f"{_HERE}.deploy_people:administrators",
    ),
    Check(
        "deploy.E009",
        "nobody has a feed's key and a token that it empowers",
        f"{_HERE}.deploy_people:roles_apart",
    ),
    Check("deploy.E010", "what was ordered is done", f"{_HERE}.deploy_people:nothing_overdue"),
    Check(
        "deploy.E011",
        "its database role cannot rewrite the ledger",
        f"{_HERE}.server:must_not_rewrite",
    ),
    Check(
        "deploy.E012",
        "a second server has what was answered",
        f"{_HERE}.server:must_survive_failover",
    ),
    Check("deploy.W001", "the signer's memory is apart", f"{_HERE}.deploy:memory_apart"),
    Check("deploy.W002", "memory does not reach a disk", f"{_HERE}.deploy:swap"),
    Check("deploy.W003", "the disk is quick to make durable", f"{_HERE}.deploy:fsync"),
    Check("deploy.W004", "tokens are bound", f"{_HERE}.deploy_people:tokens_bound"),
    Check(
        "deploy.W005", "every feed speaks, and can be rekeyed", f"{_HERE}.deploy_people:feeds_alive"
    ),
    Check("deploy.W006", "a copy was made lately", f"{_HERE}.deploy_people:backed_up"),
    Check("deploy.W007", "a proxy holds off who does not read", f"{_HERE}.deploy:in_front"),
)
