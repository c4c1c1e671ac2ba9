"""Bytes of any kind end in a verdict, never in an exception."""

import base64
import unittest

from hypothesis import given, settings
from hypothesis import strategies as st

from shockwave_verify import VALID
from shockwave_verify.cose import parse_cose
from shockwave_verify.definition import parse_definition
from shockwave_verify.leaf import parse_leaf
from shockwave_verify.policy import parse_policy
from shockwave_verify.receipt import parse_receipt
from shockwave_verify.values import shown
from shockwave_verify.verdict import Failure
from tests.vectors import vectors, verify

seeded = settings(max_examples=300, deadline=None, database=None, derandomize=True)
# What is no text is among the mutations: an export is many files, COSE bytes.
every = [vector for vector in vectors() if vector["kind"] not in ("export", "cose")]
# Half of a string starts from what was well formed.
coses = [vector for vector in vectors() if vector["kind"] == "cose"]
pieces = [vector["input"].encode() for vector in every]
edits = st.lists(st.tuples(st.integers(0, 9_999), st.binary(max_size=3)), max_size=3)


def edited(data: bytes, changes: list[tuple[int, bytes]]) -> bytes:
    for at, new in changes:
        at %= len(data) + 1
        data = data[:at] + new + data[at + 1 :]
    return data


def of_log(says: str) -> list[str]:
    """What a verdict says but for cosignatures: a checkpoint without those that no quorum needs is a good one."""
    return [line for line in says.splitlines() if "cosign" not in line]


class Garbage(unittest.TestCase):
    @seeded
    @given(st.sampled_from(every), edits)
    def test_vectors(self, vector, changes):
        verdict = verify(vector, edited(vector["input"].encode(), changes))
        # A disclosure without some of its rows is a good one of the others.
        is_whole = vector["kind"] != "disclosure"
        if is_whole and vector["exit_code"] == VALID == verdict.code:
            self.assertEqual(of_log(verdict.text), of_log(vector["says"]))

    @seeded
    @given(st.sampled_from(every), st.binary(max_size=400))
    def test_noise(self, vector, data):
        self.assertNotEqual(verify(vector, data).code, VALID)

    @seeded
    @given(st.binary(max_size=400))
    def test_policies(self, data):
        self._never_raises_but_a_failure(lambda: parse_policy(data))

    @seeded
    @given(st.sampled_from(pieces), edits, st.integers(0, 4_000))
    def test_what_stands_behind_a_signature(self, text, changes, oid):
        try:
            receipt = parse_receipt(text)
        except Failure:
            return
        self._never_raises_but_a_failure(
            lambda: parse_leaf(edited(receipt.leaf, changes))
        )
        if receipt.row is None:
            return
        definition = edited(receipt.under.definition, changes)
        self._never_raises_but_a_failure(lambda: parse_definition(definition))
        for field in receipt.row.fields:
            data = edited(field.value, changes)
            self._never_raises_but_a_failure(lambda data=data: shown(oid, data))

    @seeded
    @given(st.sampled_from(coses), edits)
    def test_cose(self, vector, changes):
        data = edited(base64.b64decode(vector["input"]), changes)
        self._never_raises_but_a_failure(lambda: parse_cose(data))

    def _never_raises_but_a_failure(self, work):
        try:
            work()
        except Failure:
            pass
