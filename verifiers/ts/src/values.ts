/**
 * Canonical bytes of each type, read for people.
 *
 * V1: a value has one encoding; another one of the same value is refused. The one form of a jsonb is not checked.
 * Format: docs/formats/leaf.md, docs/formats/verdicts.md.
 */

import { decoded, hex, Reader, signed, unsigned } from "./bytes.js";
import { shortest } from "./floats.js";
import { quote } from "./quote.js";
import { clock, date, interval, MICROS_A_DAY, timestamp } from "./times.js";
import { malformed } from "./verdict.js";

const NUMERIC_SCALE_MAX = 38;
const NUMERIC_LONG_SCALE_MAX = 16_383;
/** 131,072 digits before the point and 16,383 after it, and the scale. */
const NUMERIC_BYTES_MAX = 61_234;
const NUMERIC_WORDS = ["-Infinity", "Infinity", "NaN"];

/** Oids of array types and of their elements. */
const ELEMENTS: ReadonlyMap<number, number> = new Map([
  [199, 114],
  [1000, 16],
  [1001, 17],
  [1005, 21],
  [1007, 23],
  [1009, 25],
  [1014, 1042],
  [1015, 1043],
  [1016, 20],
  [1021, 700],
  [1022, 701],
  [1115, 1114],
  [1182, 1082],
  [1183, 1083],
  [1185, 1184],
  [1187, 1186],
  [1231, 1700],
  [2951, 2950],
  [3807, 3802],
]);

type Spell = (bytes: Uint8Array) => string;

/** The value in SQL's spelling; a type without a rule as `\x…`. */
export function formatValue(oid: number, bytes: Uint8Array): string {
  const element = ELEMENTS.get(oid);
  if (element !== undefined) return array(element, bytes);
  return (TYPES.get(oid) ?? bytea)(bytes);
}

const refuse = (why: string) => malformed("value", why);

/** `spell` for a type that has so many bytes. */
function fixed(width: number, spell: Spell): Spell {
  return (bytes) => {
    if (bytes.length !== width) throw refuse(`has ${bytes.length} bytes, its type ${width}`);
    return spell(bytes);
  };
}

const integer: Spell = (bytes) => `${signed(bytes)}`;

function bool(bytes: Uint8Array): string {
  const [byte = 0] = bytes;
  if (byte > 1) throw refuse("is a bool other than 0 or 1");
  return byte === 1 ? "true" : "false";
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

function real(bytes: Uint8Array): string {
  return float(viewOf(bytes).getFloat32(0, true), unsigned(bytes), 0x7fc0_0000n, 32);
}

function double(bytes: Uint8Array): string {
  return float(viewOf(bytes).getFloat64(0, true), unsigned(bytes), 0x7ff8_0000_0000_0000n, 64);
}

function float(value: number, bits: bigint, nan: bigint, width: number): string {
  const isOddNan = Number.isNaN(value) && bits !== nan;
  if (isOddNan || bits === 1n << BigInt(width - 1)) throw refuse("is a float that is not canonical");
  return shortest(value, width === 32);
}

function numeric(bytes: Uint8Array): string {
  const word = bytes.length === 1 ? NUMERIC_WORDS[bytes[0] ?? 3] : undefined;
  if (word !== undefined) return word;
  const isLong = bytes.length >= 19 && bytes.length <= NUMERIC_BYTES_MAX;
  if (bytes.length !== 17 && !isLong) throw refuse("is a numeric of no known length");
  const width = isLong ? bytes.length - 2 : 16;
  const unscaled = signed(bytes.subarray(0, width));
  const scale = (bytes[width] ?? 0) + (isLong ? (bytes[width + 1] ?? 0) * 256 : 0);
  // The long form has no byte more than the sign needs, and is used only where the short one does not do.
  const [top, next] = [bytes[width - 1] ?? 0, bytes[width - 2] ?? 0];
  const isRedundant = (top === 0 && next < 0x80) || (top === 0xff && next >= 0x80);
  const isCanonical = !isLong || !isRedundant || (width === 17 && scale > NUMERIC_SCALE_MAX);
  const scaleMax = isLong ? NUMERIC_LONG_SCALE_MAX : NUMERIC_SCALE_MAX;
  if (!isCanonical || scale > scaleMax || (scale > 0 && unscaled % 10n === 0n)) throw refuse("is a numeric that is not canonical");
  const [sign, size] = unscaled < 0n ? ["-", -unscaled] : ["", unscaled];
  const digits = `${size}`.padStart(scale + 1, "0");
  const point = digits.length - scale;
  return scale === 0 ? sign + digits : `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}

function text(bytes: Uint8Array): string {
  const spelled = decoded(bytes);
  if (spelled === undefined) throw refuse("is text that is not UTF-8");
  return quote(spelled);
}

function character(bytes: Uint8Array): string {
  if (bytes.at(-1) === 0x20) throw refuse("is a character value with blanks at its end");
  return text(bytes);
}

const bytea: Spell = (bytes) => `\\x${hex(bytes)}`;

function uuid(bytes: Uint8Array): string {
  const digits = hex(bytes);
  return [digits.slice(0, 8), digits.slice(8, 12), digits.slice(12, 16), digits.slice(16, 20), digits.slice(20)].join("-");
}

function time(bytes: Uint8Array): string {
  const micros = signed(bytes);
  if (micros < 0n || micros > MICROS_A_DAY) throw refuse("is a time that no day has");
  return clock(micros);
}

function span(bytes: Uint8Array): string {
  return interval(signed(bytes.subarray(0, 4)), signed(bytes.subarray(4, 8)), signed(bytes.subarray(8)));
}

function array(element: number, bytes: Uint8Array): string {
  const read = new Reader(bytes, "value");
  const items: string[] = [];
  for (let left = read.u32(); left > 0; left--) {
    const tag = read.u8();
    if (tag > 1) throw refuse("has an array element that is neither NULL nor a value");
    items.push(tag === 1 ? "NULL" : formatValue(element, read.longBytes()));
  }
  read.end();
  return `{${items.join(", ")}}`;
}

const TYPES: ReadonlyMap<number, Spell> = new Map([
  [16, fixed(1, bool)],
  [17, bytea],
  [20, fixed(8, integer)],
  [21, fixed(2, integer)],
  [23, fixed(4, integer)],
  [25, text],
  [114, text],
  [700, fixed(4, real)],
  [701, fixed(8, double)],
  [1042, character],
  [1043, text],
  [1082, fixed(4, (bytes) => date(signed(bytes)))],
  [1083, fixed(8, time)],
  [1114, fixed(8, (bytes) => timestamp(signed(bytes), ""))],
  [1184, fixed(8, (bytes) => timestamp(signed(bytes), "+00"))],
  [1186, fixed(16, span)],
  [1700, numeric],
  [2950, fixed(16, uuid)],
  [3802, text],
]);
