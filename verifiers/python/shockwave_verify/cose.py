"""A receipt as COSE (RFC 9942), taken apart and not yet believed.

X1: there is one spelling, that of deterministic CBOR.
X2: the root is not in it: it is computed from leaf and path, and the signature is over that.
Format: docs/formats/cose.md.
"""

from typing import NamedTuple

from shockwave_verify.reading import PATH_MAX, Reader
from shockwave_verify.receipt import RECEIPT_BYTES_MAX, Row, Under, parse_extra

# {1: EdDSA, 395: RFC 9162 with SHA-256}
_PROTECTED = bytes.fromhex("a2012719018b01")
# Tag 18, an array of four, the protected header, a map of two that begins with one inclusion proof.
_BEFORE_PROOF = b"\xd2\x84\x47" + _PROTECTED + bytes.fromhex("a219018ca12081")
_BEFORE_EXTRA = bytes.fromhex("3a0001116f")
# No payload, and a signature of 64 bytes.
_BEFORE_SIGNATURE = bytes.fromhex("f65840")
_UNSIGNED, _BYTES, _ARRAY = 0, 2, 4


class CoseReceipt(NamedTuple):
    size: int
    index: int
    path: list[bytes]
    leaf: bytes
    row: Row | None
    under: Under | None
    signature: bytes


def is_cose(data: bytes) -> bool:
    return data[:1] == b"\xd2"


def signed_bytes(root: bytes) -> bytes:
    """The Sig_structure of RFC 9052 with this protected header, no external data, and the root for payload."""
    return b"\x84\x6aSignature1\x47" + _PROTECTED + b"\x40\x58\x20" + root


def parse_cose(data: bytes) -> CoseReceipt:
    read = Reader(data, "COSE receipt")
    if len(data) > RECEIPT_BYTES_MAX:
        raise read.fail("is longer than 16 MiB")
    if read.take(len(_BEFORE_PROOF)) != _BEFORE_PROOF:
        why = "does not begin with EdDSA, the tree of RFC 9162 and one inclusion proof"
        raise read.fail(why)
    proof = _byte_string(read)
    if read.take(len(_BEFORE_EXTRA)) != _BEFORE_EXTRA:
        raise read.fail("does not go on with label -70000")
    extra = _byte_string(read)
    if read.take(len(_BEFORE_SIGNATURE)) != _BEFORE_SIGNATURE:
        why = "does not end without payload and with a signature of 64 bytes"
        raise read.fail(why)
    signature = read.take(64)
    read.end()
    return CoseReceipt(*_proof(proof), *parse_extra(extra), signature)


def _proof(data: bytes) -> tuple[int, int, list[bytes]]:
    read = Reader(data, "COSE inclusion proof")
    if read.take(1) != b"\x83":
        raise read.fail("is not of size, index and path")
    size, index = _head(read, _UNSIGNED), _head(read, _UNSIGNED)
    count = _head(read, _ARRAY)
    if count > PATH_MAX:
        raise read.fail(f"a path of {count} hashes, at most {PATH_MAX}")
    path = []
    for _ in range(count):
        found = _byte_string(read)
        if len(found) != 32:
            raise read.fail(f"has a hash of {len(found)} bytes")
        path.append(found)
    read.end()
    return size, index, path


def _byte_string(read: Reader) -> bytes:
    length = _head(read, _BYTES)
    if length > RECEIPT_BYTES_MAX:
        raise read.fail("has a byte string of more than 16 MiB")
    return read.take(length)


def _head(read: Reader, major: int) -> int:
    """The number in the head of an item of this major type, in its shortest form."""
    first = read.uint(1)
    short = first & 0x1F
    number, least = short, 0
    if 24 <= short <= 27:
        width = 1 << (short - 24)
        number = int.from_bytes(read.take(width), "big")
        least = 24 if width == 1 else 1 << (4 * width)
    if first >> 5 != major or short > 27 or number < least:
        raise read.fail(f"has no item of type {major} in its shortest form")
    return number
