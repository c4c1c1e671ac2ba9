/**
 * A receipt and a consistency proof, taken apart and not yet believed.
 *
 * Format: docs/formats/receipt.md, docs/formats/checkpoint.md.
 */

import { concat, decimal, hex, littleEndian, pathLines, Reader, unbase64, utf8 } from "./bytes.js";
import { type Note, parseNote } from "./note.js";
import { malformed } from "./verdict.js";

export const RECEIPT_BYTES_MAX = 16 * 1024 * 1024;
const PROOF_BYTES_MAX = 256 * 1024;
const FIELDS_MAX = 1_600;

export enum Operation {
  Insert = 1,
  Update,
  Delete,
}

export enum Supersedes {
  Nothing,
  Row,
  Own,
}

/** What a row is: 19 bytes, hashed before its fields. */
export interface Header {
  bytes: Uint8Array;
  relation: number;
  schemaVersion: number;
  operation: Operation;
  supersedes: Supersedes;
  superseded: bigint;
}

export type Field =
  | { kind: "hidden"; commitment: Uint8Array }
  | { kind: "erased"; commitment: Uint8Array }
  | { kind: "null"; salt: Uint8Array }
  | { kind: "shown"; salt: Uint8Array; value: Uint8Array };

export interface Row {
  index: bigint;
  header: Header;
  fields: Field[];
  path: Uint8Array[];
}

/** A table's definition, and its path to the schema root. */
export interface DefinitionPart {
  bytes: Uint8Array;
  index: number;
  objects: number;
  path: Uint8Array[];
}

export interface Receipt {
  index: bigint;
  path: Uint8Array[];
  leaf: Uint8Array;
  row: { shown: Row; definition: DefinitionPart } | undefined;
  checkpoint: Note;
}

export interface Proof {
  oldSize: bigint;
  path: Uint8Array[];
  checkpoint: Note;
}

export function parseReceipt(bytes: Uint8Array): Receipt {
  const what = "receipt";
  if (bytes.length > RECEIPT_BYTES_MAX) throw malformed(what, "is longer than 16 MiB");
  const { lines, note } = split(what, bytes);
  if (lines[0] !== "c2sp.org/tlog-proof@v1") throw malformed(what, "does not start with c2sp.org/tlog-proof@v1");
  const extra = after("extra ", lines[1]);
  if (extra === undefined) throw malformed(what, "has no `extra` line");
  const index = decimal(after("index ", lines[2]));
  if (index === undefined) throw malformed(what, "has no canonical `index` line");
  const path = pathLines(what, lines.slice(3));
  const { leaf, row } = readExtra(unbase64("receipt's extra", extra));
  return { index, path, leaf, row, checkpoint: parseNote(note) };
}

export function parseProof(bytes: Uint8Array): Proof {
  const what = "consistency proof";
  if (bytes.length > PROOF_BYTES_MAX) throw malformed(what, "is longer than 256 KiB");
  const { lines, note } = split(what, bytes);
  const oldSize = decimal(after("old ", lines[0]));
  if (oldSize === undefined) throw malformed(what, "does not start with `old <size>`");
  return { oldSize, path: pathLines(what, lines.slice(1)), checkpoint: parseNote(note) };
}

/** The lines before the first empty line, and the note behind it. */
export function split(what: string, bytes: Uint8Array): { lines: string[]; note: string } {
  const text = utf8(bytes, what);
  const end = text.indexOf("\n\n");
  if (end < 0) throw malformed(what, "has no empty line before its checkpoint");
  return { lines: text.slice(0, end).split("\n"), note: text.slice(end + 2) };
}

const after = (word: string, line: string | undefined) => (line?.startsWith(word) ? line.slice(word.length) : undefined);

export function readExtra(bytes: Uint8Array): Pick<Receipt, "leaf" | "row"> {
  const read = new Reader(bytes, "receipt's extra");
  if (hex(read.take(4)) !== "53575258") throw read.fail("does not start with SWRX");
  const version = read.u8();
  if (version !== 1) throw read.fail(`version ${version} is not supported`);
  const flags = read.u8();
  if (flags > 1) throw read.fail(`flags 0x${flags.toString(16).padStart(2, "0")} are not supported`);
  read.zeros(2);
  const leaf = read.longBytes();
  const row = flags === 1 ? { shown: readRow(read), definition: readDefinitionPart(read) } : undefined;
  read.end();
  return { leaf, row };
}

export function readRow(read: Reader): Row {
  return { index: read.u64(), header: readHeader(read), fields: readFields(read), path: read.path() };
}

export function readDefinitionPart(read: Reader): DefinitionPart {
  return { bytes: read.longBytes(), index: read.u32(), objects: read.u32(), path: read.path() };
}

export function readFields(read: Reader): Field[] {
  const count = read.u16();
  if (count > FIELDS_MAX) throw read.fail(`has more than ${FIELDS_MAX} fields`);
  return Array.from({ length: count }, () => readField(read));
}

export function readHeader(read: Reader): Header {
  const kind = read.u8();
  if (kind !== 1) throw read.fail(`row kind ${kind} is not supported`);
  const [relation, schemaVersion, operation, supersedes, superseded] = [read.u32(), read.u32(), read.u8(), read.u8(), read.u64()];
  const [head, ends] = [concat(littleEndian(relation, 4), littleEndian(schemaVersion, 4)), Uint8Array.of(operation, supersedes)];
  const bytes = concat(Uint8Array.of(kind), head, ends, littleEndian(superseded, 8));
  if (supersedes > Supersedes.Own || (supersedes === Supersedes.Nothing && superseded !== 0n)) {
    throw read.fail(`superseded row has tag ${supersedes} with id ${superseded}`);
  }
  const isKnown = operation >= Operation.Insert && operation <= Operation.Delete;
  if (!isKnown || (operation === Operation.Insert) !== (supersedes === Supersedes.Nothing)) {
    throw read.fail(`operation ${operation} does not go with superseded-row tag ${supersedes}`);
  }
  return { bytes, relation, schemaVersion, operation, supersedes, superseded };
}

function readField(read: Reader): Field {
  const tag = read.u8();
  switch (tag) {
    case 0:
      return { kind: "hidden", commitment: read.take(32) };
    case 1:
      return { kind: "null", salt: read.take(16) };
    case 2:
      return { kind: "shown", salt: read.take(16), value: read.longBytes() };
    case 3:
      return { kind: "erased", commitment: read.take(32) };
    default:
      throw read.fail(`has a field with tag ${tag}`);
  }
}
