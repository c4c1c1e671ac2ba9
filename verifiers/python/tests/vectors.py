"""The shared vectors, and thousands of changed ones where SHOCKWAVE_MUTATIONS names them.

Format: docs/formats/vectors.md.
"""

import base64
import json
import os
import tempfile
from pathlib import Path

from shockwave_verify import (
    Verdict,
    verify_consistency,
    verify_disclosure,
    verify_export,
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
    if vector["kind"] == "cose":
        return verify_receipt(base64.b64decode(given), policy)
    if vector["kind"] == "export":
        return _verify_export(vector, given, policy)
    if vector["kind"] == "consistency":
        return verify_consistency(vector["pinned"].encode(), given, policy)
    if vector["kind"] == "disclosure":
        return verify_disclosure(given, policy)
    return verify_receipt(given, policy)


def _verify_export(vector: dict, given: bytes, policy: bytes) -> Verdict:
    """The input is a JSON object of the export's files in base64."""
    with tempfile.TemporaryDirectory() as folder:
        write_export(json.loads(given), folder)
        pinned = vector.get("pinned")
        return verify_export(folder, policy, pinned and pinned.encode())


def write_export(files: dict[str, str], folder: str) -> None:
    for path, content in files.items():
        file = Path(folder) / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(base64.b64decode(content))
