"""Whatever the data plane answers: where an answer names a leaf and its log, a receipt can be put on it."""

from __future__ import annotations

import inspect
from typing import get_args, get_type_hints

import msgspec
import pytest

from holdfast.edges.dataplane.openapi import OPERATIONS
from holdfast.edges.dataplane.receipts import Receipts
from holdfast.spine.ledger.checkpoint import base64_text
from holdfast.spine.turn import answers
from holdfast.spine.turn.answers import Approvals, LeafPointer
from support.bank import CLIENT, new_bank

LOG = f"client-{CLIENT}"
#: A list of requests names no leaf: only who looks at one of them is told its line.
LISTS = {Approvals}
OWN = [
    kind
    for _, kind in inspect.getmembers(answers, inspect.isclass)
    if issubclass(kind, msgspec.Struct) and kind.__module__ == answers.__name__
]
DOCUMENTED = [one.response for one in OPERATIONS if one.response is not None]
KINDS = sorted({*OWN, *DOCUMENTED} - {LeafPointer, answers.Asked}, key=lambda kind: kind.__name__)


def structs_in(hint):
    """The answer types within a type."""
    inner = [found for part in get_args(hint) for found in structs_in(part)]
    own = inspect.isclass(hint) and issubclass(hint, msgspec.Struct)
    return [hint, *inner] if own else inner


def pointers(kind, path=()):
    """Where a type can name a leaf."""
    for name, hint in get_type_hints(kind).items():
        for found in structs_in(hint):
            at = (*path, name)
            if found is LeafPointer:
                yield ".".join(at)
            elif found not in path:
                yield from pointers(found, at)


@pytest.fixture(scope="module")
def receipts(tmp_path_factory):
    bank = new_bank(tmp_path_factory.mktemp("house") / "house")
    yield Receipts(bank.house)
    bank.close()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_leaf_is_named_where_a_receipt_is_put_on_it(kind):
    assert kind in LISTS or set(pointers(kind)) <= {"leaf"}
    named = {name for name, hint in get_type_hints(kind).items() if "leaf" in name}
    assert named <= {"leaf"}
    for name in named:
        assert LeafPointer in structs_in(get_type_hints(kind)[name]), "an id alone gets no receipt"


@pytest.mark.parametrize(
    "kind", [one for one in KINDS if "leaf" in pointers(one)], ids=lambda kind: kind.__name__
)
def test_it_gets_one(receipts, kind):
    nothing = dict.fromkeys(kind.__struct_fields__)
    leaf = LeafPointer(LOG, "lf_1", base64_text(b"h" * 32))
    (answer,) = receipts.attach([kind(**{**nothing, "leaf": leaf})])
    assert answer.leaf.receipt is not None
    assert answer.leaf.receipt.origin.endswith(LOG)


def test_the_search_finds_leaves_at_all():
    found = {one.__name__ for one in KINDS if "leaf" in set(pointers(one))}
    assert found >= {"Revealed", "Acted", "OutcomeTaken", "ApprovalShown", "ProvisionalOpened"}
    assert set(pointers(Approvals)) == {"approvals.leaf"}
