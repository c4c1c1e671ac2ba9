"""As much of JSON (RFC 8259) as definitions use: integers only, no member twice, nesting bounded.

J1: never recurses deeper than DEPTH_MAX.
Never: accepts a fraction, an exponent or half a surrogate pair.
Format: docs/formats/receipt.md.
"""

import re

from shockwave_verify.verdict import Malformed

DEPTH_MAX = 16
_NUMBER = re.compile(r"[-+.eE0-9]*")
_INTEGER = re.compile(r"[-+]?[0-9]+")
_SPACE = re.compile(r"[ \t\n\r]*")
_HEX = frozenset("0123456789abcdefABCDEF")
_ESCAPES = {
    '"': '"',
    "\\": "\\",
    "/": "/",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
}
_WORDS = {"true": True, "false": False, "null": None}


def refuse(why: str) -> Malformed:
    return Malformed("table definition", why)


def parse(text: str):
    """The value as dict, list, str, int, bool or None."""
    reader = _Reader(text)
    value = reader.value(0)
    if not reader.at_end():
        raise refuse("has text after its end")
    return value


class _Reader:
    def __init__(self, text: str):
        self._text, self._at = text, 0

    def _skip_space(self) -> None:
        self._at = _SPACE.match(self._text, self._at).end()

    def at_end(self) -> bool:
        self._skip_space()
        return self._at == len(self._text)

    def _eat(self, token: str) -> bool:
        self._skip_space()
        if not self._text.startswith(token, self._at):
            return False
        self._at += len(token)
        return True

    def _next(self) -> str:
        if self._at == len(self._text):
            raise refuse("ends early")
        self._at += 1
        return self._text[self._at - 1]

    def value(self, depth: int):
        if depth > DEPTH_MAX:
            raise refuse("is nested too deeply")
        if self._eat("{"):
            return self._object(depth)
        if self._eat("["):
            return self._list(depth)
        if self._eat('"'):
            return self._string()
        for word, value in _WORDS.items():
            if self._eat(word):
                return value
        return self._number()

    def _number(self) -> int:
        digits = _NUMBER.match(self._text, self._at)[0]
        self._at += len(digits)
        # Longer ones are beyond 64 bits or have leading zeros.
        number = int(digits[:40]) if _INTEGER.fullmatch(digits) else None
        if number is not None and len(digits) > 40 and digits.lstrip("+-0") != "":
            number = _far(digits)
        if number is None or not -(2**63) <= number < 2**63:
            raise refuse("holds something that is no JSON integer")
        if str(number) != digits:
            raise refuse("holds a number that is not canonical")
        return number

    def _list(self, depth: int) -> list:
        items: list = []
        if self._eat("]"):
            return items
        while True:
            items.append(self.value(depth + 1))
            if self._eat("]"):
                return items
            if not self._eat(","):
                raise refuse("has a list without comma or end")

    def _object(self, depth: int) -> dict:
        members: dict = {}
        if self._eat("}"):
            return members
        while True:
            if not self._eat('"'):
                raise refuse("has a member without a name")
            name = self._string()
            if name in members:
                raise refuse("has one member twice")
            if not self._eat(":"):
                raise refuse("has a member without a colon")
            members[name] = self.value(depth + 1)
            if self._eat("}"):
                return members
            if not self._eat(","):
                raise refuse("has an object without comma or end")

    def _string(self) -> str:
        """The rest of a string, after its opening quote."""
        chars: list[str] = []
        while (char := self._next()) != '"':
            if char == "\\":
                char = self._escape()
            elif char < " ":
                raise refuse("has a control character in a string")
            chars.append(char)
        return "".join(chars)

    def _escape(self) -> str:
        char = self._next()
        if char == "u":
            return self._code_point()
        if char not in _ESCAPES:
            raise refuse("has an unknown escape in a string")
        return _ESCAPES[char]

    def _code_point(self) -> str:
        code = self._hex4()
        if 0xD800 <= code < 0xDC00:
            mark, low = self._next() + self._next(), self._hex4()
            if mark != "\\u" or not 0xDC00 <= low < 0xE000:
                raise refuse("has a lone surrogate in a string")
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00)
        elif 0xDC00 <= code < 0xE000:
            raise refuse("has a lone surrogate in a string")
        return chr(code)

    def _hex4(self) -> int:
        code = 0
        for _ in range(4):
            digit = self._next()
            if digit not in _HEX:
                raise refuse("has a bad \\u escape in a string")
            code = code << 4 | int(digit, 16)
        return code


def _far(digits: str) -> int | None:
    significant = digits.lstrip("+-0")
    return int(significant) if len(significant) <= 19 else None
