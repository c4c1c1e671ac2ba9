"""The rows of an export, one at a time, against the leaves of their commits.

R1: a row is hashed under the definition that the catalog has as of its commit.
R2: the file of a bundle holds the rows of its commits and ends with the last of them.
Format: docs/formats/export.md.
"""

from typing import BinaryIO

from shockwave_verify import catalog
from shockwave_verify.catalog import Catalog
from shockwave_verify.definition import Definition
from shockwave_verify.export import (
    OBJECTS_BYTES_MAX,
    ExportRow,
    Folder,
    Range,
    next_row,
    parse_objects,
    read_bytes,
)
from shockwave_verify.hashing import keyed
from shockwave_verify.leaf import Leaf, Span
from shockwave_verify.receipt import Unshown
from shockwave_verify.row import (
    ROW_NODE,
    check_count,
    check_superseded,
    check_version,
    hash_of_row,
    spelled,
)
from shockwave_verify.tiles import rows_path
from shockwave_verify.tree import Frontier
from shockwave_verify.verdict import Tampered, in_part


class Rows:
    def __init__(self, files: Folder, export: Range):
        self._files, self._range = files, export
        self._catalog = Catalog(parse_objects(files.read("objects", OBJECTS_BYTES_MAX)))
        self._path = ""
        self._file: BinaryIO | None = None
        # The last commit before the range.
        self._before: Leaf | None = None
        self.count = self.commits = 0
        self.unshown = Unshown()

    @property
    def has_compared_objects(self) -> bool:
        return self._before is not None or self.commits > 0

    def begin_bundle(self, number: int) -> None:
        if number in self._range.bundles:
            self._path = rows_path(number)
            self._file = self._files.open(self._path)

    def end_bundle(self) -> None:
        """R2."""
        if self._file is not None and read_bytes(self._file, 1, self._path):
            raise Tampered(self._path, "goes on after its last row")
        self.close()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def reach(self, seq: int) -> None:
        """At the range's first leaf the objects must be those of the commits before it."""
        if seq != self._range.first:
            return
        if self._before is None:
            if self._catalog.names_rows:
                why = "name rows of the catalog that came before the first commit"
                raise Tampered("objects", why)
        elif self._catalog.root() != self._before.schema_root:
            why = f"do not give the schema root of commit {self._before.seq}"
            raise Tampered("objects", why)

    def check_commit(self, commit: Leaf) -> None:
        if commit.seq < self._range.first:
            self._before = commit
            return
        if commit.seq >= self._range.end:
            return
        where = f"{self._path}, commit {commit.seq}"
        tree = Frontier(ROW_NODE, keyed("row-node", b""))
        for span in commit.spans:
            table = None
            for place in range(span.rows):
                row = next_row(self._file, f"{where}, row {tree.size}")
                with in_part(f"{where}, row {tree.size}"):
                    _check_relation(row, span, tree.size)
                    table = table or self._table(span)
                    self._check_row(row, span, place, table)
                tree.append(hash_of_row(row.header, row.fields, table))
        if tree.root() != commit.row_root:
            raise Tampered(where, "its rows do not give its row root")
        if self._catalog.root() != commit.schema_root:
            why = "the catalog, folded from objects and rows, does not give its schema root"
            raise Tampered(where, why)
        self.count += tree.size
        self.commits += 1

    def _table(self, span: Span) -> Definition:
        table = self._catalog.table(span.relation)
        if table is None:
            raise Tampered("table definition", "is not in the catalog")
        if table.id != span.relation:
            why = f"says it is of table {table.id}, not {span.relation}"
            raise Tampered("table definition", why)
        return table

    def _check_row(
        self, row: ExportRow, span: Span, place: int, table: Definition
    ) -> None:
        header, fields = row
        check_version(header, table)
        check_superseded(header, span, place)
        check_count(header, fields, table)
        for field, column in zip(fields, table.columns):
            spelled(field, column)
        self.unshown = self.unshown.with_fields(fields)
        if span.relation == catalog.RELATION:
            self._catalog.fold(row, span.first_row, span.first_row + place)


def _check_relation(row: ExportRow, span: Span, index: int) -> None:
    relation = row.header.relation
    if relation != span.relation:
        why = f"{relation} is not the table of row {index} of the commit, which is {span.relation}"
        raise Tampered("relation", why)
