"""The leaves of an export, bundle by bundle, against the tiles beside them and the roots above them.

L1: a leaf is read only after its hash was found in both tiles of level 0.
L2: roots that a leaf, a pinned or a cosigned checkpoint states of an earlier size are compared when the log has that size.
Format: docs/formats/export.md.
"""

from collections import defaultdict

from shockwave_verify import ed25519, tiles
from shockwave_verify.checkpoint import Checkpoint
from shockwave_verify.export import Folder
from shockwave_verify.hashing import BLAKE3, SHA256
from shockwave_verify.leaf import LEAF_BYTES_MAX, Keys, Leaf, Stated, parse_leaf
from shockwave_verify.rows import Rows
from shockwave_verify.tree import Frontier
from shockwave_verify.verdict import Failure, Malformed, Tampered, in_part

BUNDLE_BYTES_MAX = tiles.WIDTH * (2 + LEAF_BYTES_MAX)
STATED_MAX = 1_000_000
_TREES = (("", SHA256), ("b3/", BLAKE3))


class Log:
    def __init__(
        self,
        files: Folder,
        checkpoint: Checkpoint,
        known: dict[str, Checkpoint | None],
    ):
        """`known` has checkpoints of this log at other sizes, by what they are called."""
        self._files, self._checkpoint, self._known = files, checkpoint, known
        self._trees = [Frontier(tree.node, tree.empty) for _, tree in _TREES]
        # Of each tree the tile of each level from 1 on that is being filled.
        self._growing: list[dict[int, list[bytes]]] = [{}, {}]
        self._stated_before = self._read_ahead()
        self._next_rows: dict[int, int] = defaultdict(int)
        self._time_us = -(2**63)
        self.keys: Keys | None = None
        self.key_leaves = self.stated = self.lost = 0

    @property
    def blake3_root(self) -> bytes:
        return self._trees[1].root()

    def check(self, rows: Rows) -> None:
        """Checks all leaves, and the rows of those in the range."""
        self._compare_stated()
        for number in range(self._bundles):
            self._check_bundle(number, rows)
        self._finish()

    @property
    def _bundles(self) -> int:
        return -(-self._checkpoint.size // tiles.WIDTH)

    def _entries(self, seq: int) -> str:
        return tiles.tile_path("entries", seq // tiles.WIDTH, self._checkpoint.size)

    def _check_bundle(self, number: int, rows: Rows) -> None:
        path, leaves = self._leaves(number)
        hashed = [self._tile_of_leaves(tree, number, len(leaves)) for tree, _ in _TREES]
        rows.begin_bundle(number)
        for place, data in enumerate(leaves):
            seq = number * tiles.WIDTH + place
            hashes = [tree.leaf(data) for _, tree in _TREES]
            where = f"{path}, leaf {seq}"
            for (tile, found), own in zip(hashed, hashes):
                if found[32 * place : 32 * place + 32] != own:
                    raise Tampered(where, f"does not give hash {place} of {tile}")
            with in_part(where):
                leaf = self._leaf(data, seq)
                self._check_leaf(leaf)
            rows.reach(seq)
            if leaf.kind == "commit":
                rows.check_commit(leaf)
            self._append(hashes)
            self._compare_stated()
        rows.end_bundle()

    def _tile_of_leaves(self, tree: str, number: int, count: int) -> tuple[str, bytes]:
        path = tree + tiles.tile_path(0, number, self._checkpoint.size)
        data = self._files.read(path, tiles.HASHES_BYTES_MAX)
        if len(data) != 32 * count:
            raise Tampered(path, f"has {len(data)} bytes, not {32 * count}")
        return path, data

    def _leaves(self, number: int) -> tuple[str, list[bytes]]:
        """The leaves of a bundle: exactly as many as it must have."""
        first = number * tiles.WIDTH
        path = self._entries(first)
        data = self._files.read(path, BUNDLE_BYTES_MAX)
        leaves, at = [], 0
        width = min(tiles.WIDTH, self._checkpoint.size - first)
        for seq in range(first, first + width):
            start = at + 2
            at = start + int.from_bytes(data[at:start], "big")
            if start > len(data) or at > len(data):
                raise Malformed(path, f"ends before or in leaf {seq}")
            leaves.append(data[start:at])
        if at < len(data):
            raise Malformed(
                path, f"has {len(data) - at} bytes after its {width} leaves"
            )
        return path, leaves

    def _leaf(self, data: bytes, seq: int) -> Leaf:
        leaf = parse_leaf(data)
        if leaf.ledger != self._checkpoint.ledger:
            raise Tampered("leaf", "belongs to another ledger than the checkpoint")
        if leaf.seq != seq:
            raise Tampered("leaf", f"says it is at {leaf.seq}, but is at {seq}")
        return leaf

    def _check_leaf(self, leaf: Leaf) -> None:
        if leaf.time_us < self._time_us:
            raise Tampered("leaf", "is older than the one before it")
        self._time_us = leaf.time_us
        for span in leaf.spans:
            expected = self._next_rows[span.relation]
            if span.first_row != expected:
                why = f"begins relation {span.relation} at row {span.first_row}, not at {expected}"
                raise Tampered("commit leaf", why)
            self._next_rows[span.relation] += span.rows
        if leaf.keys is not None:
            self._check_keys(leaf.keys)
        if leaf.stated is not None:
            self._check_stated(leaf.stated, leaf.seq)

    def _check_keys(self, keys: Keys) -> None:
        signed = _is_signed(keys, keys.message, keys.by_new)
        if self.keys is None:
            signed = signed and keys.by_old is None
        else:
            is_replaced = keys.by_old is not None
            signed = (
                signed
                and is_replaced
                and _is_signed(self.keys, keys.message, keys.by_old)
            )
        if not signed:
            why = "is not signed by the keys it names and replaces"
            raise Tampered("key leaf", why)
        self.keys = keys
        self.key_leaves += 1

    def _check_stated(self, stated: Stated, seq: int) -> None:
        """Roots stated of the size that the log has right now; those of earlier sizes were compared then."""
        if stated.size > seq:
            self.lost += 1
            return
        self.stated += 1
        if stated.size == seq and not self._has_roots(stated):
            raise _other_roots("leaf", seq)

    def _has_roots(self, stated: Stated) -> bool:
        return [stated.sha256, stated.blake3] == [tree.root() for tree in self._trees]

    def _compare_stated(self) -> None:
        """L2."""
        size = self._trees[0].size
        for called, known in self._known.items():
            if known and known.size == size and known.root != self._trees[0].root():
                why = f"the log at size {self._checkpoint.size} does not extend the {called} log at size {size}: history was rewritten"
                raise Tampered("consistency", why)
        for seq, stated in self._stated_before.pop(size, []):
            if not self._has_roots(stated):
                raise _other_roots(f"{self._entries(seq)}, leaf {seq}: leaf", size)

    def _append(self, hashes: list[bytes]) -> None:
        for tree, (frontier, leaf) in enumerate(zip(self._trees, hashes)):
            made = frontier.append(leaf)
            for level in range(1, tiles.LEVELS):
                if 8 * level >= len(made):
                    break
                tile = self._growing[tree].setdefault(level, [])
                tile.append(made[8 * level])
                if len(tile) == tiles.WIDTH:
                    number = (frontier.size >> (8 * level)) // tiles.WIDTH - 1
                    self._compare_tile(tree, level, number)

    def _finish(self) -> None:
        """The tiles that stay partial, and the SHA-256 root."""
        size = self._checkpoint.size
        for tree in range(2):
            for level in sorted(self._growing[tree]):
                if self._growing[tree][level]:
                    self._compare_tile(
                        tree, level, (size >> (8 * level)) // tiles.WIDTH
                    )
        if self._trees[0].root() != self._checkpoint.root:
            why = f"states another root than that of the {size} leaves"
            raise Tampered("checkpoint", why)

    def _compare_tile(self, tree: int, level: int, number: int) -> None:
        own = b"".join(self._growing[tree].pop(level))
        path = _TREES[tree][0] + tiles.tile_path(level, number, self._checkpoint.size)
        found = self._files.read(path, tiles.HASHES_BYTES_MAX)
        if found != own:
            pairs = enumerate(zip(found, own))
            short = min(len(found), len(own))
            at = next((i for i, (a, b) in pairs if a != b), short)
            raise Tampered(path, f"is not what the leaves give, from byte {at} on")

    def _read_ahead(self) -> dict[int, list[tuple[int, Stated]]]:
        """Roots stated of a size below the leaf's own. What is read here is believed no sooner than anywhere else (L1)."""
        stated: dict[int, list[tuple[int, Stated]]] = defaultdict(list)
        count = 0
        for number in range(self._bundles):
            for seq, data in enumerate(self._leaves(number)[1], number * tiles.WIDTH):
                try:
                    found = parse_leaf(data).stated
                except Failure:
                    continue
                if found is not None and found.size < seq:
                    stated[found.size].append((seq, found))
                    count += 1
            if count > STATED_MAX:
                why = f"has more than {STATED_MAX} leaves that state roots of earlier sizes"
                raise Malformed("export", why)
        return stated


def _other_roots(what: str, size: int) -> Tampered:
    return Tampered(what, f"states other roots of size {size} than the log's")


def _is_signed(by: Keys, message: bytes, signatures: tuple[bytes, bytes]) -> bool:
    return all(
        ed25519.is_point(key) and ed25519.verify(key, message, signature)
        for key, signature in zip((by.sha256, by.blake3), signatures)
    )
