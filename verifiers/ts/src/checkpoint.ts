/**
 * Signed checkpoints: how many leaves a log has, and its root.
 *
 * C1: nothing in a checkpoint is believed before the pinned key of its origin has been seen to sign it.
 * Format: docs/formats/checkpoint.md.
 */

import { decimal, hashLine } from "./bytes.js";
import { BLAKE3, type LogTree, SHA256 } from "./hash.js";
import { BLAKE3_KEY, checkKeyName, type Note, SHA256_KEY, signersOf } from "./note.js";
import type { Policy } from "./policy.js";
import { plainName } from "./quote.js";
import { Failure, inconclusive, malformed, type Report, tampered } from "./verdict.js";

export interface Checkpoint {
  origin: string;
  size: bigint;
  root: Uint8Array;
  tree: LogTree;
}

/** The ledger id, in hexadecimal, at the end of the origin of a SHA-256 tree. */
export function ledgerOf(origin: string): string | undefined {
  return /^.+\/([0-9a-f]{32})$/s.exec(origin)?.[1];
}

export function parseCheckpoint(text: string): Checkpoint {
  const what = "checkpoint";
  const [origin, digits, base64, ...more] = text.slice(0, -1).split("\n");
  if (origin === undefined || digits === undefined || base64 === undefined || more.length > 0) {
    throw malformed(what, "has not exactly three lines");
  }
  try {
    checkKeyName(origin);
  } catch (error) {
    throw error instanceof Failure ? malformed(what, "has an origin that is no key name") : error;
  }
  const size = decimal(digits);
  if (size === undefined) throw malformed(what, "has a size that is no canonical decimal");
  return { origin, size, root: hashLine("checkpoint root", base64), tree: origin.endsWith("/b3") ? BLAKE3 : SHA256 };
}

/** The checkpoint in a note, once the pinned key of its origin has signed it (C1). */
export function openCheckpoint(note: Note, policy: Policy, report: Report): Checkpoint {
  const { signers, bad } = signersOf(note, policy.logs);
  if (bad) throw tampered("signature", `of pinned key ${plainName(bad.name)} does not verify over the checkpoint`);
  const checkpoint = parseCheckpoint(note.text);
  const origin = plainName(checkpoint.origin);
  if (signers.length === 0) throw unsignedBy(checkpoint.origin, policy);
  const type = checkpoint.tree === BLAKE3 ? BLAKE3_KEY : SHA256_KEY;
  if (!signers.some((key) => key.name === checkpoint.origin && key.type === type)) {
    throw tampered("signature", `of the checkpoint is not by the key of its origin ${origin} and its kind of tree`);
  }
  checkQuorum(policy);
  report.checked.push(`signature of ${origin} over the checkpoint, with a pinned key (strict Ed25519)`);
  report.fact("ledger", origin);
  report.fact("checkpoint size", `${checkpoint.size}`);
  report.notCovered.push("cosignatures: the policy asks for none");
  return checkpoint;
}

/** Cosignatures are not checked yet. */
export function checkQuorum({ quorum }: Policy): void {
  if (quorum === undefined) return;
  throw inconclusive("witnesses", `the policy asks for cosignatures by ${plainName(quorum)}, which this verifier does not check yet`);
}

function unsignedBy(origin: string, policy: Policy): Failure {
  const name = plainName(origin);
  return policy.logs.some((key) => key.name === origin)
    ? tampered("signature", `by the pinned key of ${name} is not on the checkpoint`)
    : inconclusive("authenticity", `the policy pins no key for ${name}, nor for any name that signed`);
}
