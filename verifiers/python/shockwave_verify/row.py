"""The row of a receipt: from the fields shown to the row root in its commit.

Format: docs/formats/receipt.md.
"""

from shockwave_verify.definition import Column, Definition, parse_definition
from shockwave_verify.hashing import keyed, keyed_node, padded
from shockwave_verify.leaf import Leaf, Span
from shockwave_verify.quote import name
from shockwave_verify.receipt import (
    DELETE,
    ERASED,
    HIDDEN,
    INSERT,
    NULL,
    OWN,
    ROW,
    Field,
    Header,
    Row,
    Under,
)
from shockwave_verify.tree import root_of_path
from shockwave_verify.values import shown
from shockwave_verify.verdict import Malformed, Report, Tampered

ROW_NODE = keyed_node("row-node")
SCHEMA_NODE = keyed_node("schema-node")
_OPERATIONS = {1: "insert", 2: "update", 3: "delete"}


def check_row(row: Row, under: Under, commit: Leaf, report: Report) -> None:
    span, place = locate(row, commit)
    table = table_under(under, span, commit)
    check_row_of(row, table, span, place, commit, report)


def locate(row: Row, commit: Leaf) -> tuple[Span, int]:
    """The rows of the row's table in the commit, and its place among them."""
    located = commit.locate(row.index)
    if located is None:
        why = f"{row.index} is not below the commit's {commit.rows} rows"
        raise Tampered("row index", why)
    relation, expected = row.header.relation, located[0].relation
    if relation != expected:
        why = f"{relation} is not the table of row {row.index} of the commit, which is {expected}"
        raise Tampered("relation", why)
    return located


def table_under(under: Under, span: Span, commit: Leaf) -> Definition:
    """The definition, once it is known to be that of the table as of the commit."""
    leaf = keyed("schema", _u32(span.relation) + under.definition)
    root = root_of_path(SCHEMA_NODE, leaf, under.place, under.objects, under.path)
    what = "table definition"
    if root is None or commit.schema_root != sized_root(under.objects, root):
        raise Tampered(what, "is not the one under the commit's schema root")
    table = parse_definition(under.definition)
    if table.id != span.relation:
        raise Tampered(what, f"says it is of table {table.id}, not {span.relation}")
    return table


def sized_root(objects: int, root: bytes) -> bytes:
    """The schema root: it covers the number of objects too."""
    return SCHEMA_NODE(_u32(objects), root)


def check_row_of(
    row: Row,
    table: Definition,
    span: Span,
    place: int,
    commit: Leaf,
    report: Report,
) -> None:
    check_version(row.header, table)
    report.checked.append("table definition under the commit's schema root")
    check_superseded(row.header, span, place)
    check_count(row.header, row.fields, table)
    row_hash = hash_of_row(row.header, row.fields, table)
    root = root_of_path(ROW_NODE, row_hash, row.index, commit.rows, row.path)
    if root != commit.row_root:
        why = f"as shown does not hash to row {row.index} under the commit's row root"
        raise Tampered("row", why)
    report.checked.append(
        f"row {row.index} of {commit.rows} in the commit, recomputed from the fields shown"
    )
    _describe(row, table, span, place, report)


def _u32(number: int) -> bytes:
    return number.to_bytes(4, "little")


def check_version(header: Header, table: Definition) -> None:
    if table.version != header.schema_version:
        why = f"is version {table.version}, the row was committed under version {header.schema_version}"
        raise Tampered("table definition", why)


def check_superseded(header: Header, span: Span, place: int) -> None:
    """What is superseded was there before: committed earlier, or earlier in the same commit."""
    old = header.superseded
    if header.supersedes == ROW and old >= span.first_row:
        raise Tampered("superseded row", f"{old} is not older than this commit")
    if header.supersedes == OWN and old >= place:
        why = f"number {old} of this commit does not come before this row"
        raise Tampered("superseded row", why)


def check_count(header: Header, fields: list[Field], table: Definition) -> None:
    count = 0 if header.operation == DELETE else len(table.columns)
    if len(fields) != count:
        why = (
            f"shows {len(fields)} fields, its operation and definition ask for {count}"
        )
        raise Tampered("row", why)


def hash_of_row(header: Header, fields: list[Field], table: Definition) -> bytes:
    commitments = [
        commitment_of(field, column) for field, column in zip(fields, table.columns)
    ]
    data = header.data + _u32(len(commitments)) + b"".join(commitments)
    return keyed("row", padded(data))


def commitment_of(field: Field, column: Column) -> bytes:
    if field.tag in (HIDDEN, ERASED):
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
        report.row.append((name(column.name), spelled(field, column)))
    report.checked.append("values are canonical for their types")
    report.not_covered += row.unshown.not_covered()
    report.not_covered.append("whether a later commit updated or deleted this row")


def spelled(field: Field, column: Column) -> str:
    if field.tag == HIDDEN:
        return "(hidden)"
    if field.tag == ERASED:
        return "REDACTED"
    if field.tag == NULL:
        return "NULL"
    try:
        return shown(column.oid, field.value)
    except Malformed as error:
        raise Malformed(f"value of column {name(column.name)}", error.why) from None
