/**
 * As much of JSON (RFC 8259) as definitions use: integers only, no member twice, nesting bounded. The platform's own parser takes a member given
 * twice, fractions and half a surrogate pair, and rounds numbers.
 *
 * J1: never recurses deeper than DEPTH_MAX.
 * Format: docs/formats/receipt.md.
 */

import { malformed } from "./verdict.js";

const DEPTH_MAX = 16;
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ["\\", "\\"],
  ["/", "/"],
  ["b", "\b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
]);
const WORDS: readonly [string, Json][] = [
  ["true", true],
  ["false", false],
  ["null", null],
];

export type Json = null | boolean | bigint | string | Json[] | Map<string, Json>;

export const refuse = (why: string) => malformed("table definition", why);

export function parseJson(text: string): Json {
  const reader = new JsonReader(text);
  const value = reader.value(0);
  if (!reader.atEnd()) throw refuse("has text after its end");
  return value;
}

class JsonReader {
  private at = 0;

  constructor(private readonly text: string) {}

  /** The longest run from here on of what a sticky expression takes. */
  private run(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0] ?? "";
    this.at += found.length;
    return found;
  }

  private skipSpace = () => this.run(/[ \t\n\r]*/y);

  atEnd(): boolean {
    this.skipSpace();
    return this.at === this.text.length;
  }

  private eat(token: string): boolean {
    this.skipSpace();
    if (!this.text.startsWith(token, this.at)) return false;
    this.at += token.length;
    return true;
  }

  private next(): string {
    const code = this.text.codePointAt(this.at);
    if (code === undefined) throw refuse("ends early");
    const char = String.fromCodePoint(code);
    this.at += char.length;
    return char;
  }

  value(depth: number): Json {
    if (depth > DEPTH_MAX) throw refuse("is nested too deeply");
    if (this.eat("{")) return this.object(depth);
    if (this.eat("[")) return this.list(depth);
    if (this.eat('"')) return this.string();
    for (const [word, value] of WORDS) if (this.eat(word)) return value;
    return this.number();
  }

  private number(): bigint {
    const digits = this.run(/[-+.eE0-9]*/y);
    const [, sign, magnitude] = /^([-+]?)0*([0-9]+)$/.exec(digits) ?? [];
    // Longer ones are beyond 64 bits.
    const number = magnitude !== undefined && magnitude.length < 20 ? BigInt(magnitude) * (sign === "-" ? -1n : 1n) : undefined;
    if (number === undefined || BigInt.asIntN(64, number) !== number) throw refuse("holds something that is no JSON integer");
    if (`${number}` !== digits) throw refuse("holds a number that is not canonical");
    return number;
  }

  private list(depth: number): Json {
    const items: Json[] = [];
    if (this.eat("]")) return items;
    for (;;) {
      items.push(this.value(depth + 1));
      if (this.eat("]")) return items;
      if (!this.eat(",")) throw refuse("has a list without comma or end");
    }
  }

  private object(depth: number): Json {
    const members = new Map<string, Json>();
    if (this.eat("}")) return members;
    for (;;) {
      if (!this.eat('"')) throw refuse("has a member without a name");
      const name = this.string();
      if (members.has(name)) throw refuse("has one member twice");
      if (!this.eat(":")) throw refuse("has a member without a colon");
      members.set(name, this.value(depth + 1));
      if (this.eat("}")) return members;
      if (!this.eat(",")) throw refuse("has an object without comma or end");
    }
  }

  /** The rest of a string, after its opening quote. */
  private string(): string {
    let text = "";
    for (;;) {
      const char = this.next();
      if (char === '"') return text;
      if (char === "\\") text += this.escape();
      else if (char < " ") throw refuse("has a control character in a string");
      else text += char;
    }
  }

  private escape(): string {
    const char = this.next();
    if (char === "u") return this.codePoint();
    const plain = ESCAPES.get(char);
    if (plain === undefined) throw refuse("has an unknown escape in a string");
    return plain;
  }

  private codePoint(): string {
    const code = this.hex4();
    if (code < 0xd800 || code > 0xdfff) return String.fromCharCode(code);
    if (code < 0xdc00) {
      const [mark, low] = [this.next() + this.next(), this.hex4()];
      if (mark === "\\u" && low >= 0xdc00 && low <= 0xdfff) return String.fromCharCode(code, low);
    }
    throw refuse("has a lone surrogate in a string");
  }

  private hex4(): number {
    let code = 0;
    for (let i = 0; i < 4; i++) {
      const digit = this.next();
      if (!/^[0-9A-Fa-f]$/.test(digit)) throw refuse("has a bad \\u escape in a string");
      code = code * 16 + parseInt(digit, 16);
    }
    return code;
  }
}
