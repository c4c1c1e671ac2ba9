"""An SD-JWT (RFC 9901) that carries a disclosure, taken apart and not yet believed; and the opening of its fields.

J1: there is one spelling of header, payload and each opening; openings may be left out and reordered.
J2: an opening counts only for a field of the row whose digests name it, with salt and value that give the field's commitment.
Format: docs/formats/sd-jwt.md.
"""

import base64
import binascii
import hashlib
import re
from typing import NamedTuple

from shockwave_verify import ed25519
from shockwave_verify.definition import Column, Definition, parse_definition
from shockwave_verify.disclosure import Disclosure, parse_disclosure
from shockwave_verify.note import SHA256_TYPE
from shockwave_verify.policy import Policy
from shockwave_verify.quote import name
from shockwave_verify.receipt import (
    HIDDEN,
    NULL,
    RECEIPT_BYTES_MAX,
    SHOWN,
    Field,
    Row,
)
from shockwave_verify.row import commitment_of
from shockwave_verify.values import shown
from shockwave_verify.verdict import Inconclusive, Malformed, Tampered, in_part

_HEADER = re.compile(
    r'\{"alg":"EdDSA","kid":"([0-9a-f]{8})","typ":"shockwave-disclosure\+sd-jwt"\}'
)
_COMPACT = re.compile(rb"[A-Za-z0-9_.~-]*")
# Possessive, so that a long string takes no memory for ways back.
_STRING = re.compile(
    r'"((?:[^\x00-\x1f"\\]++|\\["\\n]|\\u00(?:0[0-9b-f]|1[0-9a-f]))*+)"'
)
_ESCAPE = re.compile(r"\\(?:u00(..)|(.))")
_INTEGER = re.compile(r"0|-?[1-9][0-9]*")
_SAFE_INTEGER_MAX = 2**53 - 1
_BOOL, _TEXTS = 16, (25, 114, 1042, 1043, 3802)
_WIDTHS = {20: 8, 21: 2, 23: 4}


class Spelled(NamedTuple):
    """A value that JSON has no form for: as SQL spells it, and its canonical bytes."""

    text: str
    data: bytes


Value = None | bool | int | str | Spelled


class Opening(NamedTuple):
    """What opens one field: a «disclosure» of RFC 9901."""

    digest: bytes
    salt: bytes
    column: str
    value: Value


class SdJwt(NamedTuple):
    signed: bytes
    key_id: bytes
    issuer: str
    digests: list[list[bytes]]
    disclosure: Disclosure
    signature: bytes
    openings: list[Opening]


def is_sd_jwt(data: bytes) -> bool:
    return data.startswith(b"eyJ")


def parse_sd_jwt(data: bytes) -> SdJwt:
    what = "SD-JWT"
    if len(data) > RECEIPT_BYTES_MAX:
        raise Malformed(what, "is longer than 16 MiB")
    if not _COMPACT.fullmatch(data):
        why = "has a character that is none of base64url, point and tilde"
        raise Malformed(what, why)
    text = data.decode("ascii")
    if not text.endswith("~"):
        why = "does not end with a tilde; a key binding is not supported"
        raise Malformed(what, why)
    jwt, *parts = text[:-1].split("~")
    pieces = jwt.split(".")
    if len(pieces) != 3:
        raise Malformed(what, "does not begin with header, payload and signature")
    header, payload, encoded = pieces
    key_id = _header(header)
    issuer, claim, digests = _payload(payload)
    signature = _unbase64(f"{what} signature", encoded)
    if len(signature) != 64:
        why = f"has {len(signature)} bytes, not 64"
        raise Malformed(f"{what} signature", why)
    openings = _openings(parts)
    disclosure = parse_disclosure(claim.encode())
    rows = rows_of(disclosure)
    if any(field.tag in (NULL, SHOWN) for row in rows for field in row.fields):
        raise Malformed(f"{what} payload", "shows a field itself")
    if len(rows) != len(digests):
        why = f"shows {len(rows)} rows and lists digests of {len(digests)}"
        raise Malformed(f"{what} payload", why)
    signed = f"{header}.{payload}".encode()
    return SdJwt(signed, key_id, issuer, digests, disclosure, signature, openings)


