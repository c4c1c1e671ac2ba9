"""Leaves of the log: their one encoding, taken apart.

Format: docs/formats/leaf.md.
"""

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from shockwave_verify.hashing import keyed
from shockwave_verify.reading import U64_MAX, Reader
from shockwave_verify.verdict import Malformed

LEAF_BYTES_MAX = 65_535
ACTOR_BYTES_MAX = 63
IDEMPOTENCY_KEY_BYTES_MAX = 64
ORIGIN_BYTES_MAX = 252
# Bytes of a key leaf before its origin.
_KEY_HEAD = 42
_ORIGIN = re.compile(r".+/([0-9a-f]{32})", re.DOTALL)


@dataclass
class Span:
    """The rows of one table in a commit."""

    relation: int
    first_row: int
    rows: int


class Keys(NamedTuple):
    """What a key leaf says: the two keys from here on, and who signed it."""

    origin: str
    sha256: bytes
    blake3: bytes
    message: bytes
    by_new: tuple[bytes, bytes]
    by_old: tuple[bytes, bytes] | None


class Stated(NamedTuple):
    """Roots of both trees at a size, as a checkpoint or an incarnation leaf states them."""

    size: int
    sha256: bytes
    blake3: bytes


@dataclass
class Leaf:
    """What every leaf says, and what a commit says."""

    ledger: bytes
    seq: int
    time_us: int
    kind: str = ""
    actor: str = ""
    schema_root: bytes = b""
    row_root: bytes = b""
    rows: int = 0
    spans: list[Span] = field(default_factory=list)
    keys: Keys | None = None
    stated: Stated | None = None

    def locate(self, index: int) -> tuple[Span, int] | None:
        """The table of the row at `index` of the commit, and the row's place among those of its table."""
        for span in self.spans:
            if index < span.rows:
                return span, index
            index -= span.rows
        return None


def parse_leaf(data: bytes) -> Leaf:
    read = Reader(data, "leaf")
    if len(data) > LEAF_BYTES_MAX:
        raise read.fail(f"has {len(data)} bytes, at most {LEAF_BYTES_MAX}")
    if read.take(4) != b"SWLF":
        raise read.fail("does not start with SWLF")
    version = read.uint(1)
    if version != 1:
        raise read.fail(f"version {version} is not supported")
    kind = read.uint(1)
    read.zeros(2)
    ledger, seq = read.take(16), read.uint(8)
    leaf = Leaf(ledger, seq, int.from_bytes(read.take(8), "little", signed=True))
    if kind not in _KINDS:
        raise read.fail(f"kind {kind} is not supported")
    leaf.kind, body = _KINDS[kind]
    body(read, leaf, data)
    read.end()
    return leaf


def _commit(read: Reader, leaf: Leaf, data: bytes) -> None:
    leaf.schema_root, leaf.rows = read.take(32), read.uint(8)
    leaf.row_root = read.take(32)
    read.hashes(2)  # of policy and plan
    read.zeros(8)
    leaf.actor = read.short_text("actor")
    key = read.take(read.uint(1))
    for _ in range(read.uint(4)):
        leaf.spans.append(Span(read.uint(4), read.uint(8), read.uint(8)))
    _check_commit(leaf, len(key))


def _check_commit(leaf: Leaf, key_bytes: int) -> None:
    def fail(why: str) -> Malformed:
        return Malformed("commit leaf", why)

    actor_bytes = len(leaf.actor.encode())
    if actor_bytes > ACTOR_BYTES_MAX or "\0" in leaf.actor:
        why = f"has an actor of {actor_bytes} bytes or with a zero byte, at most {ACTOR_BYTES_MAX}"
        raise fail(why)
    if key_bytes > IDEMPOTENCY_KEY_BYTES_MAX:
        why = f"has an idempotency key of {key_bytes} bytes, at most {IDEMPOTENCY_KEY_BYTES_MAX}"
        raise fail(why)
    for one, next_one in zip(leaf.spans, leaf.spans[1:]):
        if one.relation >= next_one.relation:
            raise fail(f"lists relation {one.relation} before {next_one.relation}")
    total = 0
    for span in leaf.spans:
        total += span.rows
        if not span.rows or max(span.first_row + span.rows, total) > U64_MAX:
            why = f"has {span.rows} rows from {span.first_row} in relation {span.relation}"
            raise fail(why)
    if total != leaf.rows:
        raise fail(f"has {leaf.rows} rows but spans of {total}")
    if total == 0 and leaf.row_root != keyed("row-node", b""):
        raise fail("has no rows but not the empty row root")


def _checkpoint(read: Reader, leaf: Leaf, data: bytes) -> None:
    size = read.uint(8)
    leaf.stated = Stated(size, *read.hashes(2))
    if size > leaf.seq:
        why = f"at {leaf.seq} states roots of size {size}"
        raise Malformed("checkpoint leaf", why)


def _key(read: Reader, leaf: Leaf, data: bytes) -> None:
    role = read.uint(1)
    origin = read.short_text("origin")
    keys = read.hashes(2)
    unsigned = data[: _KEY_HEAD + len(origin.encode()) + 64]
    by_new = (read.take(64), read.take(64))
    by_old = None
    if role == 1:
        by_old = (read.take(64), read.take(64))
    elif role != 0:
        raise read.fail(f"key role {role} is not supported")
    message = b"shockwave/key-leaf/v1\n" + unsigned
    leaf.keys = Keys(origin, *keys, message, by_new, by_old)
    found = _ORIGIN.fullmatch(origin)
    is_own = found and bytes.fromhex(found[1]) == leaf.ledger
    if len(origin.encode()) > ORIGIN_BYTES_MAX or not is_own:
        raise Malformed("key leaf", "has an origin that is not this ledger's")
    if keys[0] == keys[1]:
        raise Malformed("key leaf", "names one key for both trees")


def _incarnation(read: Reader, leaf: Leaf, data: bytes) -> None:
    number = read.uint(4)
    leaf.stated = Stated(read.uint(8), *read.hashes(2))
    if number == 0:
        raise Malformed("incarnation leaf", "numbers its incarnation 0")


_KINDS = {
    1: ("commit", _commit),
    2: ("checkpoint", _checkpoint),
    3: ("key", _key),
    4: ("incarnation", _incarnation),
}
