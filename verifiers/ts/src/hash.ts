/**
 * The hashes of a ledger: keyed BLAKE3 by purpose, and the two log trees.
 *
 * Format: docs/formats/leaf.md, docs/formats/tiles.md.
 */

import { blake3 } from "@noble/hashes/blake3.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { ascii, concat } from "./bytes.js";

export type Node = (left: Uint8Array, right: Uint8Array) => Uint8Array;

/** BLAKE3 of the parts, joined, under the key of a purpose; no two purposes share a key. */
function purpose(name: string): (...parts: Uint8Array[]) => Uint8Array {
  const key = blake3(new Uint8Array(), { context: ascii(`shockwave 2026 ${name} v1`) });
  return (...parts) => blake3(concat(...parts), { key });
}

export const fieldHash = purpose("field");
export const rowHash = purpose("row");
export const rowNode = purpose("row-node");
export const schemaHash = purpose("schema");
export const schemaNode = purpose("schema-node");
const leafHash = purpose("leaf");
const logNode = purpose("node");

/** One of the two trees over the leaves of a ledger. */
export interface LogTree {
  name: string;
  leaf: (bytes: Uint8Array) => Uint8Array;
  node: Node;
  empty: Uint8Array;
}

export const SHA256: LogTree = {
  name: "SHA-256",
  leaf: (bytes) => sha256(concat(Uint8Array.of(0), bytes)),
  node: (left, right) => sha256(concat(Uint8Array.of(1), left, right)),
  empty: sha256(new Uint8Array()),
};

export const BLAKE3: LogTree = { name: "BLAKE3", leaf: leafHash, node: logNode, empty: logNode() };

/** The parts, joined, with zeros up to whole blocks of 64 bytes. */
export function padded(...parts: Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return concat(...parts, new Uint8Array((64 - (length % 64)) % 64));
}
