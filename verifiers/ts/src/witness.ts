/**
 * Witnesses, their cosignatures (C2SP `cosignature/v1`), and the quorum of a policy.
 *
 * W1: a witness counts once, however many of its lines are there; one of them that does not verify spoils the note.
 * Never: counts a key of a type that is not verified here.
 * Format: docs/formats/checkpoint.md.
 */

import { concat, encoded, equal, unsigned } from "./bytes.js";
import { verify } from "./ed25519.js";
import { checkKeyName, type Note, ownId, parseKeyText, type Signature } from "./note.js";
import { plainName } from "./quote.js";
import { timestamp } from "./times.js";
import { tampered } from "./verdict.js";

const COSIGNATURE_TYPE = 4;
const [ML_DSA_TYPE, ML_DSA_BYTES] = [6, 1312];
const TIME_MAX = 2n ** 63n - 1n;
/** Of the year 9999. */
const LAST_SECOND = 253402300799n;

/** A witness, under the policy's name for it. */
export interface Witness {
  name: string;
  keyName: string;
  id: Uint8Array;
  public: Uint8Array;
  isVerified: boolean;
}

/** Stands where so many of its members, witnesses and other groups, do. */
export interface Group {
  name: string;
  threshold: number;
  members: string[];
}

export function parseWitness(name: string, vkey: string): Witness {
  const text = parseKeyText("witness key", vkey);
  const [type, key] = [text.data[0], text.data.subarray(1)];
  const isVerified = type === COSIGNATURE_TYPE && key.length === 32;
  if (isVerified) text.checkPoint(key);
  else if (type === ML_DSA_TYPE && key.length === ML_DSA_BYTES) checkKeyName(text.name);
  else throw text.unknownType();
  return { name, keyName: text.name, id: ownId(text), public: key, isVerified };
}

export const isOf = (witness: Witness, line: Signature) => witness.keyName === line.name && equal(witness.id, line.keyId);

/** The earliest time at which a witness says it cosigned, if it did (W1). */
export function cosigned(witness: Witness, note: Note): bigint | undefined {
  if (!witness.isVerified) return undefined;
  const times = note.signatures.filter((line) => isOf(witness, line)).map((line) => timeOf(witness, note.text, line.bytes));
  return times.reduce<bigint | undefined>((least, time) => (least === undefined || time < least ? time : least), undefined);
}

function timeOf({ name, public: key }: Witness, text: string, line: Uint8Array): bigint {
  const time = unsigned(line.slice(0, 8).reverse());
  const message = concat(encoded(`cosignature/v1\ntime ${time}\n`), encoded(text));
  if (line.length !== 8 + 64 || !verify(key, message, line.subarray(8))) {
    throw tampered("cosignature", `of pinned witness ${plainName(name)} does not verify over the checkpoint`);
  }
  if (time < 1n || time > TIME_MAX) {
    throw tampered("cosignature", `of pinned witness ${plainName(name)} states time ${time}, not 1 to ${TIME_MAX}`);
  }
  return time;
}

/** Whether the quorum stands. Members were defined before their group, so one pass sees all of them. */
export function isMet(quorum: string, witnesses: Witness[], groups: Group[], hasCosigned: (witness: Witness) => boolean): boolean {
  const standing = new Set(witnesses.filter(hasCosigned).map(({ name }) => name));
  for (const { name, threshold, members } of groups) {
    if (members.filter((member) => standing.has(member)).length >= threshold) standing.add(name);
  }
  return standing.has(quorum);
}

export const namesOf = (witnesses: Witness[]) => witnesses.map(({ name }) => plainName(name)).join(", ");

/** Seconds since 1970-01-01 as a time, up to the year 9999. */
export const spelledTime = (seconds: bigint) =>
  seconds > LAST_SECOND ? `${seconds} s after 1970-01-01 00:00:00+00` : timestamp(seconds * 1_000_000n, "+00");
