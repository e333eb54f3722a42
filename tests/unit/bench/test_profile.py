"""The profile's parts cover the path, and a stack belongs to the innermost of them."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import pytest
from bench import parts
from bench.parts import is_declared, part_of, part_of_stack
from bench.profile import said, shares

LOADED = """
import holdfast.edges.dataplane.process, holdfast.edges.dataplane.lanes, sys
print(*sorted(name for name in sys.modules if name.startswith("holdfast")))
"""


def frames(*stack):
    """A stack, outermost first."""
    found = None
    for module, function in stack:
        code = SimpleNamespace(co_name=function)
        found = SimpleNamespace(f_code=code, f_globals={"__name__": module}, f_back=found)
    return found


def test_every_module_of_a_data_plane_has_its_part():
    loaded = subprocess.run(
        [sys.executable, "-c", LOADED], check=True, capture_output=True, text=True
    ).stdout.split()
    assert len(loaded) > 100
    assert [name for name in loaded if not is_declared(name)] == []


def test_a_module_nobody_has_thought_of_is_not_declared():
    assert not is_declared("holdfast.spine.novelty")
    assert not is_declared("holdfast.edges.novelty.deep")
    assert is_declared("holdfast.spine.vault.novelty")


def test_every_declared_module_is_there():
    from importlib.util import find_spec

    declared = [*parts.PARTS, *parts.CALLERS, *parts.START, *parts.FUNCTIONS]
    assert [name for name in declared if find_spec(name) is None] == []


@pytest.mark.parametrize(
    ("module", "function", "part"),
    [
        ("holdfast.kit.db.sqlite", "execute_all", parts.SQL),
        ("holdfast.kit.db.sqlite", "commit", parts.COMMIT),
        ("holdfast.spine.decision.records", "seal", parts.RECORD),
        ("holdfast.spine.decision.judge", "judge", parts.JUDGING),
        ("holdfast.kit.canonical", "canonical_json", None),
        ("json.encoder", "encode", None),
        ("psycopg.cursor_async", "execute", parts.DRIVER),
    ],
)
def test_the_longest_name_that_fits_counts(module, function, part):
    assert part_of(module, function) == part


def test_a_stack_belongs_to_its_innermost_part():
    """Canonical JSON is made for the leaf here, and not for the operation that writes it."""
    stack = frames(
        ("asyncio.runners", "run"),
        ("holdfast.spine.operations.reveal", "reveal"),
        ("holdfast.spine.ledger.recorder", "append"),
        ("holdfast.kit.canonical", "canonical_json"),
        ("json.encoder", "encode"),
    )
    assert part_of_stack(stack) == parts.LEAF


def test_a_stack_without_a_part_is_the_loops():
    assert part_of_stack(frames(("__main__", "main"))) == parts.LOOP


def test_shares_are_of_the_whole():
    assert shares({"a": 1.0, "b": 3.0, "c": 0.0}) == {"b": 0.75, "a": 0.25}


def test_a_part_is_told_at_each_number_of_clients():
    told = said({32: {"SQL": 0.25, "HTTP": 0.1}, 1: {"HTTP": 0.5, "LEAF": 0.05}})
    assert told == [
        "share of CPU time at 32 clients, 1 client:",
        "25.0% /  0.0%  SQL",
        "10.0% / 50.0%  HTTP",
        " 0.0% /  5.0%  LEAF",
    ]
