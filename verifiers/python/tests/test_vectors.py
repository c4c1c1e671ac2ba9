"""Every vector ends as it says, in the very words."""

import unittest

from tests.vectors import mutations, vectors, verify


class Vectors(unittest.TestCase):
    maxDiff = None

    def test_there_are_some(self):
        self.assertTrue(vectors())

    def test_mutations(self):
        if not mutations():
            self.skipTest("SHOCKWAVE_MUTATIONS names no file")
        for vector in mutations():
            verdict = verify(vector)
            self.assertEqual(verdict.text, vector["says"], vector["name"])
            self.assertEqual(verdict.code, vector["exit_code"], vector["name"])


def _test_of(vector: dict):
    def test(self: Vectors):
        verdict = verify(vector)
        self.assertEqual(verdict.text, vector["says"])
        self.assertEqual(verdict.code, vector["exit_code"])
        self.assertIn(vector["reason"], verdict.text)

    return test


for one in vectors():
    setattr(Vectors, f"test_{one['name'].replace('-', '_')}", _test_of(one))
