/**
 * Trees of the shape of RFC 9162: growing ones, and paths of inclusion (§2.1.3) and consistency (§2.1.4).
 *
 * T1: an index at or above the size, and a path one hash too short or too long, never verify.
 */

import { equal, hex } from "./bytes.js";
import type { LogTree, Node } from "./hash.js";
import type { Step } from "./verdict.js";

/** The right edge of a growing tree: the roots of its complete subtrees, largest first. */
export class Frontier {
  size = 0n;
  private readonly edge: Uint8Array[] = [];

  constructor(
    private readonly node: Node,
    private readonly empty: Uint8Array,
  ) {}

  /** Appends a leaf hash; the nodes that it completes, by level from the leaf up. */
  append(leaf: Uint8Array): Uint8Array[] {
    const made = [leaf];
    let node = leaf;
    for (let at = this.size; (at & 1n) === 1n; at >>= 1n) {
      node = this.node(this.edge.pop() ?? this.empty, node);
      made.push(node);
    }
    this.edge.push(node);
    this.size += 1n;
    return made;
  }

  root(): Uint8Array {
    return this.edge.reduceRight<Uint8Array | undefined>((right, left) => (right ? this.node(left, right) : left), undefined) ?? this.empty;
  }
}

/** The root that `path` leads to from the leaf hash at `index` of `size`, with the side of each sibling; undefined by T1. */
export function rootOfPath(
  node: Node,
  leaf: Uint8Array,
  index: bigint,
  size: bigint,
  path: Uint8Array[],
): { root: Uint8Array; siblings: Step["siblings"] } | undefined {
  if (index >= size) return undefined;
  let [at, last, root] = [index, size - 1n, leaf];
  const siblings: Step["siblings"] = [];
  for (const sibling of path) {
    if (last === 0n) return undefined;
    if ((at & 1n) === 1n || at === last) {
      root = node(sibling, root);
      siblings.push({ hash: hex(sibling), side: "left" });
      while ((at & 1n) === 0n && at !== 0n) [at, last] = [at >> 1n, last >> 1n];
    } else {
      root = node(root, sibling);
      siblings.push({ hash: hex(sibling), side: "right" });
    }
    [at, last] = [at >> 1n, last >> 1n];
  }
  return last === 0n ? { root, siblings } : undefined;
}

interface State {
  size: bigint;
  root: Uint8Array;
}

/** True if `path` shows that the new log begins with the old one. */
export function extendsLog(tree: LogTree, old: State, next: State, path: Uint8Array[]): boolean {
  if (old.size > next.size || (old.size === 0n && !equal(old.root, tree.empty))) return false;
  if (old.size === next.size) return path.length === 0 && equal(old.root, next.root);
  if (old.size === 0n) return path.length === 0;
  const isPowerOfTwo = (old.size & (old.size - 1n)) === 0n;
  const [first, ...rest] = isPowerOfTwo ? [old.root, ...path] : path;
  if (first === undefined) return false;
  let [at, last] = [old.size - 1n, next.size - 1n];
  while ((at & 1n) === 1n) [at, last] = [at >> 1n, last >> 1n];
  let [oldRoot, newRoot] = [first, first];
  for (const sibling of rest) {
    if (last === 0n) return false;
    if ((at & 1n) === 1n || at === last) {
      [oldRoot, newRoot] = [tree.node(sibling, oldRoot), tree.node(sibling, newRoot)];
      while ((at & 1n) === 0n && at !== 0n) [at, last] = [at >> 1n, last >> 1n];
    } else {
      newRoot = tree.node(newRoot, sibling);
    }
    [at, last] = [at >> 1n, last >> 1n];
  }
  return last === 0n && equal(oldRoot, old.root) && equal(newRoot, next.root);
}
