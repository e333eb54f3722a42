"""All workloads, in the order of the table, with the names that people use for them."""

from __future__ import annotations

#: Module → name; None where people have none.
NAMES: dict[str, str | None] = {
    "reveal": "W1",
    "reveal_one": "W1b",
    "import_records": "W2",
    "shred": "W3",
    "find": "W4",
    "tamper": "W6",
    "budget": "W7",
    "beside": None,
    "second_person": None,
    "decision": None,
    "vault": None,
    "ledger": None,
    "stream": None,
    "feeds": None,
    "policy_diff": None,
    "hidden": None,
    "peers": None,
    "profile": None,
}


def module_of(word: str) -> str:
    """Return the module that a name or a module's name means; :class:`SystemExit` for another word."""
    for module, name in NAMES.items():
        if word.lower() in {module, (name or module).lower()}:
            return module
    raise SystemExit(f"no workload {word}; there are {', '.join(n or m for m, n in NAMES.items())}")
