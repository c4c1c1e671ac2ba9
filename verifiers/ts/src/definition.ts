/**
 * The definition of a table, as far as a verifier reads it.
 *
 * D1: ids and names of columns are unique; their order is that of a row's fields.
 * Format: docs/formats/receipt.md.
 */

import { utf8 } from "./bytes.js";
import { type Json, parseJson, refuse } from "./json.js";

const COLUMNS_MAX = 1_600;

export interface Column {
  id: number;
  name: string;
  oid: number;
}

export interface Definition {
  id: number;
  schema: string;
  name: string;
  version: number;
  columns: Column[];
}

export function parseDefinition(bytes: Uint8Array): Definition {
  const table = parseJson(utf8(bytes, "table definition"));
  if (!["table", "sequence"].includes(text(table, "kind"))) throw refuse("is of another kind than table or sequence");
  const listed = member(table, "columns");
  if (!Array.isArray(listed)) throw refuse("has no list of columns");
  if (listed.length > COLUMNS_MAX) throw refuse(`has more than ${COLUMNS_MAX} columns`);
  const columns = listed.map(readColumn);
  const ids = new Set(columns.map(({ id }) => id));
  const names = new Set(columns.map(({ name }) => name));
  if (ids.size < columns.length || names.size < columns.length) throw refuse("has two columns of one id or name");
  const [id, schema, name, version] = [number(table, "id"), text(table, "schema"), text(table, "name"), number(table, "version")];
  return { id, schema, name, version, columns };
}

function readColumn(json: Json): Column {
  const [id, name] = [number(json, "id"), text(json, "name")];
  text(json, "type");
  return { id, name, oid: number(json, "oid") };
}

const member = (json: Json, name: string) => (json instanceof Map ? json.get(name) : undefined);

function text(json: Json, name: string): string {
  const value = member(json, name);
  if (typeof value !== "string") throw refuse(`has no text \`${name}\``);
  return value;
}

function number(json: Json, name: string): number {
  const value = member(json, name);
  if (typeof value !== "bigint" || BigInt.asUintN(32, value) !== value) throw refuse(`has no unsigned 32-bit number \`${name}\``);
  return Number(value);
}
