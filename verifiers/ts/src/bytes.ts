/**
 * Bytes and texts: comparing, joining, spelling, and refusing whatever has a second spelling.
 *
 * B1: a reader never reads past the end, and never makes room for what is not there.
 */

import { type Failure, malformed } from "./verdict.js";

export const PATH_MAX = 64;
const U64_MAX = 2n ** 64n - 1n;

export const equal = (a: Uint8Array, b: Uint8Array) => a.length === b.length && a.every((byte, i) => byte === b[i]);

export function concat(...parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

const PAIRS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

export function hex(bytes: Uint8Array): string {
  const chunks: string[] = [];
  for (let at = 0; at < bytes.length; at += 4096) chunks.push(Array.from(bytes.subarray(at, at + 4096), (byte) => PAIRS[byte]).join(""));
  return chunks.join("");
}

/** The bytes of a text whose characters are bytes. */
export function ascii(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

export const encoded = (text: string): Uint8Array => new TextEncoder().encode(text);

export function littleEndian(number: number | bigint, width: 4 | 8): Uint8Array {
  const bytes = new Uint8Array(width);
  if (width === 4) viewOf(bytes).setUint32(0, Number(number), true);
  else viewOf(bytes).setBigUint64(0, BigInt(number), true);
  return bytes;
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

export function unsigned(bytes: Uint8Array): bigint {
  if (bytes.length === 8) return viewOf(bytes).getBigUint64(0, true);
  return bytes.length === 0 ? 0n : BigInt(`0x${hex(Uint8Array.from(bytes).reverse())}`);
}

export const signed = (bytes: Uint8Array) => BigInt.asIntN(8 * bytes.length, unsigned(bytes));

/** A cursor over bytes that are called `what` when they are refused. */
export class Reader {
  private at = 0;

  constructor(
    private readonly data: Uint8Array,
    readonly what: string,
  ) {}

  fail(why: string): Failure {
    return malformed(this.what, why);
  }

  get isAtEnd(): boolean {
    return this.at === this.data.length;
  }

  take(count: number): Uint8Array {
    const end = this.at + count;
    if (end > this.data.length) throw this.fail(`ends ${end - this.data.length} bytes early`);
    const taken = this.data.subarray(this.at, end);
    this.at = end;
    return taken;
  }

  u8 = () => viewOf(this.take(1)).getUint8(0);
  u16 = () => viewOf(this.take(2)).getUint16(0, true);
  u32 = () => viewOf(this.take(4)).getUint32(0, true);
  u64 = () => viewOf(this.take(8)).getBigUint64(0, true);

  zeros(count: number): void {
    if (this.take(count).some((byte) => byte !== 0)) throw this.fail("a reserved byte is not zero");
  }

  /** A byte of length, then UTF-8. */
  shortText(name: string): string {
    const text = decoded(this.take(this.u8()));
    if (text === undefined) throw this.fail(`${name} is not UTF-8`);
    return text;
  }

  /** Four bytes of length, then the bytes. */
  longBytes = () => this.take(this.u32());

  /** A byte of number, then hashes. */
  path(): Uint8Array[] {
    const count = this.u8();
    if (count > PATH_MAX) throw this.fail(`a path of ${count} hashes, at most ${PATH_MAX}`);
    return this.hashes(count);
  }

  hashes = (count: number) => Array.from({ length: count }, () => this.take(32));

  end(): void {
    const left = this.data.length - this.at;
    if (left > 0) throw this.fail(`${left} bytes too long`);
  }
}

/** The text, if it is UTF-8. */
export function decoded(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

export function utf8(bytes: Uint8Array, what: string): string {
  const text = decoded(bytes);
  if (text === undefined) throw malformed(what, "is not UTF-8");
  return text;
}

/** A u64 in decimal without sign or leading zeros. */
export function decimal(text: string | undefined): bigint | undefined {
  if (text === undefined || !/^(0|[1-9][0-9]{0,19})$/.test(text)) return undefined;
  const number = BigInt(text);
  return number <= U64_MAX ? number : undefined;
}

/** Standard, padded base64 without stray bits. */
export function unbase64(what: string, text: string): Uint8Array {
  try {
    const binary = atob(text);
    if (btoa(binary) === text) return ascii(binary);
  } catch {
    // Refused below.
  }
  throw malformed(what, "is not canonical base64");
}

export function hashLine(what: string, text: string): Uint8Array {
  const bytes = unbase64(what, text);
  if (bytes.length !== 32) throw malformed(what, `is ${bytes.length} bytes, not 32`);
  return bytes;
}

/** Hashes in base64, one a line. */
export function pathLines(what: string, lines: string[]): Uint8Array[] {
  if (lines.length > PATH_MAX) throw malformed(what, `has a path of more than ${PATH_MAX} hashes`);
  return lines.map((line) => hashLine(what, line));
}
