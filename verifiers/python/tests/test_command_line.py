"""The program: files, standard input, pinned keys, exit codes."""

import base64
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from tests.vectors import vectors, write_export

by_name = {vector["name"]: vector for vector in vectors()}


def run(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "shockwave_verify", *arguments]
    return subprocess.run(
        command, input=stdin.encode(), capture_output=True, check=False
    )


class CommandLine(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        vector = by_name["valid-row"]
        self.keys = [line[4:] for line in vector["policy"].splitlines()[:2]]
        self.policy = self.write("policy", vector["policy"])
        self.receipt = self.write("receipt", vector["input"])

    def write(self, name: str, text: str) -> str:
        path = Path(self.folder.name) / name
        path.write_bytes(text.encode())
        return str(path)

    def check(self, name: str, *arguments: str, stdin: str = ""):
        ended = run(*arguments, stdin=stdin)
        self.assertEqual(ended.stdout.decode(), by_name[name]["says"])
        self.assertEqual(ended.returncode, by_name[name]["exit_code"])

    def test_receipt_by_policy_and_by_keys(self):
        self.check("valid-row", "receipt", self.receipt, "--policy", self.policy)
        self.check("valid-row", "receipt", f"--key={self.keys[0]}", self.receipt)
        keys = ["--key", self.keys[0], "--key", self.keys[1]]
        self.check("valid-row", "receipt", self.receipt, *keys)

    def test_standard_input_and_the_newline_of_psql(self):
        stdin = by_name["valid-row"]["input"] + "\n"
        self.check("valid-row", "receipt", "-", "--policy", self.policy, stdin=stdin)

    def test_consistency(self):
        for name in ("valid-consistency", "log-rolled-back"):
            vector = by_name[name]
            old, new = self.write("old", vector["pinned"]), self.write(
                "new", vector["input"]
            )
            self.check(name, "consistency", old, new, "--policy", self.policy)

    def test_disclosure(self):
        for name in ("valid-disclosure", "disclosure-value-changed"):
            file = self.write("disclosure", by_name[name]["input"])
            self.check(name, "disclose", file, "--policy", self.policy)

    def test_cose(self):
        for name in ("valid-cose-row", "cose-ends-with-newlines"):
            path = Path(self.folder.name) / "receipt.cose"
            path.write_bytes(base64.b64decode(by_name[name]["input"]))
            self.check(name, "receipt", str(path), "--policy", self.policy)

    def test_export(self):
        for name in ("valid-export", "valid-export-pinned", "export-value-changed"):
            vector = by_name[name]
            with tempfile.TemporaryDirectory() as folder:
                write_export(json.loads(vector["input"]), folder)
                given = ["fsck", folder, "--policy", self.write("p", vector["policy"])]
                if "pinned" in vector:
                    given += ["--checkpoint", self.write("kept", vector["pinned"])]
                self.check(name, *given)

    def test_wrong_usage(self):
        cases = [
            [],
            ["receipt"],
            ["receipt", self.receipt],
            ["receipt", self.receipt, "--key", self.keys[0], "--policy", self.policy],
            ["consistency", self.receipt, "--policy", self.policy],
        ]
        for arguments in cases:
            self.assertEqual(run(*arguments).returncode, 2, arguments)

    def test_what_cannot_be_read(self):
        ended = run("receipt", self.folder.name, "--policy", self.policy)
        self.assertEqual(ended.returncode, 2)
        self.assertIn("cannot be read", ended.stdout.decode())
        ended = run("receipt", self.receipt, "--key", "no+key")
        self.assertEqual(ended.returncode, 2)
        says = "MALFORMED: verifier key: is not <name>+<key id>+<base64>\n"
        self.assertEqual(ended.stdout.decode(), says)
