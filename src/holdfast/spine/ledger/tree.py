"""The Merkle tree of RFC 6962 §2.1 with SHA-256: hashing, growing, proofs and their verification.

Pure functions over hashes of 32 bytes. A *node* ``(level, index)`` names the complete subtree over the leaves
``[index · 2^level, (index + 1) · 2^level)``. Proofs are first *planned* as nodes, so that whoever holds the hashes can
fetch them in one round, and then put together.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = sha256(b"").digest()

Node = tuple[int, int]
Plan = tuple[tuple[Node, ...], ...]


def leaf_hash(entry: bytes) -> bytes:
    """MTH({d}) = SHA-256(0x00 ‖ d)."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 ‖ left ‖ right)."""
    return sha256(b"\x01" + left + right).digest()


def subtree_root(hashes: Sequence[bytes]) -> bytes:
    """Root over ``hashes``, whose number is a power of two."""
    level = hashes
    while len(level) > 1:
        level = [
            sha256(b"\x01" + level[at] + level[at + 1]).digest() for at in range(0, len(level), 2)
        ]
    return level[0]


def fold(hashes: Sequence[bytes]) -> bytes:
    """Join the roots of complete subtrees, largest first, into the root over all of them; at least one."""
    joined = hashes[-1]
    for left in reversed(hashes[:-1]):
        joined = node_hash(left, joined)
    return joined


class CompactRange:
    """A growing tree of which only the roots of its complete subtrees are kept, largest first.

    Appending costs O(1) amortised. Invariant: ``len(nodes)`` is the number of one bits of ``size``.
    """

    __slots__ = ("nodes", "size")

    def __init__(self, size: int = 0, nodes: Iterable[bytes] = ()) -> None:
        self.size = size
        self.nodes = list(nodes)
        if len(self.nodes) != size.bit_count():
            msg = f"a tree of {size} leaves has {size.bit_count()} complete subtrees"
            raise ValueError(msg)

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash."""
        nodes, at = self.nodes, self.size
        while at & 1:
            leaf = sha256(b"\x01" + nodes.pop() + leaf).digest()
            at >>= 1
        nodes.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """Root over all leaves so far."""
        return fold(self.nodes) if self.nodes else EMPTY_ROOT


def root_and_paths(hashes: Sequence[bytes]) -> tuple[bytes, list[list[bytes]]]:
    """MTH(D) and, for each leaf, PATH(m, D) (RFC 6962 §2.1.1) of a small tree, at least one leaf."""
    if len(hashes) == 1:
        return hashes[0], [[]]
    split = _largest_power_below(len(hashes))
    left, left_paths = root_and_paths(hashes[:split])
    right, right_paths = root_and_paths(hashes[split:])
    for path in left_paths:
        path.append(right)
    for path in right_paths:
        path.append(left)
    return node_hash(left, right), left_paths + right_paths


def complete_subtrees(begin: int, end: int) -> tuple[Node, ...]:
    """Nodes that cover ``[begin, end)``, largest first; ``begin`` is a multiple of a power of two ≥ the length."""
    nodes = []
    at = begin
    while at < end:
        level = (end - at).bit_length() - 1
        nodes.append((level, at >> level))
        at += 1 << level
    return tuple(nodes)


def inclusion_plan(index: int, size: int) -> Plan:
    """PATH(index, D[size]) of RFC 6962 §2.1.1, from the leaf's sibling up; ``ValueError`` if not inside."""
    if not 0 <= index < size:
        msg = f"leaf {index} is not in a tree of {size}"
        raise ValueError(msg)
    begin, end = 0, size
    plan: list[tuple[Node, ...]] = []
    while end - begin > 1:
        split = begin + _largest_power_below(end - begin)
        if index < split:
            plan.append(complete_subtrees(split, end))
            end = split
        else:
            plan.append(complete_subtrees(begin, split))
            begin = split
    return tuple(reversed(plan))


def consistency_plan(old: int, new: int) -> Plan:
    """PROOF(old, D[new]) of RFC 6962 §2.1.2; ``ValueError`` unless 0 < old ≤ new."""
    if not 0 < old <= new:
        msg = f"no consistency proof from size {old} to {new}"
        raise ValueError(msg)
    begin, end, whole = 0, new, True
    plan: list[tuple[Node, ...]] = []
    while old != end:
        split = begin + _largest_power_below(end - begin)
        if old <= split:
            plan.append(complete_subtrees(split, end))
            end = split
        else:
            plan.append(complete_subtrees(begin, split))
            begin, whole = split, False
    if not whole:
        plan.append(complete_subtrees(begin, end))
    return tuple(reversed(plan))


def proof_from(plan: Plan, read: Callable[[Node], bytes]) -> tuple[bytes, ...]:
    """Put a proof together; ``read`` gives the hash of a complete subtree."""
    return tuple(fold([read(node) for node in nodes]) for nodes in plan)


def _largest_power_below(count: int) -> int:
    return 1 << ((count - 1).bit_length() - 1)


def inclusion_holds(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], *, root: bytes
) -> bool:
    """Tell whether ``leaf`` stands at ``index`` of the tree of ``size`` with ``root`` (RFC 9162 §2.1.3.2)."""
    if not 0 <= index < size or not _are_hashes(leaf, root, *proof):
        return False
    at, last, computed = index, size - 1, leaf
    for step in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            computed = node_hash(step, computed)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            computed = node_hash(computed, step)
        at, last = at >> 1, last >> 1
    return last == 0 and computed == root


def consistency_holds(
    old: int, new: int, proof: Sequence[bytes], *, old_root: bytes, new_root: bytes
) -> bool:
    """Tell whether the tree of ``old`` leaves is the beginning of the one of ``new`` (RFC 9162 §2.1.4.2).

    A proof from size 0 shows nothing and is refused, also to size 0: the caller who starts from nothing compares
    with the empty root.
    """
    if not 0 < old <= new:
        return False
    if old == new:
        return not proof and old_root == new_root
    if not _are_hashes(old_root, new_root, *proof):
        return False
    steps = [*proof] if old & (old - 1) else [old_root, *proof]
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    if not steps:
        return False
    from_old = from_new = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            from_old, from_new = node_hash(step, from_old), node_hash(step, from_new)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            from_new = node_hash(from_new, step)
        at, last = at >> 1, last >> 1
    return last == 0 and from_old == old_root and from_new == new_root


def _are_hashes(*values: bytes) -> bool:
    return all(len(value) == HASH_BYTES for value in values)
