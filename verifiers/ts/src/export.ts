/**
 * The files of an export: which there are, and how they are read; none is believed here.
 *
 * E1: which files an export has follows from its range and its checkpoint; there is no other.
 * Never: reads more of a file than its format allows; knows where files are ([ExportFiles] does).
 * Format: docs/formats/export.md.
 */

import { decimal, Reader, unsigned, utf8 } from "./bytes.js";
import { type Field, type Header, readFields, readHeader } from "./receipt.js";
import { isRows, isTile, TILE_WIDTH } from "./tiles.js";
import { malformed, tampered } from "./verdict.js";

export const FILES_MAX = 1_000_000;
export const OBJECTS_BYTES_MAX = 64 << 20;
const ROW_BYTES_MAX = 64 << 20;
const ALWAYS: ReadonlySet<string> = new Set(["README.md", "policy.txt", "export", "checkpoint", "b3/checkpoint", "cosigned", "objects"]);

/** A file that is read from its beginning on. */
export interface Source {
  /** Up to `count` bytes, fewer at the end of the file; throws a [Failure] if it cannot be read. */
  read(count: number): Uint8Array;
  close(): void;
}

/** Where the files of an export are. */
export interface ExportFiles {
  /** Every file, with `/` between names, sorted by bytes; a few more than FILES_MAX at most. */
  paths(): string[];
  /** Throws a [Failure]: tampered if it is not there, malformed if it cannot be read. */
  open(path: string): Source;
}

/** The file `export`: which commits' rows are there. */
export interface Range {
  first: bigint;
  end: bigint;
}

export interface CatalogObject {
  row: bigint;
  definition: Uint8Array;
}

export interface ExportRow {
  header: Header;
  fields: Field[];
}

/** A whole file of at most `most` bytes. */
export function readWhole(files: ExportFiles, path: string, most: number): Uint8Array {
  const source = files.open(path);
  try {
    const bytes = source.read(most + 1);
    if (bytes.length > most) throw malformed(path, `is longer than ${most} bytes`);
    return bytes;
  } finally {
    source.close();
  }
}

/** Numbers of the first entry bundle whose commits' rows are there, and of the one after the last. */
export const bundlesOf = ({ first, end }: Range): [bigint, bigint] => [first / TILE_WIDTH, (end - 1n) / TILE_WIDTH + 1n];

/** E1. */
export const hasFile = (range: Range, path: string, size: bigint) =>
  ALWAYS.has(path) || isRows(path, ...bundlesOf(range)) || isTile(path, size);

export function parseRange(bytes: Uint8Array): Range {
  const lines = utf8(bytes, "export").split("\n");
  const after = (word: string, line: string | undefined) => decimal(line?.startsWith(word) ? line.slice(word.length) : undefined);
  const [first, end] = [after("first ", lines[1]), after("end ", lines[2])];
  const isWhole = lines.length === 4 && lines[0] === "shockwave-export@v1" && lines[3] === "";
  if (!isWhole || first === undefined || end === undefined) throw malformed("export", "is not the three lines of an export");
  if (first >= end) throw malformed("export", "is of no commit");
  return { first, end };
}

/** The catalog before the first commit of the range, by rising id. */
export function parseObjects(bytes: Uint8Array): Map<number, CatalogObject> {
  const read = new Reader(bytes, "objects");
  const objects = new Map<number, CatalogObject>();
  for (let before = -1; !read.isAtEnd; ) {
    const [id, row, definition] = [read.u32(), read.u64(), read.longBytes()];
    if (before >= id) throw read.fail(`lists object ${id} after ${before}`);
    objects.set(id, { row, definition });
    before = id;
  }
  return objects;
}

export function nextRow(source: Source, place: string): ExportRow {
  const length = Number(unsigned(exactly(source, 4, place)));
  if (length > ROW_BYTES_MAX) throw malformed(place, `has ${length} bytes, at most ${ROW_BYTES_MAX}`);
  const read = new Reader(exactly(source, length, place), place);
  const row = { header: readHeader(read), fields: readFields(read) };
  read.end();
  return row;
}

function exactly(source: Source, count: number, place: string): Uint8Array {
  const bytes = source.read(count);
  if (bytes.length < count) throw tampered(place, "is not there, or not all of it");
  return bytes;
}
