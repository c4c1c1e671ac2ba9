/**
 * C2SP signed notes and the keys that sign them.
 *
 * N1: a line counts only if its name and its key id are those of a pinned key; one such line that does not verify spoils the note.
 * Format: docs/formats/checkpoint.md.
 */

import { sha256 } from "@noble/hashes/sha2.js";
import { ascii, concat, encoded, equal, hex, unbase64 } from "./bytes.js";
import { pointOf, verify } from "./ed25519.js";
import { codeOf } from "./quote.js";
import { malformed } from "./verdict.js";

export const NOTE_BYTES_MAX = 128 * 1024;
const SIGNATURES_MAX = 16;
const KEY_NAME_BYTES_MAX = 255;
const SPACES: ReadonlySet<number> = new Set([0x1680, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000]);

/** What a key is, and what it puts before a text it signs. */
export interface KeyType {
  identifier: Uint8Array;
  prefix: Uint8Array;
}

export const SHA256_KEY: KeyType = { identifier: Uint8Array.of(1), prefix: new Uint8Array() };
export const BLAKE3_KEY: KeyType = {
  identifier: ascii("\xffshockwave/b3-checkpoint/v1"),
  prefix: ascii("shockwave/b3-checkpoint/v1\n"),
};

/** A public key, and the name it signs under. */
export interface Key {
  name: string;
  id: Uint8Array;
  type: KeyType;
  public: Uint8Array;
}

export interface Signature {
  name: string;
  keyId: Uint8Array;
  bytes: Uint8Array;
}

/** Its text means nothing until its signers are known. */
export interface Note {
  text: string;
  signatures: Signature[];
}

/** Throws unless `name` is a key name. */
export function checkKeyName(name: string): void {
  const { length } = encoded(name);
  if (length < 1 || length > KEY_NAME_BYTES_MAX) throw malformed("key name", `${length} bytes, not 1 to ${KEY_NAME_BYTES_MAX}`);
  if ([...name].some((char) => isOdd(codeOf(char)))) throw malformed("key name", "holds a space, a control character or a plus");
}

function isOdd(code: number): boolean {
  const isBlank = code <= 0x20 || (code >= 0x7f && code <= 0xa0) || (code >= 0x2000 && code <= 0x200a);
  return isBlank || SPACES.has(code) || code === 0x2b;
}

/** `text` at the first two places where `mark` stands, as three parts; the last may hold more marks. */
export function inThree(text: string, mark: string): [string, string, string] | undefined {
  const first = text.indexOf(mark);
  const second = text.indexOf(mark, first + 1);
  if (first < 0 || second < 0) return undefined;
  return [text.slice(0, first), text.slice(first + 1, second), text.slice(second + 1)];
}

/** `<name>+<key id>+<base64(identifier ‖ public key)>`, read but for what the key is. */
export class KeyText {
  constructor(
    readonly what: string,
    readonly name: string,
    readonly id: string,
    readonly data: Uint8Array,
  ) {}

  unknownType = () => malformed(this.what, "has a signature type we do not know, or a wrong length");

  checkPoint(key: Uint8Array): void {
    checkKeyName(this.name);
    const point = pointOf(key);
    if (point === undefined) throw malformed(this.what, "is no Ed25519 point");
    if (point.isSmallOrder()) throw malformed(this.what, "has small order");
  }
}

export function parseKeyText(what: string, vkey: string): KeyText {
  const parts = inThree(vkey, "+");
  if (parts === undefined) throw malformed(what, "is not <name>+<key id>+<base64>");
  const [name, id, base64] = parts;
  return new KeyText(what, name, id, unbase64(what, base64));
}

/** The key's own id, which must be the stated one. */
export function ownId({ what, name, id, data }: KeyText): Uint8Array {
  const own = idOf(name, data);
  if (hex(own) !== id) throw malformed(what, "has a key id that is not its own");
  return own;
}

const idOf = (name: string, data: Uint8Array) => sha256(concat(encoded(`${name}\n`), data)).subarray(0, 4);

/** Reads the verifier key of a log. */
export function parseKey(vkey: string): Key {
  const text = parseKeyText("verifier key", vkey);
  const identifier = text.data.subarray(0, Math.max(0, text.data.length - 32));
  const type = [SHA256_KEY, BLAKE3_KEY].find((known) => equal(known.identifier, identifier));
  if (type === undefined) throw text.unknownType();
  const key = text.data.subarray(identifier.length);
  text.checkPoint(key);
  return { name: text.name, id: ownId(text), type, public: key };
}

export function keyOf(name: string, type: KeyType, key: Uint8Array): Key {
  return { name, id: idOf(name, concat(type.identifier, key)), type, public: key };
}

export function parseNote(whole: string): Note {
  const what = "note";
  if (encoded(whole).length > NOTE_BYTES_MAX) throw malformed(what, "is longer than 128 KiB");
  if (/[\0-\x09\x0b-\x1f]/.test(whole)) throw malformed(what, "holds a control character");
  const end = whole.lastIndexOf("\n\n");
  if (end < 0) throw malformed(what, "has no empty line before its signatures");
  const lines = whole.slice(end + 2);
  if (!lines.endsWith("\n")) throw malformed(what, "does not end with a signature line and a newline");
  const signatures = lines.slice(0, -1).split("\n").map(parseSignature);
  if (signatures.length > SIGNATURES_MAX) throw malformed(what, `has more than ${SIGNATURES_MAX} signatures`);
  return { text: whole.slice(0, end + 1), signatures };
}

function parseSignature(line: string): Signature {
  const what = "note signature";
  if (!line.startsWith("— ")) throw malformed(what, "does not start with an em dash and a space");
  const rest = line.slice(2);
  const space = rest.indexOf(" ");
  if (space < 0) throw malformed(what, "has no space between name and signature");
  const name = rest.slice(0, space);
  checkKeyName(name);
  const data = unbase64(what, rest.slice(space + 1));
  if (data.length < 5) throw malformed(what, "is shorter than a key id and a signature");
  return { name, keyId: data.subarray(0, 4), bytes: data.subarray(4) };
}

/** The pinned keys that signed, or the one whose line does not verify (N1). */
export function signersOf(note: Note, pinned: Key[]): { signers: Key[]; bad?: Key } {
  const signers: Key[] = [];
  for (const line of note.signatures) {
    for (const key of pinned) {
      if (key.name !== line.name || !equal(key.id, line.keyId)) continue;
      const message = concat(key.type.prefix, encoded(note.text));
      if (!verify(key.public, message, line.bytes)) return { signers: [], bad: key };
      signers.push(key);
    }
  }
  return { signers };
}
