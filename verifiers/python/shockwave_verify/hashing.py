"""The hashes of a ledger: keyed BLAKE3 by purpose, and the two log trees.

Format: docs/formats/leaf.md, docs/formats/tiles.md.
"""

import hashlib
from collections.abc import Callable
from typing import NamedTuple

from blake3 import blake3


def _key(purpose: str) -> bytes:
    return blake3(b"", derive_key_context=f"shockwave 2026 {purpose} v1").digest()


_KEYS = {
    purpose: _key(purpose)
    for purpose in (
        "field",
        "row",
        "row-node",
        "leaf",
        "node",
        "salt",
        "schema",
        "schema-node",
    )
}


def keyed(purpose: str, data: bytes) -> bytes:
    """BLAKE3 of `data` under the key of `purpose`."""
    return blake3(data, key=_KEYS[purpose]).digest()


Node = Callable[[bytes, bytes], bytes]


def keyed_node(purpose: str) -> Node:
    """The inner node of a tree whose hashes are of `purpose`."""
    return lambda left, right: keyed(purpose, left + right)


class LogTree(NamedTuple):
    """One of the two trees over the leaves of a ledger."""

    name: str
    leaf: Callable[[bytes], bytes]
    node: Node
    empty: bytes


SHA256 = LogTree(
    "SHA-256",
    lambda leaf: hashlib.sha256(b"\0" + leaf).digest(),
    lambda left, right: hashlib.sha256(b"\1" + left + right).digest(),
    hashlib.sha256(b"").digest(),
)
BLAKE3 = LogTree(
    "BLAKE3",
    lambda leaf: keyed("leaf", leaf),
    keyed_node("node"),
    keyed("node", b""),
)


def padded(data: bytes) -> bytes:
    """`data` with zeros up to whole blocks of 64 bytes."""
    return data + bytes(-len(data) % 64)
