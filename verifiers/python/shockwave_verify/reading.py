"""Reads bytes in order and text line by line, and refuses whatever has a second spelling.

R1: never reads past the end, and never makes room for what is not there.
"""

import base64
import binascii
import re

from shockwave_verify.verdict import Malformed

U64_MAX = 2**64 - 1
PATH_MAX = 64
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,19}")


class Reader:
    """A cursor over bytes that are called `what` when they are refused."""

    def __init__(self, data: bytes, what: str):
        self._data, self._at, self.what = data, 0, what

    def fail(self, why: str) -> Malformed:
        return Malformed(self.what, why)

    @property
    def is_at_end(self) -> bool:
        return self._at == len(self._data)

    def take(self, count: int) -> bytes:
        end = self._at + count
        if end > len(self._data):
            raise self.fail(f"ends {end - len(self._data)} bytes early")
        taken, self._at = self._data[self._at : end], end
        return taken

    def uint(self, width: int) -> int:
        return int.from_bytes(self.take(width), "little")

    def zeros(self, count: int) -> None:
        if any(self.take(count)):
            raise self.fail("a reserved byte is not zero")

    def short_text(self, name: str) -> str:
        """A byte of length, then UTF-8."""
        data = self.take(self.uint(1))
        try:
            return data.decode()
        except UnicodeDecodeError:
            raise self.fail(f"{name} is not UTF-8") from None

    def long_bytes(self) -> bytes:
        """Four bytes of length, then the bytes."""
        return self.take(self.uint(4))

    def path(self) -> list[bytes]:
        """A byte of number, then hashes."""
        count = self.uint(1)
        if count > PATH_MAX:
            raise self.fail(f"a path of {count} hashes, at most {PATH_MAX}")
        return self.hashes(count)

    def hashes(self, count: int) -> list[bytes]:
        return [self.take(32) for _ in range(count)]

    def end(self) -> None:
        left = len(self._data) - self._at
        if left:
            raise self.fail(f"{left} bytes too long")


def utf8(data: bytes, what: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise Malformed(what, "is not UTF-8") from None


def decimal(text: str) -> int | None:
    """A u64 in decimal without sign or leading zeros, or None."""
    if not _DECIMAL.fullmatch(text):
        return None
    number = int(text)
    return number if number <= U64_MAX else None


def unbase64(what: str, text: str) -> bytes:
    """Standard, padded base64 without stray bits."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        data = None
    if data is None or base64.b64encode(data).decode() != text:
        raise Malformed(what, "is not canonical base64")
    return data


def hash_line(what: str, text: str) -> bytes:
    data = unbase64(what, text)
    if len(data) != 32:
        raise Malformed(what, f"is {len(data)} bytes, not 32")
    return data


def path_lines(what: str, lines: list[str]) -> list[bytes]:
    """Hashes in base64, one a line."""
    if len(lines) > PATH_MAX:
        raise Malformed(what, f"has a path of more than {PATH_MAX} hashes")
    return [hash_line(what, line) for line in lines]
