/**
 * A disclosure, taken apart and not yet believed: rows of one ledger with some of their fields.
 *
 * D1: commits rise, and so do the rows of a commit and their tables; there is one spelling.
 * Format: docs/formats/disclosure.md.
 */

import { decimal, Reader, unbase64 } from "./bytes.js";
import { type Note, parseNote } from "./note.js";
import { type DefinitionPart, RECEIPT_BYTES_MAX, type Row, readDefinitionPart, readRow, split } from "./receipt.js";
import { malformed } from "./verdict.js";

/** Rows of one table in one commit. */
export interface DisclosedTable {
  definition: DefinitionPart;
  rows: Row[];
}

export interface DisclosedCommit {
  index: bigint;
  leaf: Uint8Array;
  path: Uint8Array[];
  tables: DisclosedTable[];
}

export interface Disclosure {
  commits: DisclosedCommit[];
  checkpoint: Note;
}

export function parseDisclosure(bytes: Uint8Array): Disclosure {
  const what = "disclosure";
  if (bytes.length > RECEIPT_BYTES_MAX) throw malformed(what, "is longer than 16 MiB");
  const { lines, note } = split(what, bytes);
  if (lines[0] !== "shockwave-disclosure@v1") throw malformed(what, "does not start with shockwave-disclosure@v1");
  const commits: DisclosedCommit[] = [];
  lines.slice(1).forEach((line, i) => addLine(`disclosure line ${i + 2}`, line, commits));
  if (lastRow(commits) === undefined) throw malformed(what, "ends without a row");
  return { commits, checkpoint: parseNote(note) };
}

const lastRow = (commits: DisclosedCommit[]) => commits.at(-1)?.tables.at(-1)?.rows.at(-1);

function addLine(what: string, line: string, commits: DisclosedCommit[]): void {
  const [word, rest] = cut(line);
  if (rest !== undefined) {
    if (word === "commit") return addCommit(what, rest, commits);
    if (word === "table") return addTable(what, rest, commits);
    if (word === "row") return addRow(what, rest, commits);
  }
  throw malformed(what, "is neither a commit, a table nor a row");
}

/** What stands before the first blank, and behind it. */
function cut(text: string): [string, string | undefined] {
  const blank = text.indexOf(" ");
  return blank < 0 ? [text, undefined] : [text.slice(0, blank), text.slice(blank + 1)];
}

function parsed<T>(what: string, base64: string, read: (reader: Reader) => T): T {
  const reader = new Reader(unbase64(what, base64), what);
  const found = read(reader);
  reader.end();
  return found;
}

function addCommit(what: string, rest: string, commits: DisclosedCommit[]): void {
  if (commits.length > 0 && lastRow(commits) === undefined) throw malformed(what, "comes before a row of the commit above");
  const [digits, base64] = cut(rest);
  const index = decimal(digits);
  if (index === undefined || base64 === undefined) throw malformed(what, "has no canonical number of a commit");
  const { leaf, path } = parsed(what, base64, (read) => ({ leaf: read.longBytes(), path: read.path() }));
  const before = commits.at(-1)?.index;
  if (before !== undefined && before >= index) {
    throw malformed(what, `is of commit ${index}, which does not come after ${before}`);
  }
  commits.push({ index, leaf, path, tables: [] });
}

function addTable(what: string, base64: string, commits: DisclosedCommit[]): void {
  const tables = commits.at(-1)?.tables;
  if (tables === undefined) throw malformed(what, "has no commit above it");
  if (tables.at(-1)?.rows.length === 0) throw malformed(what, "comes before a row of the table above");
  tables.push({ definition: parsed(what, base64, readDefinitionPart), rows: [] });
}

function addRow(what: string, base64: string, commits: DisclosedCommit[]): void {
  const tables = commits.at(-1)?.tables;
  const table = tables?.at(-1);
  if (table === undefined) throw malformed(what, "has no table above it");
  const row = parsed(what, base64, readRow);
  const inTable = table.rows.at(-1);
  const before = inTable ?? tables?.at(-2)?.rows.at(-1);
  if (before !== undefined) checkOrder(what, row, before, inTable === undefined);
  table.rows.push(row);
}

function checkOrder(what: string, row: Row, before: Row, isFirst: boolean): void {
  if (before.index >= row.index) throw malformed(what, `is row ${row.index}, which does not come after ${before.index}`);
  const [relation, above] = [row.header.relation, before.header.relation];
  if (isFirst && above >= relation) throw malformed(what, `is of relation ${relation}, the table above of ${above}`);
  if (!isFirst && above !== relation) throw malformed(what, `is of relation ${relation}, the row above of ${above}`);
}
