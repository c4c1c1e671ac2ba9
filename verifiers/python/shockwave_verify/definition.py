"""The definition of a table, as far as a verifier reads it.

D1: ids and names of columns are unique; their order is that of a row's fields.
Format: docs/formats/receipt.md.
"""

from typing import NamedTuple

from shockwave_verify.definition_json import parse, refuse
from shockwave_verify.reading import utf8

COLUMNS_MAX = 1_600


class Column(NamedTuple):
    id: int
    name: str
    oid: int


class Definition(NamedTuple):
    id: int
    schema: str
    name: str
    version: int
    columns: list[Column]


def parse_definition(data: bytes) -> Definition:
    table = parse(utf8(data, "table definition"))
    if _text(table, "kind") not in ("table", "sequence"):
        raise refuse("is of another kind than table or sequence")
    listed = _member(table, "columns")
    if not isinstance(listed, list):
        raise refuse("has no list of columns")
    if len(listed) > COLUMNS_MAX:
        raise refuse("has more than 1600 columns")
    columns = [_column(one) for one in listed]
    ids, names = {one.id for one in columns}, {one.name for one in columns}
    if len(ids) < len(columns) or len(names) < len(columns):
        raise refuse("has two columns of one id or name")
    return Definition(
        _number(table, "id"),
        _text(table, "schema"),
        _text(table, "name"),
        _number(table, "version"),
        columns,
    )


def _column(one) -> Column:
    column_id, name = _number(one, "id"), _text(one, "name")
    _text(one, "type")
    return Column(column_id, name, _number(one, "oid"))


def _member(value, name: str):
    return value.get(name) if isinstance(value, dict) else None


def _text(value, name: str) -> str:
    text = _member(value, name)
    if not isinstance(text, str):
        raise refuse(f"has no text `{name}`")
    return text


def _number(value, name: str) -> int:
    number = _member(value, name)
    # A bool is an int to Python.
    if type(number) is not int or not 0 <= number < 2**32:
        raise refuse(f"has no unsigned 32-bit number `{name}`")
    return number