def rows_of(disclosure: Disclosure) -> list[Row]:
    return [
        row
        for commit in disclosure.commits
        for table in commit.tables
        for row in table.rows
    ]


def check_signature(token: SdJwt, policy: Policy) -> None:
    """The key is one that the policy pins for the ledger that the token says has issued it."""
    issuer = name(token.issuer)
    keys = [
        key
        for key in policy.logs
        if key.type == SHA256_TYPE and key.name == token.issuer
    ]
    if not keys:
        raise Inconclusive("authenticity", f"the policy pins no key for {issuer}")
    for key in keys:
        if key.id == token.key_id:
            if not ed25519.verify(key.point, token.signed, token.signature):
                why = f"of pinned key {issuer} does not verify over the SD-JWT"
                raise Tampered("signature", why)
            return
    why = f"is by key {token.key_id.hex()}, which is not pinned for {issuer}"
    raise Tampered("signature", why)


def open_fields(token: SdJwt) -> None:
    """Puts what the openings say into the rows of the disclosure. A definition is read once."""
    tables = [table for commit in token.disclosure.commits for table in commit.tables]
    rows = [(row, table) for table in tables for row in table.rows]
    places = {
        digest: place
        for place, digests in enumerate(token.digests)
        for digest in digests
    }
    definitions: dict[int, Definition] = {}
    for number, opening in enumerate(token.openings, start=1):
        what = f"SD-JWT disclosure {number}"
        place = places.get(opening.digest)
        if place is None:
            raise Tampered(what, "has no digest in the payload")
        row, table = rows[place]
        if id(table) not in definitions:
            with in_part(what):
                definitions[id(table)] = parse_definition(table.under.definition)
        _open(row, definitions[id(table)], opening, what)


def _open(row: Row, definition: Definition, opening: Opening, what: str) -> None:
    column_name = name(opening.column)
    for at, (column, field) in enumerate(zip(definition.columns, row.fields)):
        if column.name == opening.column:
            break
    else:
        raise Tampered(what, f"is of column {column_name}, which its row has not")
    if field.tag != HIDDEN:
        raise Tampered(what, f"is of column {column_name}, which is not hidden")
    opened = _field(column, opening)
    if opened is None:
        why = f"is not as a value of column {column_name} is written"
        raise Malformed(what, why)
    if commitment_of(opened, column) != field.commitment:
        why = f"does not open the commitment of column {column_name}"
        raise Tampered(what, why)
    row.fields[at] = opened


def _field(column: Column, opening: Opening) -> Field | None:
    """The field that an opening says, if its value is as one of the column's type is written."""
    value, salt = opening.value, opening.salt
    if value is None:
        return Field(NULL, salt=salt)
    if isinstance(value, bool):
        data = bytes([value])
    elif isinstance(value, int):
        width = _WIDTHS.get(column.oid, 8)
        data = (value % 2 ** (8 * width)).to_bytes(width, "little")
    elif isinstance(value, str):
        data = value.encode()
    else:
        data = value.data
    try:
        form = _form(column.oid, data)
    except Malformed:
        return None
    is_form = type(form) is type(value) and form == value
    return Field(SHOWN, salt=salt, value=data) if is_form else None


def _form(oid: int, data: bytes) -> Value:
    """The form of a value of a type; fails if the bytes are not canonical."""
    spelled = shown(oid, data)
    if oid == _BOOL:
        return data == b"\x01"
    if oid in _TEXTS:
        return data.decode()
    if oid in _WIDTHS and abs(int(spelled)) <= _SAFE_INTEGER_MAX:
        return int(spelled)
    return Spelled(spelled, data)


