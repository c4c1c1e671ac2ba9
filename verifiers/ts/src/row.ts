/**
 * The row of a receipt: from the fields shown to the row root in its commit.
 *
 * Format: docs/formats/receipt.md.
 */

import { concat, equal, hex, littleEndian } from "./bytes.js";
import { type Column, type Definition, parseDefinition } from "./definition.js";
import { fieldHash, padded, rowHash, rowNode, schemaHash, schemaNode } from "./hash.js";
import { type Commit, locate, type Span } from "./leaf.js";
import { plainName } from "./quote.js";
import { type DefinitionPart, type Field, type Header, Operation, type Row, Supersedes } from "./receipt.js";
import { rootOfPath } from "./tree.js";
import { formatValue } from "./values.js";
import { Failure, malformed, type Report, tampered } from "./verdict.js";

/** Where a row is: the rows of its table in its commit, and its place among them. */
export interface Place {
  span: Span;
  place: bigint;
}

export function checkRow(row: Row, part: DefinitionPart, commit: Commit, report: Report): void {
  const place = locateRow(row, commit);
  checkRowOf(row, definitionUnder(part, place.span.relation, commit), place, commit, report);
}

/** The rows of the row's table in the commit, and its place among them. */
export function locateRow(row: Row, commit: Commit): Place {
  const located = locate(commit, row.index);
  if (located === undefined) throw tampered("row index", `${row.index} is not below the commit's ${commit.rows} rows`);
  const { relation } = row.header;
  const expected = located.span.relation;
  if (relation !== expected) {
    throw tampered("relation", `${relation} is not the table of row ${row.index} of the commit, which is ${expected}`);
  }
  return located;
}

/** The definition, once it is known to be that of the table as of the commit. */
export function definitionUnder(part: DefinitionPart, relation: number, commit: Commit): Definition {
  const what = "table definition";
  const leaf = schemaHash(littleEndian(relation, 4), part.bytes);
  const found = rootOfPath(schemaNode, leaf, BigInt(part.index), BigInt(part.objects), part.path);
  if (found === undefined || !equal(sizedRoot(part.objects, found.root), commit.schemaRoot)) {
    throw tampered(what, "is not the one under the commit's schema root");
  }
  const table = parseDefinition(part.bytes);
  if (table.id !== relation) throw tampered(what, `says it is of table ${table.id}, not ${relation}`);
  return table;
}

/** The schema root: it covers the number of objects too. */
export const sizedRoot = (objects: number, root: Uint8Array) => schemaNode(littleEndian(objects, 4), root);

export function checkRowOf(row: Row, table: Definition, { span, place }: Place, commit: Commit, report: Report): void {
  checkVersion(row.header, table);
  report.checked.push("table definition under the commit's schema root");
  checkSuperseded(row.header, span, place);
  checkCount(row.header, row.fields, table);
  const hash = hashOfRow(row.header, row.fields, table);
  const found = rootOfPath(rowNode, hash, row.index, commit.rows, row.path);
  if (found === undefined || !equal(found.root, commit.rowRoot)) {
    throw tampered("row", `as shown does not hash to row ${row.index} under the commit's row root`);
  }
  report.path.row.push({ title: `row ${row.index} of ${commit.rows} in the commit`, hash: hex(hash), siblings: found.siblings });
  report.path.row.push({ title: "row root, in the leaf", hash: hex(found.root), siblings: [] });
  report.checked.push(`row ${row.index} of ${commit.rows} in the commit, recomputed from the fields shown`);
  describe(row, table, span, place, report);
}

/** Fields with their columns; a delete has none. */
const zip = (fields: Field[], columns: Column[]) =>
  columns.slice(0, fields.length).map((column, i): [Field, Column] => [fields[i] as Field, column]);

export function checkVersion({ schemaVersion }: Header, table: Definition): void {
  if (table.version !== schemaVersion) {
    throw tampered("table definition", `is version ${table.version}, the row was committed under version ${schemaVersion}`);
  }
}

