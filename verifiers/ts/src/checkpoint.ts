/**
 * Signed checkpoints: how many leaves a log has, and its root.
 *
 * C1: nothing in a checkpoint is believed before the pinned key of its origin has been seen to sign it.
 * C2: every line of a pinned witness is verified, also where the quorum is met without it.
 * Format: docs/formats/checkpoint.md.
 */

import { decimal, hashLine, utf8 } from "./bytes.js";
import { BLAKE3, type LogTree, SHA256 } from "./hash.js";
import { BLAKE3_KEY, checkKeyName, type Note, parseNote, SHA256_KEY, signersOf } from "./note.js";
import type { Policy } from "./policy.js";
import { plainName } from "./quote.js";
import { Failure, inconclusive, inPart, malformed, type Report, tampered } from "./verdict.js";
import { cosigned, isMet, isOf, namesOf, spelledTime, type Witness } from "./witness.js";

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

/** The checkpoint in a note, once its log has signed it (C1) and the quorum of witnesses has cosigned it. */
export function openCheckpoint(note: Note, policy: Policy, report: Report): Checkpoint {
  const checkpoint = openSigned(note, policy, report);
  checkWitnesses(note, policy, report);
  return checkpoint;
}

/** The checkpoint in a note, once its log has signed it (C1); no quorum is asked of it. */
export function openSigned(note: Note, policy: Policy, report: Report): Checkpoint {
  const checkpoint = signedCheckpoint(note, policy);
  const origin = plainName(checkpoint.origin);
  report.checked.push(`signature of ${origin} over the checkpoint, with a pinned key (strict Ed25519)`);
  report.fact("ledger", origin);
  report.fact("checkpoint size", `${checkpoint.size}`);
  return checkpoint;
}

/** Sees to the cosignatures of a note whose checkpoint is signed, and to the quorum. */
export function checkWitnesses(note: Note, policy: Policy, report: Report): void {
  const times = cosignedBy(note, policy);
  const witnesses = [...times.keys()];
  if (witnesses.length > 0) report.checked.push(`cosignatures of ${namesOf(witnesses)} over the checkpoint (strict Ed25519)`);
  for (const [{ name }, time] of times) report.fact("cosigned by", `${plainName(name)} at ${spelledTime(time)}, by its clock`);
  if (policy.quorum === undefined) {
    report.notCovered.push("cosignatures: the policy asks for none");
  } else {
    checkQuorum(note, policy, policy.quorum, witnesses);
    report.checked.push(`quorum of witnesses: ${plainName(policy.quorum)}`);
  }
}

/** A checkpoint that was kept from before; no quorum is asked of it. */
export function openPinned(pinned: Uint8Array, policy: Policy): Checkpoint {
  return inPart("pinned checkpoint", () => openQuietly(parseNote(utf8(pinned, "note")), policy));
}

/** The checkpoint in a note, with every line of a pinned key or witness verified (C2) and nothing said of it. */
export function openQuietly(note: Note, policy: Policy): Checkpoint {
  const checkpoint = signedCheckpoint(note, policy);
  cosignedBy(note, policy);
  return checkpoint;
}

function signedCheckpoint(note: Note, policy: Policy): Checkpoint {
  const { signers, bad } = signersOf(note, policy.logs);
  if (bad) throw tampered("signature", `of pinned key ${plainName(bad.name)} does not verify over the checkpoint`);
  const checkpoint = parseCheckpoint(note.text);
  if (signers.length === 0) throw unsignedBy(checkpoint.origin, policy);
  const type = checkpoint.tree === BLAKE3 ? BLAKE3_KEY : SHA256_KEY;
  if (!signers.some((key) => key.name === checkpoint.origin && key.type === type)) {
    const why = `of the checkpoint is not by the key of its origin ${plainName(checkpoint.origin)} and its kind of tree`;
    throw tampered("signature", why);
  }
  return checkpoint;
}

/** The witnesses that cosigned, and when (C2). */
function cosignedBy(note: Note, { witnesses }: Policy): Map<Witness, bigint> {
  const times = witnesses.map((witness) => [witness, cosigned(witness, note)] as const);
  return new Map(times.flatMap(([witness, time]) => (time === undefined ? [] : [[witness, time] as const])));
}

function checkQuorum({ signatures }: Note, { witnesses, groups }: Policy, quorum: string, cosigned: Witness[]): void {
  const met = (counted: Witness[]) => isMet(quorum, witnesses, groups, (witness) => counted.includes(witness));
  if (met(cosigned)) return;
  const leftOut = witnesses.filter((witness) => !witness.isVerified && signatures.some((line) => isOf(witness, line)));
  if (met([...cosigned, ...leftOut])) throw lacksQuorum(quorum, `those of ${namesOf(leftOut)} are of a type that is not verified here`);
  throw lacksQuorum(quorum, cosigned.length > 0 ? `those of ${namesOf(cosigned)} are not enough` : "there are none");
}

export const lacksQuorum = (quorum: string, why: string) =>
  inconclusive("witnesses", `the policy asks for cosignatures by ${plainName(quorum)}, and ${why}`);

function unsignedBy(origin: string, policy: Policy): Failure {
  const name = plainName(origin);
  return policy.logs.some((key) => key.name === origin)
    ? tampered("signature", `by the pinned key of ${name} is not on the checkpoint`)
    : inconclusive("authenticity", `the policy pins no key for ${name}, nor for any name that signed`);
}
