"""Signed checkpoints: how many leaves a log has, and its root.

C1: nothing in a checkpoint is believed before the pinned key of its origin has been seen to sign it.
Format: docs/formats/checkpoint.md.
"""

import re
from typing import NamedTuple

from shockwave_verify.note import (
    BLAKE3_TYPE,
    SHA256_TYPE,
    BadSignature,
    Note,
    check_key_name,
    signers,
)
from shockwave_verify.policy import Policy
from shockwave_verify.quote import name
from shockwave_verify.reading import decimal, hash_line
from shockwave_verify.verdict import Inconclusive, Malformed, Report, Tampered

_LEDGER = re.compile(r".+/([0-9a-f]{32})", re.DOTALL)


class Checkpoint(NamedTuple):
    origin: str
    size: int
    root: bytes

    @property
    def is_blake3(self) -> bool:
        return self.origin.endswith("/b3")

    @property
    def ledger(self) -> bytes | None:
        """The ledger id, if the origin is that of a SHA-256 tree."""
        return ledger_of(self.origin)


def ledger_of(origin: str) -> bytes | None:
    found = _LEDGER.fullmatch(origin)
    return bytes.fromhex(found[1]) if found else None


def parse_checkpoint(text: str) -> Checkpoint:
    what = "checkpoint"
    lines = text[:-1].split("\n")
    if len(lines) != 3:
        raise Malformed(what, "has not exactly three lines")
    try:
        check_key_name(lines[0])
    except Malformed:
        raise Malformed(what, "has an origin that is no key name") from None
    size = decimal(lines[1])
    if size is None:
        raise Malformed(what, "has a size that is no canonical decimal")
    return Checkpoint(lines[0], size, hash_line("checkpoint root", lines[2]))


def open_checkpoint(note: Note, policy: Policy, report: Report) -> Checkpoint:
    """The checkpoint in a note, once the pinned key of its origin has signed it (C1)."""
    try:
        signed_by = signers(note, policy.logs)
    except BadSignature as bad:
        why = f"of pinned key {name(bad.args[0])} does not verify over the checkpoint"
        raise Tampered("signature", why) from None
    checkpoint = parse_checkpoint(note.text)
    origin = name(checkpoint.origin)
    if not signed_by:
        raise _unsigned(checkpoint, policy)
    kind = BLAKE3_TYPE if checkpoint.is_blake3 else SHA256_TYPE
    if not any(k.name == checkpoint.origin and k.type == kind for k in signed_by):
        why = f"of the checkpoint is not by the key of its origin {origin} and its kind of tree"
        raise Tampered("signature", why)
    check_quorum(policy)
    report.checked.append(
        f"signature of {origin} over the checkpoint, with a pinned key (strict Ed25519)"
    )
    report.facts.append(("ledger", origin))
    report.facts.append(("checkpoint size", str(checkpoint.size)))
    report.not_covered.append("cosignatures: the policy asks for none")
    return checkpoint


def check_quorum(policy: Policy) -> None:
    """Cosignatures are not checked yet."""
    if policy.quorum is not None:
        why = f"the policy asks for cosignatures by {name(policy.quorum)}, which this verifier does not check yet"
        raise Inconclusive("witnesses", why)


def _unsigned(checkpoint: Checkpoint, policy: Policy) -> Exception:
    origin = name(checkpoint.origin)
    if any(key.name == checkpoint.origin for key in policy.logs):
        why = f"by the pinned key of {origin} is not on the checkpoint"
        return Tampered("signature", why)
    why = f"the policy pins no key for {origin}, nor for any name that signed"
    return Inconclusive("authenticity", why)
