"""The shared vectors, and thousands of changed ones where SHOCKWAVE_MUTATIONS names them.

Format: docs/formats/vectors.md.
"""

import json
import os
from pathlib import Path

from shockwave_verify import (
    Verdict,
    verify_consistency,
    verify_disclosure,
    verify_receipt,
)

_FOLDER = Path(
    os.environ.get("SHOCKWAVE_VECTORS")
    or Path(__file__).parents[3] / "receipts/tests/vectors"
)


def vectors() -> list[dict]:
    return [json.loads(file.read_bytes()) for file in sorted(_FOLDER.glob("*.json"))]


def mutations() -> list[dict]:
    file = os.environ.get("SHOCKWAVE_MUTATIONS")
    lines = Path(file).read_bytes().splitlines() if file else []
    return [json.loads(line) for line in lines]


def verify(vector: dict, given: bytes | None = None) -> Verdict:
    policy = vector["policy"].encode()
    given = vector["input"].encode() if given is None else given
    if "pinned" in vector:
        return verify_consistency(vector["pinned"].encode(), given, policy)
    if vector["kind"] == "disclosure":
        return verify_disclosure(given, policy)
    return verify_receipt(given, policy)
