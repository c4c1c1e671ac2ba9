/**
 * The catalog of an export: objects by id, folded from the rows of `ledger.catalog`.
 *
 * C1: the schema root is that of all objects, in the order of their ids.
 * Format: docs/formats/export.md.
 */

import { littleEndian, unsigned } from "./bytes.js";
import { type Definition, parseDefinition } from "./definition.js";
import type { CatalogObject, ExportRow } from "./export.js";
import { schemaHash, schemaNode } from "./hash.js";
import { type Field, Operation, Supersedes } from "./receipt.js";
import { sizedRoot } from "./row.js";
import { Frontier } from "./tree.js";
import { malformed } from "./verdict.js";

export const CATALOG_RELATION = 1;
const BEFORE_ALL_ROWS = 2n ** 64n - 1n;

export class Catalog {
  private readonly tables = new Map<number, Definition>();
  private known: Uint8Array | undefined;

  constructor(private readonly objects: Map<number, CatalogObject>) {}

  /** True if an object is said to come from a row. */
  namesRows(): boolean {
    return [...this.objects.values()].some(({ row }) => row !== BEFORE_ALL_ROWS);
  }

  table(relation: number): Definition | undefined {
    const known = this.tables.get(relation);
    if (known !== undefined) return known;
    const found = this.objects.get(relation);
    if (found === undefined) return undefined;
    const table = parseDefinition(found.definition);
    this.tables.set(relation, table);
    return table;
  }

  /** Takes in one row of `ledger.catalog`, which begins its commit's span at `firstRow`. */
  fold({ header, fields }: ExportRow, firstRow: bigint, rowId: bigint): void {
    this.known = undefined;
    if (header.operation !== Operation.Insert) {
      const ended = header.superseded + (header.supersedes === Supersedes.Own ? firstRow : 0n);
      for (const [id, { row }] of this.objects) if (row === ended) this.remove(id);
    }
    if (header.operation === Operation.Delete) return;
    const [id, , , definition] = fields;
    if (fields.length !== 4) throw unreadable();
    const [number, text] = [shown(id), shown(definition)];
    if (number.length !== 8 || unsigned(number) >= 2n ** 32n) throw unreadable();
    const object = Number(unsigned(number));
    this.tables.delete(object);
    this.objects.set(object, { row: rowId, definition: text });
  }

  /** C1. */
  root(): Uint8Array {
    if (this.known === undefined) {
      const tree = new Frontier(schemaNode, schemaNode());
      const objects = [...this.objects].sort(([a], [b]) => a - b);
      for (const [id, { definition }] of objects) tree.append(schemaHash(littleEndian(id, 4), definition));
      this.known = sizedRoot(objects.length, tree.root());
    }
    return this.known;
  }

  private remove(id: number): void {
    this.objects.delete(id);
    this.tables.delete(id);
  }
}

function shown(field: Field | undefined): Uint8Array {
  if (field?.kind !== "shown") throw unreadable();
  return field.value;
}

const unreadable = () => malformed("catalog", "has a row that is no object's");
