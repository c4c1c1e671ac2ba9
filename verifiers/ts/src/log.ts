/**
 * The leaves of an export, bundle by bundle, against the tiles beside them and the roots above them.
 *
 * L1: a leaf is read only after its hash was found in both tiles of level 0.
 * L2: roots that a leaf, a pinned or a cosigned checkpoint states of an earlier size are compared when the log has that size.
 * Format: docs/formats/export.md.
 */

import { concat, equal } from "./bytes.js";
import { type Checkpoint, ledgerOf } from "./checkpoint.js";
import { pointOf, verify } from "./ed25519.js";
import { type ExportFiles, readWhole } from "./export.js";
import { BLAKE3, type LogTree, SHA256 } from "./hash.js";
import { type Keys, type Leaf, parseLeaf, type Stated } from "./leaf.js";
import type { Rows } from "./rows.js";
import { TILE_BYTES_MAX, TILE_LEVELS, TILE_WIDTH, tilePath } from "./tiles.js";
import { Frontier } from "./tree.js";
import { Failure, inPart, malformed, tampered } from "./verdict.js";

const BUNDLE_BYTES_MAX = 256 * (2 + 65_535);
const STATED_MAX = 1_000_000;

/** One of the trees, and of each level from 1 on the tile that is being filled. */
interface Growing {
  folder: string;
  tree: LogTree;
  frontier: Frontier;
  tiles: Uint8Array[][];
}

const growing = (folder: string, tree: LogTree): Growing => ({
  folder,
  tree,
  frontier: new Frontier(tree.node, tree.empty),
  tiles: Array.from({ length: TILE_LEVELS }, () => []),
});

/** Checkpoints of the log at other sizes. */
export interface Known {
  pinned: Checkpoint | undefined;
  cosigned: Checkpoint | undefined;
}

export class Log {
  keys: Keys | undefined;
  keyLeaves = 0;
  stated = 0;
  lost = 0;
  private readonly sha256 = growing("", SHA256);
  private readonly blake3 = growing("b3/", BLAKE3);
  private readonly trees = [this.sha256, this.blake3];
  private readonly statedBefore: Map<bigint, { seq: bigint; stated: Stated }[]>;
  private readonly nextRows = new Map<number, bigint>();
  private timeMicros = -(2n ** 63n);

  constructor(
    private readonly files: ExportFiles,
    private readonly checkpoint: Checkpoint,
    private readonly known: Known,
  ) {
    this.statedBefore = this.readAhead();
  }

  /** Checks all leaves, and the rows of those in the range. */
  check(rows: Rows): void {
    this.compareStated();
    for (let number = 0n; number < this.bundles; number += 1n) this.checkBundle(number, rows);
    this.finish();
  }

  blake3Root = () => this.blake3.frontier.root();

  private get bundles(): bigint {
    return (this.checkpoint.size + TILE_WIDTH - 1n) / TILE_WIDTH;
  }

  private path = (kind: number | "entries", number: bigint) => tilePath(kind, number, this.checkpoint.size) ?? "";

  private checkBundle(number: bigint, rows: Rows): void {
    const { path, leaves } = this.leaves(number);
    const tiles = this.trees.map(({ folder, tree }) => {
      const name = folder + this.path(0, number);
      const bytes = readWhole(this.files, name, TILE_BYTES_MAX);
      if (bytes.length !== 32 * leaves.length) throw tampered(name, `has ${bytes.length} bytes, not ${32 * leaves.length}`);
      return { name, bytes, tree };
    });
    rows.beginBundle(number);
    leaves.forEach((data, i) => {
      const seq = number * TILE_WIDTH + BigInt(i);
      const where = `${path}, leaf ${seq}`;
      const hashes = tiles.map(({ name, bytes, tree }) => {
        const hash = tree.leaf(data);
        if (!equal(bytes.subarray(32 * i, 32 * i + 32), hash)) throw tampered(where, `does not give hash ${i} of ${name}`);
        return hash;
      });
      const leaf = inPart(where, () => this.checkLeaf(parseLeaf(data), seq));
      rows.reach(seq);
      if (leaf.commit) rows.checkCommit({ ...leaf, commit: leaf.commit });
      this.append(hashes);
      this.compareStated();
    });
    rows.endBundle();
  }

  /** The leaves of a bundle: exactly as many as it must have. */
  private leaves(number: bigint): { path: string; leaves: Uint8Array[] } {
    const first = number * TILE_WIDTH;
    const path = this.path("entries", number);
    const bytes = readWhole(this.files, path, BUNDLE_BYTES_MAX);
    const left = this.checkpoint.size - first;
    const width = Number(left < TILE_WIDTH ? left : TILE_WIDTH);
    const leaves: Uint8Array[] = [];
    let at = 0;
    for (let i = 0; i < width; i++) {
      const [high, low] = [bytes[at], bytes[at + 1]];
      const end = high === undefined || low === undefined ? Number.POSITIVE_INFINITY : at + 2 + 256 * high + low;
      if (end > bytes.length) throw malformed(path, `ends before or in leaf ${first + BigInt(i)}`);
      leaves.push(bytes.subarray(at + 2, end));
      at = end;
    }
    if (at < bytes.length) throw malformed(path, `has ${bytes.length - at} bytes after its ${width} leaves`);
    return { path, leaves };
  }

