"""What others wrote reads our COSE receipts: `cbor2` alone, and `scitt-cose` with the whole of RFC 9942."""

import base64
import unittest

import cbor2
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from scitt_cose.receipt import verify_receipt

from shockwave_verify.cose import parse_cose
from shockwave_verify.note import parse_key
from tests.vectors import vectors

PEM = serialization.Encoding.PEM
PUBLIC = serialization.PublicFormat.SubjectPublicKeyInfo


def _of_cose(verdict: str) -> list[dict]:
    return [
        vector
        for vector in vectors()
        if vector["kind"] == "cose" and vector["verdict"] == verdict
    ]


def _pem(vector: dict, line: int) -> bytes:
    key = parse_key(vector["policy"].splitlines()[line][len("log ") :])
    return Ed25519PublicKey.from_public_bytes(key.point).public_bytes(PEM, PUBLIC)


def _verify(vector: dict, leaf: bytes, line: int = 0):
    return verify_receipt(
        base64.b64decode(vector["input"]),
        leaf_entry_hex=leaf.hex(),
        log_public_key_pem=_pem(vector, line),
    )


class PublicTools(unittest.TestCase):
    def test_scitt_cose_takes_what_is_valid(self):
        found = _of_cose("valid")
        self.assertGreater(len(found), 4)
        for vector in found:
            leaf = parse_cose(base64.b64decode(vector["input"])).leaf
            lines = range(vector["policy"].count("log "))
            taken = [_verify(vector, leaf, line).ok for line in lines[::2]]
            # RFC 9942's own example has a path of one hash and more; that of the only leaf has none.
            self.assertIn(True, taken, vector["name"])

    def test_scitt_cose_refuses_another_leaf(self):
        (vector,) = (v for v in vectors() if v["name"] == "valid-cose-row")
        leaf = parse_cose(base64.b64decode(vector["input"])).leaf
        self.assertFalse(_verify(vector, leaf + b"x").ok)

    def test_scitt_cose_refuses_what_is_tampered_above_the_row(self):
        names = {
            "cose-leaf-changed",
            "cose-path-changed",
            "cose-path-too-long",
            "cose-signature-changed",
            "cose-signature-of-the-checkpoint",
            "cose-by-another-key-than-pinned",
        }
        found = [v for v in _of_cose("tampered") if v["name"] in names]
        self.assertEqual(len(found), len(names))
        for vector in found:
            leaf = parse_cose(base64.b64decode(vector["input"])).leaf
            self.assertFalse(_verify(vector, leaf).ok, vector["name"])

    def test_cbor2_reads_headers_and_proof(self):
        (vector,) = (v for v in vectors() if v["name"] == "valid-cose-row")
        data = base64.b64decode(vector["input"])
        message = cbor2.loads(data)
        protected, unprotected, payload, signature = message.value
        self.assertEqual(message.tag, 18)
        self.assertEqual(cbor2.loads(protected), {1: -8, 395: 1})
        self.assertEqual(sorted(unprotected), [-70000, 396])
        self.assertEqual((payload, len(signature)), (None, 64))
        size, index, path = cbor2.loads(unprotected[396][-1][0])
        self.assertEqual((size, index, len(path)), (12, 2, 4))
        self.assertEqual(cbor2.dumps(message, canonical=True), data)
