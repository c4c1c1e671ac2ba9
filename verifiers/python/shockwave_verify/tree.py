"""Trees of the shape of RFC 9162: growing ones, and paths of inclusion (§2.1.3) and consistency (§2.1.4).

T1: an index at or above the size, and a path one hash too short or too long, never verify.
"""

from shockwave_verify.hashing import LogTree, Node


class Frontier:
    """The right edge of a growing tree: the roots of its complete subtrees, largest first."""

    def __init__(self, node: Node, empty: bytes):
        self._node, self._empty = node, empty
        self._edge: list[bytes] = []
        self.size = 0

    def append(self, leaf: bytes) -> list[bytes]:
        """Appends a leaf hash; the nodes that it completes, by level from the leaf up."""
        at, made = self.size, [leaf]
        while at & 1:
            leaf = self._node(self._edge.pop(), leaf)
            made.append(leaf)
            at >>= 1
        self._edge.append(leaf)
        self.size += 1
        return made

    def root(self) -> bytes:
        if not self._edge:
            return self._empty
        *left, root = self._edge
        for subtree in reversed(left):
            root = self._node(subtree, root)
        return root


def root_of_path(
    node: Node, leaf: bytes, index: int, size: int, path: list[bytes]
) -> bytes | None:
    """The root that `path` leads to from the leaf hash, or None (T1)."""
    if index >= size:
        return None
    at, last, root = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return None
        if at & 1 or at == last:
            root = node(sibling, root)
            while at & 1 == 0 and at != 0:
                at, last = at >> 1, last >> 1
        else:
            root = node(root, sibling)
        at, last = at >> 1, last >> 1
    return root if last == 0 else None


def extends(
    tree: LogTree,
    old_size: int,
    old_root: bytes,
    new_size: int,
    new_root: bytes,
    path: list[bytes],
) -> bool:
    """True if `path` proves that the new log starts with the old one."""
    if old_size > new_size:
        return False
    if old_size == 0 and old_root != tree.empty:
        return False
    if old_size == new_size:
        return not path and old_root == new_root
    if old_size == 0:
        return not path
    hashes = iter([old_root, *path] if old_size & (old_size - 1) == 0 else path)
    first = next(hashes, None)
    if first is None:
        return False
    at, last = old_size - 1, new_size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old, new = first, first
    for sibling in hashes:
        if last == 0:
            return False
        if at & 1 or at == last:
            old, new = tree.node(sibling, old), tree.node(sibling, new)
            while at & 1 == 0 and at != 0:
                at, last = at >> 1, last >> 1
        else:
            new = tree.node(new, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and old == old_root and new == new_root