/** What is superseded was there before: committed earlier, or earlier in the same commit. */
export function checkSuperseded({ supersedes, superseded }: Header, span: Span, place: bigint): void {
  if (supersedes === Supersedes.Row && superseded >= span.firstRow) {
    throw tampered("superseded row", `${superseded} is not older than this commit`);
  }
  if (supersedes === Supersedes.Own && superseded >= place) {
    throw tampered("superseded row", `number ${superseded} of this commit does not come before this row`);
  }
}

export function checkCount({ operation }: Header, fields: Field[], table: Definition): void {
  const count = operation === Operation.Delete ? 0 : table.columns.length;
  if (fields.length !== count) {
    throw tampered("row", `shows ${fields.length} fields, its operation and definition ask for ${count}`);
  }
}

export function hashOfRow(header: Header, fields: Field[], table: Definition): Uint8Array {
  const commitments = zip(fields, table.columns).map(([field, column]) => commitment(field, column));
  return rowHash(padded(header.bytes, littleEndian(commitments.length, 4), ...commitments));
}

/** The fields as text, once they are known to be canonical for their columns' types. */
export const spelledRow = (fields: Field[], table: Definition) =>
  zip(fields, table.columns).map(([field, column]): [string, string] => [plainName(column.name), spelled(field, column)]);

/** How many fields are shown by their commitments alone. */
export class Unshown {
  private hidden = 0;
  private redacted = 0;

  count({ fields }: { fields: Field[] }): void {
    this.hidden += fields.filter(({ kind }) => kind === "hidden").length;
    this.redacted += fields.filter(({ kind }) => kind === "erased").length;
  }

  notCovered(): string[] {
    const said: string[] = [];
    if (this.hidden > 0) said.push(`the values of ${this.hidden} hidden fields`);
    if (this.redacted > 0) said.push(`the values of ${this.redacted} redacted fields, and that an erasure took them`);
    return said;
  }
}

export function commitment(field: Field, { id, oid }: Column): Uint8Array {
  if (field.kind === "hidden" || field.kind === "erased") return field.commitment;
  const value = field.kind === "shown" ? field.value : new Uint8Array();
  const isNull = Uint8Array.of(field.kind === "null" ? 1 : 0);
  const head = concat(field.salt, littleEndian(id, 4), littleEndian(oid, 4), isNull, littleEndian(value.length, 8));
  return fieldHash(padded(head, value));
}

const OPERATIONS = { [Operation.Insert]: "insert", [Operation.Update]: "update", [Operation.Delete]: "delete" };

function describe(row: Row, table: Definition, span: Span, place: bigint, report: Report): void {
  const name = `${plainName(table.schema)}.${plainName(table.name)}`;
  const rowId = span.firstRow + place;
  report.subject = `row ${rowId} of ${name}, ${report.subject}`;
  report.fact("table", `${name}, id ${table.id}, version ${table.version}`);
  report.fact("row id", `${rowId}`);
  const { operation, supersedes, superseded } = row.header;
  const old = supersedes === Supersedes.Own ? span.firstRow + superseded : superseded;
  report.fact("operation", OPERATIONS[operation] + (supersedes === Supersedes.Nothing ? "" : `, supersedes row ${old}`));
  report.row.push(...spelledRow(row.fields, table));
  report.checked.push("values are canonical for their types");
  const unshown = new Unshown();
  unshown.count(row);
  report.notCovered.push(...unshown.notCovered());
  report.notCovered.push("whether a later commit updated or deleted this row");
}

function spelled(field: Field, column: Column): string {
  if (field.kind === "hidden") return "(hidden)";
  if (field.kind === "erased") return "REDACTED";
  if (field.kind === "null") return "NULL";
  try {
    return formatValue(column.oid, field.value);
  } catch (error) {
    throw error instanceof Failure ? malformed(`value of column ${plainName(column.name)}`, error.why) : error;
  }
}
