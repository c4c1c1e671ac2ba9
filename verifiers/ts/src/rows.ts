/**
 * The rows of an export, one at a time, against the leaves of their commits.
 *
 * R1: a row is hashed under the definition that the catalog has as of its commit.
 * R2: the file of a bundle holds the rows of its commits and ends with the last of them.
 * Format: docs/formats/export.md.
 */

import { equal } from "./bytes.js";
import { CATALOG_RELATION, Catalog } from "./catalog.js";
import type { Definition } from "./definition.js";
import { bundlesOf, type ExportFiles, type ExportRow, nextRow, OBJECTS_BYTES_MAX, parseObjects, type Range, readWhole, type Source } from "./export.js";
import { rowNode } from "./hash.js";
import type { Commit, Leaf, Span } from "./leaf.js";
import { checkCount, checkSuperseded, checkVersion, hashOfRow, spelledRow, Unshown } from "./row.js";
import { rowsPath } from "./tiles.js";
import { Frontier } from "./tree.js";
import { inPart, malformed, tampered } from "./verdict.js";

export class Rows {
  count = 0n;
  commits = 0;
  readonly unshown = new Unshown();
  private readonly catalog: Catalog;
  private open: { path: string; source: Source } | undefined;
  /** The last commit before the range. */
  private before: (Leaf & { commit: Commit }) | undefined;

  constructor(
    private readonly files: ExportFiles,
    private readonly range: Range,
  ) {
    this.catalog = new Catalog(parseObjects(readWhole(files, "objects", OBJECTS_BYTES_MAX)));
  }

  get hasComparedObjects(): boolean {
    return this.before !== undefined || this.commits > 0;
  }

  beginBundle(number: bigint): void {
    const [first, end] = bundlesOf(this.range);
    if (number < first || number >= end) return;
    const path = rowsPath(number);
    this.open = { path, source: this.files.open(path) };
  }

  /** R2. */
  endBundle(): void {
    if (this.open !== undefined && this.open.source.read(1).length > 0) throw tampered(this.open.path, "goes on after its last row");
    this.close();
  }

  close(): void {
    this.open?.source.close();
    this.open = undefined;
  }

  /** At the range's first leaf the objects must be those of the commits before it. */
  reach(seq: bigint): void {
    if (seq !== this.range.first) return;
    if (this.before === undefined) {
      if (this.catalog.namesRows()) throw tampered("objects", "name rows of the catalog that came before the first commit");
    } else if (!equal(this.catalog.root(), this.before.commit.schemaRoot)) {
      throw tampered("objects", `do not give the schema root of commit ${this.before.seq}`);
    }
  }

  checkCommit(leaf: Leaf & { commit: Commit }): void {
    const { seq, commit } = leaf;
    if (seq < this.range.first) this.before = leaf;
    if (seq < this.range.first || seq >= this.range.end) return;
    if (this.open === undefined) throw malformed("rows", "has no file open");
    const { path, source } = this.open;
    const where = `${path}, commit ${seq}`;
    const tree = new Frontier(rowNode, rowNode());
    for (const span of commit.spans) {
      let table: Definition | undefined;
      for (let place = 0n; place < span.rows; place += 1n) {
        const inRow = `${where}, row ${tree.size}`;
        const row = nextRow(source, inRow);
        const definition = inPart(inRow, () => {
          checkRelation(row, span, tree.size);
          const found = table ?? this.table(span);
          this.checkRow(row, span, place, found);
          return found;
        });
        table = definition;
        tree.append(hashOfRow(row.header, row.fields, definition));
      }
    }
    if (!equal(tree.root(), commit.rowRoot)) throw tampered(where, "its rows do not give its row root");
    if (!equal(this.catalog.root(), commit.schemaRoot)) {
      throw tampered(where, "the catalog, folded from objects and rows, does not give its schema root");
    }
    this.count += tree.size;
    this.commits += 1;
  }

  private table({ relation }: Span): Definition {
    const what = "table definition";
    const table = this.catalog.table(relation);
    if (table === undefined) throw tampered(what, "is not in the catalog");
    if (table.id !== relation) throw tampered(what, `says it is of table ${table.id}, not ${relation}`);
    return table;
  }

  private checkRow(row: ExportRow, span: Span, place: bigint, table: Definition): void {
    checkVersion(row.header, table);
    checkSuperseded(row.header, span, place);
    checkCount(row.header, row.fields, table);
    spelledRow(row.fields, table);
    this.unshown.count(row);
    if (span.relation === CATALOG_RELATION) this.catalog.fold(row, span.firstRow, span.firstRow + place);
  }
}

function checkRelation({ header: { relation } }: ExportRow, span: Span, index: bigint): void {
  if (relation !== span.relation) {
    throw tampered("relation", `${relation} is not the table of row ${index} of the commit, which is ${span.relation}`);
  }
}
