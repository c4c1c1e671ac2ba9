"""The row of a receipt: from the fields shown to the row root in its commit.

Format: docs/formats/receipt.md.
"""

from shockwave_verify.definition import Column, Definition, parse_definition
from shockwave_verify.hashing import keyed, keyed_node, padded
from shockwave_verify.leaf import Leaf, Span
from shockwave_verify.quote import name
from shockwave_verify.receipt import DELETE, HIDDEN, INSERT, NULL, OWN, ROW, Field, Row
from shockwave_verify.tree import root_of_path
from shockwave_verify.values import shown
from shockwave_verify.verdict import Malformed, Report, Tampered

_ROW_NODE = keyed_node("row-node")
_SCHEMA_NODE = keyed_node("schema-node")
_OPERATIONS = {1: "insert", 2: "update", 3: "delete"}


def check_row(row: Row, commit: Leaf, report: Report) -> None:
    located = commit.locate(row.index)
    if located is None:
        why = f"{row.index} is not below the commit's {commit.rows} rows"
        raise Tampered("row index", why)
    span, place = located
    table = _table(row, span, commit)
    report.checked.append("table definition under the commit's schema root")
    _check_superseded(row, span, place)
    count = 0 if row.header.operation == DELETE else len(table.columns)
    if len(row.fields) != count:
        why = f"shows {len(row.fields)} fields, its operation and definition ask for {count}"
        raise Tampered("row", why)
    row_hash = _row_hash(row, table)
    root = root_of_path(_ROW_NODE, row_hash, row.index, commit.rows, row.path)
    if root != commit.row_root:
        why = f"as shown does not hash to row {row.index} under the commit's row root"
        raise Tampered("row", why)
    report.checked.append(
        f"row {row.index} of {commit.rows} in the commit, recomputed from the fields shown"
    )
    _describe(row, table, span, place, report)


def _u32(number: int) -> bytes:
    return number.to_bytes(4, "little")


def _table(row: Row, span: Span, commit: Leaf) -> Definition:
    """The definition, once it is known to be that of the row's table as of the commit."""
    relation, version = row.header.relation, row.header.schema_version
    if relation != span.relation:
        why = f"{relation} is not the table of row {row.index} of the commit, which is {span.relation}"
        raise Tampered("relation", why)
    leaf = keyed("schema", _u32(relation) + row.definition)
    place, objects = row.definition_index, row.objects
    root = root_of_path(_SCHEMA_NODE, leaf, place, objects, row.definition_path)
    what = "table definition"
    if root is None or commit.schema_root != _SCHEMA_NODE(_u32(objects), root):
        raise Tampered(what, "is not the one under the commit's schema root")
    table = parse_definition(row.definition)
    if table.id != relation:
        raise Tampered(what, f"says it is of table {table.id}, not {relation}")
    if table.version != version:
        why = (
            f"is version {table.version}, the row was committed under version {version}"
        )
        raise Tampered(what, why)
    return table


def _check_superseded(row: Row, span: Span, place: int) -> None:
    """What is superseded was there before: committed earlier, or earlier in the same commit."""
    old = row.header.superseded
    if row.header.supersedes == ROW and old >= span.first_row:
        raise Tampered("superseded row", f"{old} is not older than this commit")
    if row.header.supersedes == OWN and old >= place:
        why = f"number {old} of this commit does not come before this row"
        raise Tampered("superseded row", why)


def _row_hash(row: Row, table: Definition) -> bytes:
    commitments = [
        _commitment(field, column) for field, column in zip(row.fields, table.columns)
    ]
    data = row.header.data + _u32(len(commitments)) + b"".join(commitments)
    return keyed("row", padded(data))


def _commitment(field: Field, column: Column) -> bytes:
    if field.tag == HIDDEN:
        return field.commitment
    return keyed(
        "field",
        padded(
            field.salt
            + _u32(column.id)
            + _u32(column.oid)
            + bytes([field.tag == NULL])
            + len(field.value).to_bytes(8, "little")
            + field.value
        ),
    )


def _describe(
    row: Row, table: Definition, span: Span, place: int, report: Report
) -> None:
    table_name = f"{name(table.schema)}.{name(table.name)}"
    row_id = span.first_row + place
    report.subject = f"row {row_id} of {table_name}, {report.subject}"
    report.facts.append(
        ("table", f"{table_name}, id {table.id}, version {table.version}")
    )
    report.facts.append(("row id", str(row_id)))
    operation = _OPERATIONS[row.header.operation]
    if row.header.operation != INSERT:
        first = span.first_row if row.header.supersedes == OWN else 0
        operation += f", supersedes row {first + row.header.superseded}"
    report.facts.append(("operation", operation))
    for field, column in zip(row.fields, table.columns):
        report.row.append((name(column.name), _spelled(field, column)))
    report.checked.append("values are canonical for their types")
    hidden = sum(field.tag == HIDDEN for field in row.fields)
    if hidden:
        report.not_covered.append(f"the values of {hidden} hidden fields")
    report.not_covered.append("whether a later commit updated or deleted this row")


def _spelled(field: Field, column: Column) -> str:
    if field.tag == HIDDEN:
        return "(hidden)"
    if field.tag == NULL:
        return "NULL"
    try:
        return shown(column.oid, field.value)
    except Malformed as error:
        raise Malformed(f"value of column {name(column.name)}", error.why) from None
