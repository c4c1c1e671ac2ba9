"""A receipt and a consistency proof, taken apart and not yet believed.

Format: docs/formats/receipt.md, docs/formats/checkpoint.md.
"""

from typing import NamedTuple

from shockwave_verify.note import Note, parse_note
from shockwave_verify.reading import Reader, decimal, path_lines, unbase64, utf8
from shockwave_verify.verdict import Malformed

RECEIPT_BYTES_MAX = 16 * 1024 * 1024
PROOF_BYTES_MAX = 256 * 1024
FIELDS_MAX = 1_600
INSERT, UPDATE, DELETE = 1, 2, 3
NOTHING, ROW, OWN = range(3)
HIDDEN, NULL, SHOWN, ERASED = range(4)


class Header(NamedTuple):
    """What a row is: 19 bytes, hashed before its fields."""

    data: bytes
    relation: int
    schema_version: int
    operation: int
    supersedes: int
    superseded: int


class Field(NamedTuple):
    """One field: its commitment, or its salt and value."""

    tag: int
    commitment: bytes = b""
    salt: bytes = b""
    value: bytes = b""


class Under(NamedTuple):
    """A table's definition, and its path to the schema root."""

    definition: bytes
    place: int
    objects: int
    path: list[bytes]


class Row(NamedTuple):
    index: int
    header: Header
    fields: list[Field]
    path: list[bytes]

    @property
    def unshown(self) -> "Unshown":
        return Unshown().with_fields(self.fields)


class Unshown(NamedTuple):
    """How many fields are shown by their commitments alone."""

    hidden: int = 0
    redacted: int = 0

    def with_fields(self, fields: list[Field]) -> "Unshown":
        return self.plus(
            Unshown(
                sum(field.tag == HIDDEN for field in fields),
                sum(field.tag == ERASED for field in fields),
            )
        )

    def plus(self, other: "Unshown") -> "Unshown":
        return Unshown(self.hidden + other.hidden, self.redacted + other.redacted)

    def not_covered(self) -> list[str]:
        said = []
        if self.hidden:
            said.append(f"the values of {self.hidden} hidden fields")
        if self.redacted:
            said.append(
                f"the values of {self.redacted} redacted fields, and that an erasure took them"
            )
        return said


class Receipt(NamedTuple):
    index: int
    path: list[bytes]
    leaf: bytes
    row: Row | None
    under: Under | None
    checkpoint: Note


class Proof(NamedTuple):
    """A consistency proof."""

    old_size: int
    path: list[bytes]
    checkpoint: Note


def parse_receipt(data: bytes) -> Receipt:
    what = "receipt"
    if len(data) > RECEIPT_BYTES_MAX:
        raise Malformed(what, "is longer than 16 MiB")
    lines, note = split(what, data)
    if lines[0] != "c2sp.org/tlog-proof@v1":
        raise Malformed(what, "does not start with c2sp.org/tlog-proof@v1")
    extra = _after("extra ", lines, 1)
    if extra is None:
        raise Malformed(what, "has no `extra` line")
    index = decimal(_after("index ", lines, 2) or "")
    if index is None:
        raise Malformed(what, "has no canonical `index` line")
    path = path_lines(what, lines[3:])
    leaf, row, under = parse_extra(unbase64("receipt's extra", extra))
    return Receipt(index, path, leaf, row, under, parse_note(note))


def parse_proof(data: bytes) -> Proof:
    what = "consistency proof"
    if len(data) > PROOF_BYTES_MAX:
        raise Malformed(what, "is longer than 256 KiB")
    lines, note = split(what, data)
    old_size = decimal(_after("old ", lines, 0) or "")
    if old_size is None:
        raise Malformed(what, "does not start with `old <size>`")
    return Proof(old_size, path_lines(what, lines[1:]), parse_note(note))


def split(what: str, data: bytes) -> tuple[list[str], str]:
    head, empty_line, note = utf8(data, what).partition("\n\n")
    if not empty_line:
        raise Malformed(what, "has no empty line before its checkpoint")
    return head.split("\n"), note


def _after(word: str, lines: list[str], at: int) -> str | None:
    if at < len(lines) and lines[at].startswith(word):
        return lines[at][len(word) :]
    return None


def parse_extra(data: bytes) -> tuple[bytes, Row | None, Under | None]:
    read = Reader(data, "receipt's extra")
    if read.take(4) != b"SWRX":
        raise read.fail("does not start with SWRX")
    version = read.uint(1)
    if version != 1:
        raise read.fail(f"version {version} is not supported")
    flags = read.uint(1)
    if flags > 1:
        raise read.fail(f"flags 0x{flags:02x} are not supported")
    read.zeros(2)
    leaf = read.long_bytes()
    row, under = (read_row(read), read_under(read)) if flags else (None, None)
    read.end()
    return leaf, row, under


def read_row(read: Reader) -> Row:
    return Row(read.uint(8), read_header(read), read_fields(read), read.path())


def read_under(read: Reader) -> Under:
    return Under(read.long_bytes(), read.uint(4), read.uint(4), read.path())


def read_fields(read: Reader) -> list[Field]:
    count = read.uint(2)
    if count > FIELDS_MAX:
        raise read.fail(f"has more than {FIELDS_MAX} fields")
    return [_field(read) for _ in range(count)]


def read_header(read: Reader) -> Header:
    kind = read.take(1)
    if kind != b"\x01":
        raise read.fail(f"row kind {kind[0]} is not supported")
    parts = [kind, *(read.take(width) for width in (4, 4, 1, 1, 8))]
    _, relation, version, operation, tag, superseded = (
        int.from_bytes(part, "little") for part in parts
    )
    if tag > OWN or (tag == NOTHING and superseded):
        raise read.fail(f"superseded row has tag {tag} with id {superseded}")
    if operation not in (INSERT, UPDATE, DELETE) or (operation == INSERT) != (
        tag == NOTHING
    ):
        why = f"operation {operation} does not go with superseded-row tag {tag}"
        raise read.fail(why)
    return Header(b"".join(parts), relation, version, operation, tag, superseded)


def _field(read: Reader) -> Field:
    tag = read.uint(1)
    if tag in (HIDDEN, ERASED):
        return Field(tag, commitment=read.take(32))
    if tag == NULL:
        return Field(tag, salt=read.take(16))
    if tag == SHOWN:
        return Field(tag, salt=read.take(16), value=read.long_bytes())
    raise read.fail(f"has a field with tag {tag}")
