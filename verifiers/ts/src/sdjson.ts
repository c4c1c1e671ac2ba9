/**
 * As much of JSON as SD-JWTs use, in one spelling: no blanks, strings without needless escapes, integers; and values of fields as JSON.
 *
 * V1: a value of a type has one form, and that form gives its canonical bytes back.
 * Format: docs/formats/sd-jwt.md.
 */

import { ascii, decoded, encoded, equal, littleEndian } from "./bytes.js";
import { formatValue } from "./values.js";
import { Failure } from "./verdict.js";

/** A field's value: what JSON has no form for is as SQL spells it, with its canonical bytes. */
export type Value =
  | { kind: "null" }
  | { kind: "bool"; is: boolean }
  | { kind: "integer"; number: bigint }
  | { kind: "text"; text: string }
  | { kind: "spelled"; text: string; bytes: Uint8Array };

const BOOL = 16;
const TEXTS = [25, 114, 1042, 1043, 3802];
/** Widths of the integer types. */
const INTEGERS = new Map([
  [20, 8],
  [21, 2],
  [23, 4],
]);
const SAFE_INTEGER_MAX = BigInt(Number.MAX_SAFE_INTEGER);
const I64_MAX = 2n ** 63n - 1n;
const ESCAPES = new Map([
  ['\\"', '"'],
  ["\\\\", "\\"],
  ["\\n", "\n"],
]);

/** Thrown where a text is not in its one spelling. */
export class OtherSpelling extends Error {}

/** Reads from the front of a text. */
export class JsonReader {
  private at = 0;

  constructor(private readonly text: string) {}

  end(): void {
    if (this.at !== this.text.length) throw new OtherSpelling();
  }

  eat(literal: string): boolean {
    const found = this.text.startsWith(literal, this.at);
    if (found) this.at += literal.length;
    return found;
  }

  need(literal: string): void {
    if (!this.eat(literal)) throw new OtherSpelling();
  }

  string(): string {
    this.need('"');
    const parts: string[] = [];
    for (;;) {
      parts.push(this.match(/[^\u0000-\u001f"\\]*/y));
      if (this.eat('"')) return parts.join("");
      parts.push(this.escape());
    }
  }

  private escape(): string {
    const char = ESCAPES.get(this.text.slice(this.at, this.at + 2));
    if (char !== undefined) {
      this.at += 2;
      return char;
    }
    const code = this.match(/\\u00(?:0[0-9b-f]|1[0-9a-f])/y);
    return String.fromCharCode(Number.parseInt(code.slice(4), 16));
  }

  private match(sticky: RegExp): string {
    sticky.lastIndex = this.at;
    const found = sticky.exec(this.text);
    if (found === null) throw new OtherSpelling();
    this.at += found[0].length;
    return found[0];
  }

  /** A string that is canonical base64url, of so many bytes. */
  bytes(length?: number): Uint8Array {
    const bytes = base64url(this.string());
    if (bytes === undefined || bytes.length !== (length ?? bytes.length)) throw new OtherSpelling();
    return bytes;
  }

  value(): Value {
    if (this.eat("null")) return { kind: "null" };
    if (this.eat("true")) return { kind: "bool", is: true };
    if (this.eat("false")) return { kind: "bool", is: false };
    if (this.text[this.at] === '"') return { kind: "text", text: this.string() };
    if (this.eat('{"text":')) {
      const text = this.string();
      this.need(',"bytes":');
      const bytes = this.bytes();
      this.need("}");
      return { kind: "spelled", text, bytes };
    }
    const digits = this.match(/0|-?[1-9][0-9]*/y);
    const number = digits.length > 20 ? I64_MAX + 1n : BigInt(digits);
    if (number > I64_MAX || number < -I64_MAX - 1n) throw new OtherSpelling();
    return { kind: "integer", number };
  }
}

/** The bytes of base64url without padding and stray bits. */
export function base64url(text: string): Uint8Array | undefined {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) return undefined;
  try {
    const standard = text.replaceAll("-", "+").replaceAll("_", "/");
    const binary = atob(standard);
    return btoa(binary).replaceAll("=", "") === standard ? ascii(binary) : undefined;
  } catch {
    return undefined;
  }
}

/** The canonical bytes of the value of this type that a form other than null is of, if it is one. */
export function bytesOf(oid: number, value: Exclude<Value, { kind: "null" }>): Uint8Array | undefined {
  const bytes = claimed(oid, value);
  try {
    return isSame(formOf(oid, bytes), value) ? bytes : undefined;
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

function claimed(oid: number, value: Exclude<Value, { kind: "null" }>): Uint8Array {
  switch (value.kind) {
    case "bool":
      return Uint8Array.of(value.is ? 1 : 0);
    case "integer":
      return littleEndian(BigInt.asUintN(64, value.number), 8).subarray(0, INTEGERS.get(oid) ?? 8);
    case "text":
      return encoded(value.text);
    case "spelled":
      return value.bytes;
  }
}

/** The form of a value of a type (V1); fails if the bytes are not canonical. */
function formOf(oid: number, bytes: Uint8Array): Value {
  const text = formatValue(oid, bytes);
  if (oid === BOOL) return { kind: "bool", is: bytes[0] === 1 };
  if (TEXTS.includes(oid)) return { kind: "text", text: decoded(bytes) ?? "" };
  if (INTEGERS.has(oid)) {
    const number = BigInt(text);
    if (number <= SAFE_INTEGER_MAX && number >= -SAFE_INTEGER_MAX) return { kind: "integer", number };
  }
  return { kind: "spelled", text, bytes };
}

function isSame(a: Value, b: Value): boolean {
  if (a.kind === "bool" && b.kind === "bool") return a.is === b.is;
  if (a.kind === "integer" && b.kind === "integer") return a.number === b.number;
  if (a.kind === "text" && b.kind === "text") return a.text === b.text;
  return a.kind === "spelled" && b.kind === "spelled" && a.text === b.text && equal(a.bytes, b.bytes);
}