class _Json:
    """As much of JSON as SD-JWTs use, in one spelling."""

    def __init__(self, text: str):
        self._text, self._at = text, 0

    @property
    def is_at_end(self) -> bool:
        return self._at == len(self._text)

    def eat(self, literal: str) -> bool:
        found = self._text.startswith(literal, self._at)
        self._at += len(literal) if found else 0
        return found

    def need(self, literal: str) -> None:
        if not self.eat(literal):
            raise ValueError(literal)

    def match(self, pattern: re.Pattern[str]) -> re.Match[str]:
        found = pattern.match(self._text, self._at)
        if found is None:
            raise ValueError(pattern)
        self._at = found.end()
        return found

    def string(self) -> str:
        return _ESCAPE.sub(_unescaped, self.match(_STRING)[1])

    def data(self, length: int | None = None) -> bytes:
        """A string that is canonical base64url, of so many bytes."""
        found = _decoded(self.string())
        if found is None or length not in (None, len(found)):
            raise ValueError(length)
        return found

    def value(self) -> Value:
        for word, value in (("null", None), ("true", True), ("false", False)):
            if self.eat(word):
                return value
        if self._text.startswith('"', self._at):
            return self.string()
        if self.eat('{"text":'):
            text = self.string()
            self.need(',"bytes":')
            data = self.data()
            self.need("}")
            return Spelled(text, data)
        digits = self.match(_INTEGER)[0]
        if len(digits) > 20 or not -(2**63) <= int(digits) < 2**63:
            raise ValueError(digits)
        return int(digits)


def _unescaped(escape: re.Match[str]) -> str:
    code, char = escape.groups()
    if code is not None:
        return chr(int(code, 16))
    return "\n" if char == "n" else char


def _decoded(text: str) -> bytes | None:
    """Base64url without padding and stray bits."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), "-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    canonical = base64.urlsafe_b64encode(data).decode().rstrip("=")
    return data if canonical == text else None


def _unbase64(what: str, text: str) -> bytes:
    data = _decoded(text)
    if data is None:
        raise Malformed(what, "is not canonical base64url")
    return data


def _header(text: str) -> bytes:
    what = "SD-JWT header"
    data = _unbase64(what, text)
    found = _HEADER.fullmatch(data.decode("utf-8", "replace"))
    if found is None:
        raise Malformed(what, "is not that of EdDSA, a key id and a disclosure")
    return bytes.fromhex(found[1])


def _payload(text: str) -> tuple[str, str, list[list[bytes]]]:
    what = "SD-JWT payload"
    data = _unbase64(what, text)
    try:
        issuer, claim, digests = _read_payload(_Json(data.decode()))
    except ValueError:
        why = "is not of iss, _sd_alg, shockwave and rows in their one spelling"
        raise Malformed(what, why) from None
    encoded = [[base64.urlsafe_b64encode(one) for one in row] for row in digests]
    if any(row != sorted(set(row)) for row in encoded):
        raise Malformed(what, "has a row whose digests do not rise")
    every = [digest for row in digests for digest in row]
    if len(set(every)) < len(every):
        raise Malformed(what, "has one digest in two rows")
    return issuer, claim, digests


def _read_payload(read: _Json) -> tuple[str, str, list[list[bytes]]]:
    read.need('{"iss":')
    issuer = read.string()
    read.need(',"_sd_alg":"sha-256","shockwave":')
    claim = read.string()
    read.need(',"rows":[')
    digests = [_read_row(read)]
    while not read.eat("]}"):
        read.need(",")
        digests.append(_read_row(read))
    if not read.is_at_end:
        raise ValueError
    return issuer, claim, digests


def _read_row(read: _Json) -> list[bytes]:
    if read.eat("{}"):
        return []
    read.need('{"_sd":[')
    digests = [read.data(32)]
    while not read.eat("]}"):
        read.need(",")
        digests.append(read.data(32))
    return digests


def _openings(parts: list[str]) -> list[Opening]:
    openings: list[Opening] = []
    seen: set[bytes] = set()
    for number, part in enumerate(parts, start=1):
        what = f"SD-JWT disclosure {number}"
        data = _unbase64(what, part)
        try:
            salt, column, value = _read_opening(_Json(data.decode()))
        except ValueError:
            why = "is not of salt, name and value in their one spelling"
            raise Malformed(what, why) from None
        digest = hashlib.sha256(part.encode()).digest()
        if digest in seen:
            raise Malformed(what, "is there twice")
        seen.add(digest)
        openings.append(Opening(digest, salt, column, value))
    return openings


def _read_opening(read: _Json) -> tuple[bytes, str, Value]:
    read.need("[")
    salt = read.data(16)
    read.need(",")
    column = read.string()
    read.need(",")
    value = read.value()
    read.need("]")
    if not read.is_at_end:
        raise ValueError
    return salt, column, value
