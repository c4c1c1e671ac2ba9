/**
 * C2SP policies: the keys that whoever verifies has pinned.
 *
 * P1: keys come from here and from nowhere else.
 * P2: no public key is listed twice; every name is defined before it is used, and is a member once.
 * Format: docs/formats/receipt.md.
 */

import { decoded, hex } from "./bytes.js";
import { type Key, parseKey } from "./note.js";
import { escape } from "./quote.js";
import { Failure, malformed } from "./verdict.js";
import { type Group, parseWitness, type Witness } from "./witness.js";

const POLICY_BYTES_MAX = 256 * 1024;
const ENTRIES_MAX = 64;

export interface Policy {
  logs: Key[];
  witnesses: Witness[];
  groups: Group[];
  /** Whose cosignatures are asked for, if any. */
  quorum: string | undefined;
}

/** Why a line is refused. */
class Refused extends Error {}

/** The policy that believes exactly these keys. */
export function policyOfKeys(vkeys: string[]): Policy {
  const keys = vkeys.map((vkey) => parseKey(vkey.trim()));
  const reader = new PolicyReader();
  keys.forEach((key, i) => numbered(i, () => reader.addLog(key)));
  return reader.policy;
}

export function parsePolicy(file: Uint8Array): Policy {
  if (file.length > POLICY_BYTES_MAX) throw malformed("policy", "is longer than 256 KiB");
  const reader = new PolicyReader();
  let [start, number] = [0, 0];
  while (start <= file.length) {
    const found = file.indexOf(0x0a, start);
    const end = found < 0 ? file.length : found;
    const line = file.subarray(start, end);
    numbered(number++, () => reader.line(line));
    start = end + 1;
  }
  if (!reader.hasQuorum) throw malformed("policy", "has no quorum line");
  return reader.policy;
}

function numbered(index: number, work: () => void): void {
  try {
    work();
  } catch (error) {
    if (error instanceof Refused || error instanceof Failure) throw malformed(`policy line ${index + 1}`, error.message);
    throw error;
  }
}

class PolicyReader {
  readonly policy: Policy = { logs: [], witnesses: [], groups: [], quorum: undefined };
  hasQuorum = false;
  private readonly points = new Set<string>();
  private readonly members = new Set<string>();

  line(bytes: Uint8Array): void {
    if (bytes.some((byte) => (byte < 0x20 && byte !== 0x09) || byte === 0x7f)) throw new Refused("holds a control character");
    const line = decoded(bytes);
    if (line === undefined) throw new Refused("is not UTF-8");
    const [keyword, ...rest] = line.split(/[ \t]/).filter((item) => item !== "");
    if (keyword === undefined || keyword.startsWith("#")) return;
    const [one, two, ...more] = rest;
    if (keyword === "log" && one !== undefined && rest.length <= 2) this.addLog(parseKey(one));
    else if (keyword === "witness" && one !== undefined && two !== undefined && rest.length <= 3) this.addWitness(one, two);
    else if (keyword === "group" && one !== undefined && two !== undefined) this.addGroup(one, two, more);
    else if (keyword === "quorum" && one !== undefined && rest.length === 1) this.setQuorum(one);
    else throw new Refused(`is no line of a policy: ${escape(keyword)}`);
  }

  addLog(key: Key): void {
    this.addPoint(key.public);
    checkRoom(this.policy.logs);
    this.policy.logs.push(key);
  }

  private addWitness(name: string, vkey: string): void {
    const witness = parseWitness(name, vkey);
    this.addPoint(witness.public);
    this.checkNew(name, this.policy.witnesses);
    this.policy.witnesses.push(witness);
  }

  private addGroup(name: string, threshold: string, members: string[]): void {
    const words = new Map([
      ["all", members.length],
      ["any", 1],
    ]);
    const count = /^[0-9]+$/.test(threshold) ? Number(threshold) : (words.get(threshold) ?? 0);
    if (count < 1 || count > members.length) throw new Refused(`asks for ${escape(threshold)} of ${members.length} members`);
    for (const member of members) {
      if (!this.isDefined(member)) throw undefinedName(member);
      if (this.members.has(member)) throw new Refused(`makes ${escape(member)} a member twice`);
      this.members.add(member);
    }
    this.checkNew(name, this.policy.groups);
    this.policy.groups.push({ name, threshold: count, members });
  }

  private setQuorum(name: string): void {
    if (this.hasQuorum) throw new Refused("is a second quorum");
    if (name !== "none" && !this.isDefined(name)) throw undefinedName(name);
    this.hasQuorum = true;
    this.policy.quorum = name === "none" ? undefined : name;
  }

  private isDefined = (name: string) => [...this.policy.witnesses, ...this.policy.groups].some((known) => known.name === name);

  private checkNew(name: string, ofItsKind: unknown[]): void {
    if (name === "none" || this.isDefined(name)) throw new Refused(`defines ${escape(name)} again`);
    checkRoom(ofItsKind);
  }

  private addPoint(point: Uint8Array): void {
    if (this.points.has(hex(point))) throw new Refused("lists a public key again");
    this.points.add(hex(point));
  }
}

const undefinedName = (name: string) => new Refused(`names ${escape(name)}, which no line before it defines`);

function checkRoom(entries: unknown[]): void {
  if (entries.length >= ENTRIES_MAX) throw new Refused(`is one more than ${ENTRIES_MAX} of its kind`);
}
