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
    Check("stores.E001", "both stores can be written", f"{_HERE}.stores:writable"),
    Check("stores.E002", "what is committed survives a power cut", f"{_HERE}.stores:durable"),
    Check("stores.E003", "both stores have this version's tables", f"{_HERE}.stores:migrated"),
    Check("jobs.W001", "no background work was given up", f"{_HERE}.jobs:given_up"),
    Check(
        "contracts.W001",
        "every client has signed its contract in force",
        f"{_HERE}.contracts:signed",
    ),
    Check("keys.E001", "the root key opens, and nobody else reads it", f"{_HERE}.keys:root_opens"),
    Check("keys.E002", "the root key opens every client's keys", f"{_HERE}.keys:clients_open"),
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
