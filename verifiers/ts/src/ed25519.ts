/**
 * Strict Ed25519: S below the group order, neither the key nor R of small order, no cofactor. The library's own `verify` multiplies by the
 * cofactor, so the equation stands here, over its points.
 *
 * Format: docs/formats/checkpoint.md.
 */

import { ed25519 } from "@noble/curves/ed25519.js";
import { sha512 } from "@noble/hashes/sha2.js";
import { concat, equal, unsigned } from "./bytes.js";

const { Point } = ed25519;
const ORDER = Point.Fn.ORDER;

export type Point = InstanceType<typeof Point>;

/** The point of these 32 bytes in any spelling; undefined if there is none. */
export function pointOf(bytes: Uint8Array): Point | undefined {
  try {
    return Point.fromBytes(bytes, true);
  } catch {
    return undefined;
  }
}

/** True if `signature` is by the key, whose point is not of small order. */
export function verify(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== 64) return false;
  const spelledR = signature.subarray(0, 32);
  const s = unsigned(signature.subarray(32));
  const [a, r] = [pointOf(key), pointOf(spelledR)];
  if (s >= ORDER || a === undefined || r === undefined || r.isSmallOrder()) return false;
  const k = unsigned(sha512(concat(spelledR, key, message))) % ORDER;
  const expected = Point.BASE.multiplyUnsafe(s).subtract(a.multiplyUnsafe(k));
  return equal(expected.toBytes(), spelledR);
}
