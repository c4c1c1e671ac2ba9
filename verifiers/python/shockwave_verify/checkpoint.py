"""Signed checkpoints: how many leaves a log has, and its root.

C1: nothing in a checkpoint is believed before the pinned key of its origin has been seen to sign it.
C2: every line of a pinned witness is verified, also where the quorum is met without it.
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
    parse_note,
    signers,
)
from shockwave_verify.policy import Policy
from shockwave_verify.quote import name
from shockwave_verify.reading import decimal, hash_line, utf8
from shockwave_verify.verdict import (
    Inconclusive,
    Malformed,
    Report,
    Tampered,
    in_part,
)
from shockwave_verify.witness import Witness, is_met, names, spelled_time

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
    """The checkpoint in a note, once its log has signed it (C1) and the quorum of witnesses cosigned it."""
    checkpoint = open_signed(note, policy, report)
    check_witnesses(note, policy, report)
    return checkpoint


def open_signed(note: Note, policy: Policy, report: Report) -> Checkpoint:
    """The checkpoint in a note, once its log has signed it (C1); no quorum is asked of it."""
    checkpoint = _signed(note, policy)
    origin = name(checkpoint.origin)
    report.checked.append(
        f"signature of {origin} over the checkpoint, with a pinned key (strict Ed25519)"
    )
    report.facts.append(("ledger", origin))
    report.facts.append(("checkpoint size", str(checkpoint.size)))
    return checkpoint


def check_witnesses(note: Note, policy: Policy, report: Report) -> None:
    """Sees to the cosignatures of a note whose checkpoint is signed, and to the quorum."""
    cosigned = _cosigned(note, policy)
    if cosigned:
        by = names(witness for witness, _ in cosigned)
        report.checked.append(
            f"cosignatures of {by} over the checkpoint (strict Ed25519)"
        )
    for witness, time in cosigned:
        said = f"{name(witness.name)} at {spelled_time(time)}, by its clock"
        report.facts.append(("cosigned by", said))
    if policy.quorum is None:
        report.not_covered.append("cosignatures: the policy asks for none")
    else:
        _check_quorum(note, policy, [witness for witness, _ in cosigned])
        report.checked.append(f"quorum of witnesses: {name(policy.quorum)}")


def open_pinned(pinned: bytes, policy: Policy) -> Checkpoint:
    """A checkpoint that was kept from before; no quorum is asked of it."""
    with in_part("pinned checkpoint"):
        return open_quietly(parse_note(utf8(pinned, "note")), policy)


def open_quietly(note: Note, policy: Policy) -> Checkpoint:
    """The checkpoint in a note, with every line of a pinned key or witness verified (C2) and nothing said of it."""
    checkpoint = _signed(note, policy)
    _cosigned(note, policy)
    return checkpoint


def _signed(note: Note, policy: Policy) -> Checkpoint:
    try:
        signed_by = signers(note, policy.logs)
    except BadSignature as bad:
        why = f"of pinned key {name(bad.args[0])} does not verify over the checkpoint"
        raise Tampered("signature", why) from None
    checkpoint = parse_checkpoint(note.text)
    if not signed_by:
        raise _unsigned(checkpoint, policy)
    kind = BLAKE3_TYPE if checkpoint.is_blake3 else SHA256_TYPE
    if not any(k.name == checkpoint.origin and k.type == kind for k in signed_by):
        why = f"of the checkpoint is not by the key of its origin {name(checkpoint.origin)} and its kind of tree"
        raise Tampered("signature", why)
    return checkpoint


def _cosigned(note: Note, policy: Policy) -> list[tuple[Witness, int]]:
    """The witnesses that cosigned, and when (C2)."""
    times = [(witness, witness.cosigned(note)) for witness in policy.witnesses]
    return [(witness, time) for witness, time in times if time is not None]


def _check_quorum(note: Note, policy: Policy, cosigned: list[Witness]) -> None:
    def met(counted: list[Witness]) -> bool:
        in_it = counted.__contains__
        return is_met(policy.quorum, policy.witnesses, policy.groups, in_it)

    if met(cosigned):
        return
    left_out = [
        witness
        for witness in policy.witnesses
        if not witness.is_verified and any(map(witness.is_of, note.signatures))
    ]
    if met(cosigned + left_out):
        why = f"those of {names(left_out)} are of a type that is not verified here"
    elif cosigned:
        why = f"those of {names(cosigned)} are not enough"
    else:
        why = "there are none"
    raise lacks_quorum(policy, why)


def lacks_quorum(policy: Policy, why: str) -> Inconclusive:
    asked = f"the policy asks for cosignatures by {name(policy.quorum)}"
    return Inconclusive("witnesses", f"{asked}, and {why}")


def _unsigned(checkpoint: Checkpoint, policy: Policy) -> Exception:
    origin = name(checkpoint.origin)
    if any(key.name == checkpoint.origin for key in policy.logs):
        why = f"by the pinned key of {origin} is not on the checkpoint"
        return Tampered("signature", why)
    why = f"the policy pins no key for {origin}, nor for any name that signed"
    return Inconclusive("authenticity", why)
