/**
 * Leaves of the log: their one encoding, taken apart.
 *
 * Format: docs/formats/leaf.md.
 */

import { ascii, concat, encoded, equal, hex, Reader, signed } from "./bytes.js";
import { ledgerOf } from "./checkpoint.js";
import { rowNode } from "./hash.js";
import { malformed } from "./verdict.js";

const LEAF_BYTES_MAX = 65_535;
const ACTOR_BYTES_MAX = 63;
const IDEMPOTENCY_KEY_BYTES_MAX = 64;
const ORIGIN_BYTES_MAX = 252;
const U64_END = 2n ** 64n;

/** The rows of one table in a commit. */
export interface Span {
  relation: number;
  firstRow: bigint;
  rows: bigint;
}

export interface Commit {
  schemaRoot: Uint8Array;
  rows: bigint;
  rowRoot: Uint8Array;
  actor: string;
  spans: Span[];
}

/** What a key leaf says: the two keys from here on, and who signed it. */
export interface Keys {
  origin: string;
  sha256: Uint8Array;
  blake3: Uint8Array;
  message: Uint8Array;
  byNew: [Uint8Array, Uint8Array];
  byOld: [Uint8Array, Uint8Array] | undefined;
}

/** Roots of both trees at a size, as a checkpoint or an incarnation leaf states them. */
export interface Stated {
  size: bigint;
  sha256: Uint8Array;
  blake3: Uint8Array;
}

export interface Leaf {
  ledger: string;
  seq: bigint;
  timeMicros: bigint;
  kind: "commit" | "checkpoint" | "key" | "incarnation";
  commit?: Commit;
  keys?: Keys;
  stated?: Stated;
}

/** The table of the row at `index` of the commit, and the row's place among those of its table. */
export function locate(commit: Commit, index: bigint): { span: Span; place: bigint } | undefined {
  let place = index;
  for (const span of commit.spans) {
    if (place < span.rows) return { span, place };
    place -= span.rows;
  }
  return undefined;
}

export function parseLeaf(bytes: Uint8Array): Leaf {
  const read = new Reader(bytes, "leaf");
  if (bytes.length > LEAF_BYTES_MAX) throw read.fail(`has ${bytes.length} bytes, at most ${LEAF_BYTES_MAX}`);
  if (hex(read.take(4)) !== "53574c46") throw read.fail("does not start with SWLF");
  const version = read.u8();
  if (version !== 1) throw read.fail(`version ${version} is not supported`);
  const kind = read.u8();
  read.zeros(2);
  const place = { ledger: hex(read.take(16)), seq: read.u64(), timeMicros: signed(read.take(8)) };
  const leaf = body(kind, read, place, bytes);
  read.end();
  return leaf;
}

function body(kind: number, read: Reader, place: Omit<Leaf, "kind">, bytes: Uint8Array): Leaf {
  switch (kind) {
    case 1:
      return { ...place, kind: "commit", commit: readCommit(read) };
    case 2:
      return { ...place, kind: "checkpoint", stated: readCheckpoint(read, place.seq) };
    case 3:
      return { ...place, kind: "key", keys: readKey(read, place.ledger, bytes) };
    case 4:
      return { ...place, kind: "incarnation", stated: readIncarnation(read) };
    default:
      throw read.fail(`kind ${kind} is not supported`);
  }
}

function readCommit(read: Reader): Commit {
  const [schemaRoot, rows, rowRoot] = [read.take(32), read.u64(), read.take(32)];
  read.hashes(2); // of policy and plan
  read.zeros(8);
  const actor = read.shortText("actor");
  const key = read.take(read.u8());
  const spans: Span[] = [];
  for (let left = read.u32(); left > 0; left--) {
    spans.push({ relation: read.u32(), firstRow: read.u64(), rows: read.u64() });
  }
  const commit = { schemaRoot, rows, rowRoot, actor, spans };
  checkCommit(commit, key.length);
  return commit;
}

function checkCommit({ actor, spans, rows, rowRoot }: Commit, keyBytes: number): void {
  const fail = (why: string) => malformed("commit leaf", why);
  const actorBytes = encoded(actor).length;
  if (actorBytes > ACTOR_BYTES_MAX || actor.includes("\0")) {
    throw fail(`has an actor of ${actorBytes} bytes or with a zero byte, at most ${ACTOR_BYTES_MAX}`);
  }
  if (keyBytes > IDEMPOTENCY_KEY_BYTES_MAX) {
    throw fail(`has an idempotency key of ${keyBytes} bytes, at most ${IDEMPOTENCY_KEY_BYTES_MAX}`);
  }
  spans.forEach((span, i) => {
    const before = spans[i - 1];
    if (before && before.relation >= span.relation) throw fail(`lists relation ${before.relation} before ${span.relation}`);
  });
  let total = 0n;
  for (const span of spans) {
    total += span.rows;
    if (span.rows === 0n || span.firstRow + span.rows >= U64_END || total >= U64_END) {
      throw fail(`has ${span.rows} rows from ${span.firstRow} in relation ${span.relation}`);
    }
  }
  if (total !== rows) throw fail(`has ${rows} rows but spans of ${total}`);
  if (total === 0n && !equal(rowRoot, rowNode())) throw fail("has no rows but not the empty row root");
}

function readStated(read: Reader): Stated {
  return { size: read.u64(), sha256: read.take(32), blake3: read.take(32) };
}

function readCheckpoint(read: Reader, seq: bigint): Stated {
  const stated = readStated(read);
  if (stated.size > seq) throw malformed("checkpoint leaf", `at ${seq} states roots of size ${stated.size}`);
  return stated;
}

/** Bytes of a key leaf before its origin. */
const KEY_HEAD = 42;

function readKey(read: Reader, ledger: string, bytes: Uint8Array): Keys {
  const role = read.u8();
  const origin = read.shortText("origin");
  const originBytes = encoded(origin).length;
  const [sha256, blake3] = [read.take(32), read.take(32)];
  const message = concat(ascii("shockwave/key-leaf/v1\n"), bytes.subarray(0, KEY_HEAD + originBytes + 64));
  const byNew = readSignatures(read);
  const byOld = role === 1 ? readSignatures(read) : undefined;
  if (role > 1) throw read.fail(`key role ${role} is not supported`);
  if (originBytes > ORIGIN_BYTES_MAX || ledgerOf(origin) !== ledger) {
    throw malformed("key leaf", "has an origin that is not this ledger's");
  }
  if (equal(sha256, blake3)) throw malformed("key leaf", "names one key for both trees");
  return { origin, sha256, blake3, message, byNew, byOld };
}

const readSignatures = (read: Reader): [Uint8Array, Uint8Array] => [read.take(64), read.take(64)];

function readIncarnation(read: Reader): Stated {
  const number = read.u32();
  const stated = readStated(read);
  if (number === 0) throw malformed("incarnation leaf", "numbers its incarnation 0");
  return stated;
}
