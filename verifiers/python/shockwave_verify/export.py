"""The files of an export: which there are, and how they are read; none is believed here.

E1: which files an export has follows from its range and its checkpoint; there is no other.
Never: reads more of a file than its format allows.
Format: docs/formats/export.md.
"""

import os
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from shockwave_verify import tiles
from shockwave_verify.reading import Reader, decimal, utf8
from shockwave_verify.receipt import Field, Header, read_fields, read_header
from shockwave_verify.verdict import Malformed, Tampered

FILES_MAX = 1_000_000
ROW_BYTES_MAX = OBJECTS_BYTES_MAX = 64 << 20
_ALWAYS = {
    "README.md",
    "policy.txt",
    "export",
    "checkpoint",
    "b3/checkpoint",
    "cosigned",
    "objects",
}


class Range(NamedTuple):
    """The file `export`: which commits' rows are there."""

    first: int
    end: int

    @property
    def bundles(self) -> range:
        return range(self.first // tiles.WIDTH, (self.end - 1) // tiles.WIDTH + 1)

    def has_file(self, path: str, size: int) -> bool:
        """E1."""
        is_known = path in _ALWAYS or tiles.is_rows(path, self.bundles)
        return is_known or tiles.is_tile(path, size)


class Object(NamedTuple):
    """One object of the catalog, and the row that defined it."""

    row: int
    definition: bytes


class ExportRow(NamedTuple):
    header: Header
    fields: list[Field]


class Folder:
    """An export on disk."""

    def __init__(self, path: str):
        self._path = path

    def paths(self) -> list[str]:
        """Every file below the folder, sorted; a few more than FILES_MAX at most."""
        found: list[str] = []
        for path in self._walk(self._path):
            found.append(os.path.relpath(path, self._path).replace(os.sep, "/"))
            if len(found) > FILES_MAX:
                break
        return sorted(found, key=os.fsencode)

    def _walk(self, folder: str) -> Iterator[str]:
        try:
            entries = list(os.scandir(folder))
        except OSError:
            raise Malformed("export", "has a folder that cannot be read") from None
        for entry in entries:
            if entry.is_dir():
                yield from self._walk(entry.path)
            else:
                yield entry.path

    def has(self, path: str) -> bool:
        return os.path.exists(os.path.join(self._path, path))

    def open(self, path: str) -> BinaryIO:
        try:
            return open(os.path.join(self._path, path), "rb")
        except FileNotFoundError:
            raise Tampered(path, "is not there") from None
        except OSError:
            raise Malformed(path, "cannot be read") from None

    def read(self, path: str, most: int) -> bytes:
        """A whole file of at most `most` bytes."""
        with self.open(path) as file:
            data = read_bytes(file, most + 1, path)
        if len(data) > most:
            raise Malformed(path, f"is longer than {most} bytes")
        return data


def read_bytes(file: BinaryIO, count: int, what: str) -> bytes:
    """Up to `count` bytes, fewer at the end of the file."""
    try:
        return file.read(count)
    except OSError:
        raise Malformed(what, "cannot be read") from None


def parse_range(data: bytes) -> Range:
    lines = utf8(data, "export").split("\n")
    numbers = [None, None]
    if len(lines) == 4 and lines[0] == "shockwave-export@v1" and lines[3] == "":
        pairs = zip(("first ", "end "), lines[1:3])
        numbers = [
            decimal(line[len(word) :]) if line.startswith(word) else None
            for word, line in pairs
        ]
    first, end = numbers
    if first is None or end is None:
        raise Malformed("export", "is not the three lines of an export")
    if first >= end:
        raise Malformed("export", "is of no commit")
    return Range(first, end)


def parse_objects(data: bytes) -> dict[int, Object]:
    """The catalog before the first commit of the range, by rising id."""
    read = Reader(data, "objects")
    objects: dict[int, Object] = {}
    before = None
    while not read.is_at_end:
        object_id, found = read.uint(4), Object(read.uint(8), read.long_bytes())
        if before is not None and before >= object_id:
            raise read.fail(f"lists object {object_id} after {before}")
        objects[object_id] = found
        before = object_id
    return objects


def next_row(file: BinaryIO, place: str) -> ExportRow:
    length = int.from_bytes(_exactly(file, 4, place), "little")
    if length > ROW_BYTES_MAX:
        raise Malformed(place, f"has {length} bytes, at most {ROW_BYTES_MAX}")
    read = Reader(_exactly(file, length, place), place)
    row = ExportRow(read_header(read), read_fields(read))
    read.end()
    return row


def _exactly(file: BinaryIO, count: int, place: str) -> bytes:
    data = read_bytes(file, count, place)
    if len(data) < count:
        raise Tampered(place, "is not there, or not all of it")
    return data
