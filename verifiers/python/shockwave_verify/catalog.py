"""The catalog of an export: objects by id, folded from the rows of `ledger.catalog`.

C1: the schema root is that of all objects, in the order of their ids.
Format: docs/formats/export.md.
"""

from shockwave_verify.definition import Definition, parse_definition
from shockwave_verify.export import ExportRow, Object
from shockwave_verify.hashing import keyed
from shockwave_verify.receipt import DELETE, INSERT, OWN, SHOWN, Field
from shockwave_verify.row import SCHEMA_NODE, sized_root
from shockwave_verify.tree import Frontier
from shockwave_verify.verdict import Malformed

RELATION = 1
BEFORE_ALL_ROWS = 2**64 - 1


class Catalog:
    def __init__(self, objects: dict[int, Object]):
        self._objects = objects
        self._tables: dict[int, Definition] = {}
        self._root: bytes | None = None

    @property
    def names_rows(self) -> bool:
        """True if an object is said to come from a row."""
        return any(found.row != BEFORE_ALL_ROWS for found in self._objects.values())

    def table(self, relation: int) -> Definition | None:
        if relation not in self._tables:
            found = self._objects.get(relation)
            if found is None:
                return None
            self._tables[relation] = parse_definition(found.definition)
        return self._tables[relation]

    def fold(self, row: ExportRow, first_row: int, row_id: int) -> None:
        """Takes in one row of `ledger.catalog`, which begins its commit's span at `first_row`."""
        self._root = None
        header = row.header
        if header.operation != INSERT:
            ended = header.superseded + (first_row if header.supersedes == OWN else 0)
            gone = [id for id, found in self._objects.items() if found.row == ended]
            for object_id in gone:
                del self._objects[object_id]
                self._tables.pop(object_id, None)
        if header.operation == DELETE:
            return
        if len(row.fields) != 4:
            raise _unreadable()
        object_id, definition = _shown(row.fields[0]), _shown(row.fields[3])
        if len(object_id) != 8 or object_id[4:] != bytes(4):
            raise _unreadable()
        number = int.from_bytes(object_id, "little")
        self._tables.pop(number, None)
        self._objects[number] = Object(row_id, definition)

    def root(self) -> bytes:
        """C1."""
        if self._root is None:
            tree = Frontier(SCHEMA_NODE, SCHEMA_NODE(b"", b""))
            for object_id, found in sorted(self._objects.items()):
                leaf = object_id.to_bytes(4, "little") + found.definition
                tree.append(keyed("schema", leaf))
            self._root = sized_root(tree.size, tree.root())
        return self._root


def _shown(field: Field) -> bytes:
    if field.tag != SHOWN:
        raise _unreadable()
    return field.value


def _unreadable() -> Malformed:
    return Malformed("catalog", "has a row that is no object's")
