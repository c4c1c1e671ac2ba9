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
import { type Field, Operation, type Row, Supersedes } from "./receipt.js";
import { rootOfPath } from "./tree.js";
import { formatValue } from "./values.js";
import { Failure, malformed, type Report, tampered } from "./verdict.js";

export function checkRow(row: Row, commit: Commit, report: Report): void {
  const located = locate(commit, row.index);
  if (located === undefined) throw tampered("row index", `${row.index} is not below the commit's ${commit.rows} rows`);
  const { span, place } = located;
  const table = definitionUnder(row, span, commit);
  report.checked.push("table definition under the commit's schema root");
  checkSuperseded(row, span, place);
  const count = row.header.operation === Operation.Delete ? 0 : table.columns.length;
  if (row.fields.length !== count) {
    throw tampered("row", `shows ${row.fields.length} fields, its operation and definition ask for ${count}`);
  }
  const shown = zip(row.fields, table.columns);
  const commitments = shown.map(([field, column]) => commitment(field, column));
  const hash = rowHash(padded(row.header.bytes, littleEndian(count, 4), ...commitments));
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

/** The definition, once it is known to be that of the row's table as of the commit. */
function definitionUnder(row: Row, span: Span, commit: Commit): Definition {
  const what = "table definition";
  const { relation, schemaVersion } = row.header;
  if (relation !== span.relation) {
    throw tampered("relation", `${relation} is not the table of row ${row.index} of the commit, which is ${span.relation}`);
  }
  const leaf = schemaHash(littleEndian(relation, 4), row.definition);
  const found = rootOfPath(schemaNode, leaf, BigInt(row.definitionIndex), BigInt(row.objects), row.definitionPath);
  if (found === undefined || !equal(schemaNode(littleEndian(row.objects, 4), found.root), commit.schemaRoot)) {
    throw tampered(what, "is not the one under the commit's schema root");
  }
  const table = parseDefinition(row.definition);
  if (table.id !== relation) throw tampered(what, `says it is of table ${table.id}, not ${relation}`);
  if (table.version !== schemaVersion) {
    throw tampered(what, `is version ${table.version}, the row was committed under version ${schemaVersion}`);
  }
  return table;
}

/** What is superseded was there before: committed earlier, or earlier in the same commit. */
function checkSuperseded({ header }: Row, span: Span, place: bigint): void {
  const { supersedes, superseded } = header;
  if (supersedes === Supersedes.Row && superseded >= span.firstRow) {
    throw tampered("superseded row", `${superseded} is not older than this commit`);
  }
  if (supersedes === Supersedes.Own && superseded >= place) {
    throw tampered("superseded row", `number ${superseded} of this commit does not come before this row`);
  }
}

function commitment(field: Field, { id, oid }: Column): Uint8Array {
  if (field.kind === "hidden") return field.commitment;
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
  for (const [field, column] of zip(row.fields, table.columns)) report.row.push([plainName(column.name), spelled(field, column)]);
  report.checked.push("values are canonical for their types");
  const hidden = row.fields.filter(({ kind }) => kind === "hidden").length;
  if (hidden > 0) report.notCovered.push(`the values of ${hidden} hidden fields`);
  report.notCovered.push("whether a later commit updated or deleted this row");
}

function spelled(field: Field, column: Column): string {
  if (field.kind === "hidden") return "(hidden)";
  if (field.kind === "null") return "NULL";
  try {
    return formatValue(column.oid, field.value);
  } catch (error) {
    throw error instanceof Failure ? malformed(`value of column ${plainName(column.name)}`, error.why) : error;
  }
}
