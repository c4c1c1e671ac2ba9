"""docs/auditor.md, followed to the letter: each command that it shows is run, and has to say what the page says it says.

UPDATE_GOLDEN=1 writes the answers into the page.
"""

import os
import re
import shlex
import subprocess
import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs/auditor.md"
STEP = re.compile(
    r"```sh\nshockwave-verify ([^\n]*)\n```\n\n<!-- output -->\n(?:\n```text\n(.*?)```\n)?",
    re.DOTALL,
)


def run(arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "shockwave_verify", *shlex.split(arguments)]
    path = {"PYTHONPATH": str(Path(__file__).parents[1])}
    environment = {**os.environ, **path}
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, check=False
    )


class Auditor(unittest.TestCase):
    def test_the_page(self):
        page = PAGE.read_text()
        if "UPDATE_GOLDEN" in os.environ:
            page = STEP.sub(self._written, page)
            PAGE.write_text(page)
        steps = STEP.findall(page)
        self.assertEqual(len(steps), page.count("```sh"))
        codes = []
        for arguments, says in steps:
            ended = run(arguments)
            self.assertEqual(ended.stdout.decode(), says, arguments)
            codes.append(ended.returncode)
        # Receipt, COSE, disclosure and the honest export; the tampered one; the rewritten one without and with the kept checkpoint.
        self.assertEqual(codes, [0, 0, 0, 0, 1, 0, 1, 0, 0])

    def _written(self, step: re.Match) -> str:
        says = run(step[1]).stdout.decode()
        return f"```sh\nshockwave-verify {step[1]}\n```\n\n<!-- output -->\n\n```text\n{says}```\n"
