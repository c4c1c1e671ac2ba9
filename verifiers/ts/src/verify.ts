/**
 * The checks of a receipt and of a consistency proof, in their order; the first failure ends it.
 *
 * Y1: a receipt is valid only if a pinned key signed the checkpoint, the leaf is in it at the index, the leaf belongs to that ledger and
 *     place, the row as shown hashes into the leaf, and its names and types come from the definition under the schema root.
 * Never: takes a key from what it verifies; says VALID with a check not made.
 * Format: docs/formats/receipt.md, docs/formats/checkpoint.md.
 */

import { equal, hex, utf8 } from "./bytes.js";
import { type Checkpoint, ledgerOf, openCheckpoint } from "./checkpoint.js";
import { SHA256 } from "./hash.js";
import { type Leaf, parseLeaf } from "./leaf.js";
import { parseNote } from "./note.js";
import type { Policy } from "./policy.js";
import { plainName } from "./quote.js";
import { parseProof, parseReceipt, type Receipt } from "./receipt.js";
import { checkRow } from "./row.js";
import { timestamp } from "./times.js";
import { extendsLog, rootOfPath } from "./tree.js";
import { conclude, Failure, malformed, Report, tampered, type Verdict } from "./verdict.js";

/** Verifies the bytes of a receipt. `policy` gives the pinned keys; if it throws a [Failure], that is the verdict. */
export function verifyReceipt(receipt: Uint8Array, policy: () => Policy): Verdict {
  return conclude((report) => {
    const pinned = policy();
    checkReceipt(parseReceipt(receipt), pinned, report);
  });
}

/** Verifies that the log of the checkpoint in `proof` extends `pinned`, a signed checkpoint kept from before. Either tree. */
export function verifyConsistency(pinned: Uint8Array, proof: Uint8Array, policy: () => Policy): Verdict {
  return conclude((report) => checkConsistency(pinned, proof, policy(), report));
}

function checkReceipt(receipt: Receipt, policy: Policy, report: Report): void {
  const checkpoint = openCheckpoint(receipt.checkpoint, policy, report);
  const leaf = leafInLog(receipt, checkpoint, report);
  report.fact("leaf", `${leaf.kind} at ${leaf.seq}`);
  report.fact("time, by the server's clock", timestamp(leaf.timeMicros, "+00"));
  report.subject = `${leaf.kind} ${leaf.seq} of ${plainName(checkpoint.origin)}`;
  if (leaf.commit) {
    report.fact("actor", leaf.commit.actor === "" ? "(none)" : plainName(leaf.commit.actor));
    report.fact("rows in the commit", `${leaf.commit.rows}`);
    if (receipt.row) checkRow(receipt.row, leaf.commit, report);
  } else if (receipt.row) {
    throw malformed("receipt", `shows a row of a ${leaf.kind} leaf`);
  }
  report.notCovered.push("that the log extends a checkpoint you pinned before: verify consistency");
}

/** The leaf, once it is known to stand in the signed log, in this ledger and at this place. */
function leafInLog(receipt: Receipt, checkpoint: Checkpoint, report: Report): Leaf {
  const { index } = receipt;
  const { size, root } = checkpoint;
  const ledger = ledgerOf(checkpoint.origin);
  if (ledger === undefined) throw malformed("checkpoint", "of a receipt has an origin that is no ledger's SHA-256 tree");
  if (index >= size) throw tampered("index", `${index} is not below the checkpoint's size ${size}`);
  const hash = SHA256.leaf(receipt.leaf);
  const found = rootOfPath(SHA256.node, hash, index, size, receipt.path);
  if (found === undefined || !equal(found.root, root)) {
    throw tampered("path to the root", `does not lead from the leaf at ${index} to the signed root`);
  }
  report.path.log.push({ title: `leaf ${index} of ${size} in the log`, hash: hex(hash), siblings: found.siblings });
  report.path.log.push({ title: "root of the log, in the checkpoint", hash: hex(root), siblings: [] });
  report.checked.push(`leaf at index ${index} of ${size} (SHA-256 tree)`);
  const leaf = parseLeaf(receipt.leaf);
  if (leaf.ledger !== ledger) throw tampered("leaf", "belongs to another ledger than the checkpoint");
  if (leaf.seq !== index) throw tampered("leaf", `says it is at ${leaf.seq}, but is at ${index}`);
  report.checked.push("ledger id and position in the leaf");
  return leaf;
}

function openPinned(pinned: Uint8Array, policy: Policy): Checkpoint {
  try {
    return openCheckpoint(parseNote(utf8(pinned, "note")), policy, new Report());
  } catch (error) {
    throw error instanceof Failure ? new Failure(error.code, `pinned checkpoint: ${error.what}`, error.why) : error;
  }
}

function checkConsistency(pinned: Uint8Array, bytes: Uint8Array, policy: Policy, report: Report): void {
  const old = openPinned(pinned, policy);
  const proof = parseProof(bytes);
  const next = openCheckpoint(proof.checkpoint, policy, report);
  const origin = plainName(next.origin);
  report.checked.push("signature over the pinned checkpoint");
  if (old.origin !== next.origin) throw tampered("new checkpoint", `is of ${origin}, not of ${plainName(old.origin)}`);
  if (next.size < old.size) {
    throw tampered("new checkpoint", `has ${next.size} leaves, the pinned one ${old.size}: the log was cut`);
  }
  if (proof.oldSize !== old.size) {
    throw malformed("consistency proof", `starts at size ${proof.oldSize}, the pinned checkpoint is at ${old.size}`);
  }
  if (!extendsLog(next.tree, old, next, proof.path)) {
    const why = `the log at size ${next.size} does not extend the pinned log at size ${old.size}: history was rewritten`;
    throw tampered("consistency", why);
  }
  report.checked.push(`the first ${old.size} leaves are the same in both (${next.tree.name} tree)`);
  report.fact("pinned size", `${old.size}`);
  report.subject = `${origin} at size ${next.size} extends the pinned checkpoint at size ${old.size}`;
  report.notCovered.push("what the leaves say");
}
