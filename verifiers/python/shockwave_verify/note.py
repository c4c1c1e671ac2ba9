"""C2SP signed notes and the keys that sign them.

N1: a line counts only if its name and its key id are those of a pinned key; one such line that does not verify spoils the note.
Format: docs/formats/checkpoint.md.
"""

import hashlib
from typing import NamedTuple

from shockwave_verify import ed25519
from shockwave_verify.reading import unbase64
from shockwave_verify.verdict import Malformed

NOTE_BYTES_MAX = 128 * 1024
SIGNATURES_MAX = 16
KEY_NAME_BYTES_MAX = 255
SHA256_TYPE = b"\x01"
BLAKE3_TYPE = b"\xffshockwave/b3-checkpoint/v1"
_PREFIX = {SHA256_TYPE: b"", BLAKE3_TYPE: b"shockwave/b3-checkpoint/v1\n"}
_SPACES = frozenset(
    [0x20, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000]
)


class Key(NamedTuple):
    """A public key, and the name it signs under."""

    name: str
    id: bytes
    type: bytes
    point: bytes


class Signature(NamedTuple):
    """One signature line, not yet believed."""

    name: str
    key_id: bytes
    signature: bytes


class Note(NamedTuple):
    text: str
    signatures: list[Signature]


class BadSignature(Exception):
    """A line of this pinned key does not verify."""


def check_key_name(name: str) -> None:
    length = len(name.encode())
    if not 1 <= length <= KEY_NAME_BYTES_MAX:
        why = f"{length} bytes, not 1 to {KEY_NAME_BYTES_MAX}"
        raise Malformed("key name", why)
    if any(_is_odd(ord(char)) for char in name):
        raise Malformed("key name", "holds a space, a control character or a plus")


def _is_odd(code: int) -> bool:
    return code < 0x20 or 0x7F <= code < 0xA0 or code in _SPACES or code == ord("+")


class KeyText(NamedTuple):
    """`<name>+<key id>+<base64(identifier ‖ public key)>`, read but for what the key is."""

    what: str
    name: str
    id: str
    data: bytes

    def unknown_type(self) -> Malformed:
        why = "has a signature type we do not know, or a wrong length"
        return Malformed(self.what, why)

    def check_point(self, point: bytes) -> None:
        check_key_name(self.name)
        if not ed25519.is_point(point):
            raise Malformed(self.what, "is no Ed25519 point")
        if ed25519.is_small_order(point):
            raise Malformed(self.what, "has small order")

    def own_id(self) -> bytes:
        """The key's id, which must be the stated one."""
        own = hashlib.sha256(self.name.encode() + b"\n" + self.data).digest()[:4]
        if own.hex() != self.id:
            raise Malformed(self.what, "has a key id that is not its own")
        return own


def parse_key_text(what: str, text: str) -> KeyText:
    parts = text.split("+", 2)
    if len(parts) != 3:
        raise Malformed(what, "is not <name>+<key id>+<base64>")
    return KeyText(what, parts[0], parts[1], unbase64(what, parts[2]))


def parse_key(vkey: str) -> Key:
    """Reads the verifier key of a log."""
    text = parse_key_text("verifier key", vkey)
    kind, point = text.data[:-32], text.data[-32:]
    if kind not in _PREFIX:
        raise text.unknown_type()
    text.check_point(point)
    return Key(text.name, text.own_id(), kind, point)


def parse_note(whole: str) -> Note:
    what = "note"
    if len(whole.encode()) > NOTE_BYTES_MAX:
        raise Malformed(what, "is longer than 128 KiB")
    if any(char < " " and char != "\n" for char in whole):
        raise Malformed(what, "holds a control character")
    end = whole.rfind("\n\n")
    if end < 0:
        raise Malformed(what, "has no empty line before its signatures")
    text, lines = whole[: end + 1], whole[end + 2 :]
    if not lines.endswith("\n"):
        raise Malformed(what, "does not end with a signature line and a newline")
    signatures = [_signature(line) for line in lines[:-1].split("\n")]
    if len(signatures) > SIGNATURES_MAX:
        raise Malformed(what, f"has more than {SIGNATURES_MAX} signatures")
    return Note(text, signatures)


def _signature(line: str) -> Signature:
    what = "note signature"
    if not line.startswith("— "):
        raise Malformed(what, "does not start with an em dash and a space")
    name, space, encoded = line[2:].partition(" ")
    if not space:
        raise Malformed(what, "has no space between name and signature")
    check_key_name(name)
    data = unbase64(what, encoded)
    if len(data) < 5:
        raise Malformed(what, "is shorter than a key id and a signature")
    return Signature(name, data[:4], data[4:])


def signers(note: Note, pinned: list[Key]) -> list[Key]:
    """The pinned keys that signed (N1); raises BadSignature."""
    found = []
    for line in note.signatures:
        for key in pinned:
            if (key.name, key.id) != (line.name, line.key_id):
                continue
            message = _PREFIX[key.type] + note.text.encode()
            if not ed25519.verify(key.point, message, line.signature):
                raise BadSignature(key.name)
            found.append(key)
    return found
