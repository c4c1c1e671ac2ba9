"""A disclosure, taken apart and not yet believed: rows of one ledger with some of their fields.

D1: commits rise, and so do the rows of a commit and their tables; there is one spelling.
Format: docs/formats/disclosure.md.
"""

from typing import NamedTuple

from shockwave_verify.note import Note, parse_note
from shockwave_verify.reading import Reader, decimal, unbase64
from shockwave_verify.receipt import (
    RECEIPT_BYTES_MAX,
    Row,
    Under,
    read_row,
    read_under,
    split,
)
from shockwave_verify.verdict import Malformed


class Table(NamedTuple):
    """Rows of one table in one commit."""

    under: Under
    rows: list[Row]


class Commit(NamedTuple):
    index: int
    leaf: bytes
    path: list[bytes]
    tables: list[Table]


class Disclosure(NamedTuple):
    commits: list[Commit]
    checkpoint: Note


def parse_disclosure(data: bytes) -> Disclosure:
    what = "disclosure"
    if len(data) > RECEIPT_BYTES_MAX:
        raise Malformed(what, "is longer than 16 MiB")
    lines, note = split(what, data)
    if lines[0] != "shockwave-disclosure@v1":
        raise Malformed(what, "does not start with shockwave-disclosure@v1")
    commits: list[Commit] = []
    for number, line in enumerate(lines[1:], start=2):
        word, blank, rest = line.partition(" ")
        add = _LINES.get(word)
        where = f"disclosure line {number}"
        if not blank or add is None:
            raise Malformed(where, "is neither a commit, a table nor a row")
        add(where, rest, commits)
    if not _ends_with_row(commits):
        raise Malformed(what, "ends without a row")
    return Disclosure(commits, parse_note(note))


def _ends_with_row(commits: list[Commit]) -> bool:
    return bool(commits and commits[-1].tables and commits[-1].tables[-1].rows)


def _commit(where: str, rest: str, commits: list[Commit]) -> None:
    if commits and not _ends_with_row(commits):
        raise Malformed(where, "comes before a row of the commit above")
    digits, blank, base64 = rest.partition(" ")
    index = decimal(digits)
    if not blank or index is None:
        raise Malformed(where, "has no canonical number of a commit")
    read = Reader(unbase64(where, base64), where)
    leaf, path = read.long_bytes(), read.path()
    read.end()
    if commits and commits[-1].index >= index:
        why = f"is of commit {index}, which does not come after {commits[-1].index}"
        raise Malformed(where, why)
    commits.append(Commit(index, leaf, path, []))


def _table(where: str, base64: str, commits: list[Commit]) -> None:
    if not commits:
        raise Malformed(where, "has no commit above it")
    tables = commits[-1].tables
    if tables and not tables[-1].rows:
        raise Malformed(where, "comes before a row of the table above")
    read = Reader(unbase64(where, base64), where)
    under = read_under(read)
    read.end()
    tables.append(Table(under, []))


def _row(where: str, base64: str, commits: list[Commit]) -> None:
    if not commits or not commits[-1].tables:
        raise Malformed(where, "has no table above it")
    read = Reader(unbase64(where, base64), where)
    row = read_row(read)
    read.end()
    *above, table = commits[-1].tables
    before = (table.rows or (above and above[-1].rows) or [None])[-1]
    if before is not None:
        _check_order(where, row, before, is_first=not table.rows)
    table.rows.append(row)


def _check_order(where: str, row: Row, before: Row, is_first: bool) -> None:
    if before.index >= row.index:
        why = f"is row {row.index}, which does not come after {before.index}"
        raise Malformed(where, why)
    relation, above = row.header.relation, before.header.relation
    if is_first and above >= relation:
        why = f"is of relation {relation}, the table above of {above}"
        raise Malformed(where, why)
    if not is_first and above != relation:
        raise Malformed(where, f"is of relation {relation}, the row above of {above}")


_LINES = {"commit": _commit, "table": _table, "row": _row}