  private checkLeaf(leaf: Leaf, seq: bigint): Leaf {
    if (leaf.ledger !== ledgerOf(this.checkpoint.origin)) throw tampered("leaf", "belongs to another ledger than the checkpoint");
    if (leaf.seq !== seq) throw tampered("leaf", `says it is at ${leaf.seq}, but is at ${seq}`);
    if (leaf.timeMicros < this.timeMicros) throw tampered("leaf", "is older than the one before it");
    this.timeMicros = leaf.timeMicros;
    for (const { relation, firstRow, rows } of leaf.commit?.spans ?? []) {
      const next = this.nextRows.get(relation) ?? 0n;
      if (firstRow !== next) throw tampered("commit leaf", `begins relation ${relation} at row ${firstRow}, not at ${next}`);
      this.nextRows.set(relation, next + rows);
    }
    if (leaf.keys) this.checkKeys(leaf.keys);
    if (leaf.stated) this.checkStated(leaf.stated, seq);
    return leaf;
  }

  private checkKeys(keys: Keys): void {
    const { message, byNew, byOld } = keys;
    const isReplaced = this.keys === undefined ? byOld === undefined : byOld !== undefined && isSigned(this.keys, message, byOld);
    if (!isReplaced || !isSigned(keys, message, byNew)) throw tampered("key leaf", "is not signed by the keys it names and replaces");
    this.keys = keys;
    this.keyLeaves += 1;
  }

  /** Roots stated of the size that the log has right now; those of earlier sizes were compared then. */
  private checkStated(stated: Stated, seq: bigint): void {
    if (stated.size > seq) {
      this.lost += 1;
      return;
    }
    this.stated += 1;
    if (stated.size === seq && !this.hasRoots(stated)) throw tampered("leaf", `states other roots of size ${seq} than the log's`);
  }

  private hasRoots({ sha256, blake3 }: Stated): boolean {
    return equal(sha256, this.sha256.frontier.root()) && equal(blake3, this.blake3.frontier.root());
  }

  /** L2. */
  private compareStated(): void {
    const { size } = this.sha256.frontier;
    for (const [called, known] of Object.entries(this.known)) {
      if (known?.size === size && !equal(known.root, this.sha256.frontier.root())) {
        const why = `the log at size ${this.checkpoint.size} does not extend the ${called} log at size ${size}: history was rewritten`;
        throw tampered("consistency", why);
      }
    }
    for (const { seq, stated } of this.statedBefore.get(size) ?? []) {
      if (this.hasRoots(stated)) continue;
      const what = `${this.path("entries", seq / TILE_WIDTH)}, leaf ${seq}: leaf`;
      throw tampered(what, `states other roots of size ${size} than the log's`);
    }
    this.statedBefore.delete(size);
  }

  private append(hashes: Uint8Array[]): void {
    this.trees.forEach((one, i) => {
      const made = one.frontier.append(hashes[i] as Uint8Array);
      for (let level = 1; 8 * level < made.length; level++) {
        const tile = one.tiles[level] as Uint8Array[];
        tile.push(made[8 * level] as Uint8Array);
        if (tile.length === 256) this.compareTile(one, level, (one.frontier.size >> BigInt(8 * level)) / TILE_WIDTH - 1n);
      }
    });
  }

  /** The tiles that stay partial, and the SHA-256 root. */
  private finish(): void {
    const { size, root } = this.checkpoint;
    for (const one of this.trees) {
      one.tiles.forEach((tile, level) => {
        if (tile.length > 0) this.compareTile(one, level, (size >> BigInt(8 * level)) / TILE_WIDTH);
      });
    }
    if (!equal(this.sha256.frontier.root(), root)) throw tampered("checkpoint", `states another root than that of the ${size} leaves`);
  }

  private compareTile({ folder, tiles }: Growing, level: number, number: bigint): void {
    const own = concat(...(tiles[level] ?? []));
    tiles[level] = [];
    const path = folder + this.path(level, number);
    const found = readWhole(this.files, path, TILE_BYTES_MAX);
    if (equal(found, own)) return;
    const short = Math.min(found.length, own.length);
    let at = 0;
    while (at < short && found[at] === own[at]) at++;
    throw tampered(path, `is not what the leaves give, from byte ${at} on`);
  }

  /** Roots stated of a size below the leaf's own. What is read here is believed no sooner than anywhere else (L1). */
  private readAhead(): Map<bigint, { seq: bigint; stated: Stated }[]> {
    const all = new Map<bigint, { seq: bigint; stated: Stated }[]>();
    let count = 0;
    for (let number = 0n; number < this.bundles; number += 1n) {
      this.leaves(number).leaves.forEach((data, i) => {
        const seq = number * TILE_WIDTH + BigInt(i);
        const stated = statedIn(data);
        if (stated === undefined || stated.size >= seq) return;
        all.set(stated.size, [...(all.get(stated.size) ?? []), { seq, stated }]);
        count += 1;
      });
      if (count > STATED_MAX) throw malformed("export", `has more than ${STATED_MAX} leaves that state roots of earlier sizes`);
    }
    return all;
  }
}

function statedIn(leaf: Uint8Array): Stated | undefined {
  try {
    return parseLeaf(leaf).stated;
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

function isSigned({ sha256, blake3 }: Keys, message: Uint8Array, [bySha256, byBlake3]: [Uint8Array, Uint8Array]): boolean {
  const isBy = (key: Uint8Array, signature: Uint8Array) => pointOf(key)?.isSmallOrder() === false && verify(key, message, signature);
  return isBy(sha256, bySha256) && isBy(blake3, byBlake3);
}
