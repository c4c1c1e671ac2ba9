"""Witnesses, their cosignatures (C2SP `cosignature/v1`), and the quorum of a policy.

W1: a witness counts once, however many of its lines are there; one of them that does not verify spoils the note.
Never: counts a key of a type that is not verified here.
Format: docs/formats/checkpoint.md.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from shockwave_verify import ed25519, times
from shockwave_verify.note import Note, Signature, check_key_name, parse_key_text
from shockwave_verify.quote import name as plain
from shockwave_verify.verdict import Tampered

COSIGNATURE_TYPE = 0x04
ML_DSA_TYPE, ML_DSA_BYTES = 0x06, 1312
TIME_MAX = 2**63 - 1
_LAST_SECOND = 253402300799  # of the year 9999


class Witness(NamedTuple):
    """A witness, under the policy's name for it."""

    name: str
    key_name: str
    id: bytes
    public: bytes
    is_verified: bool

    def is_of(self, line: Signature) -> bool:
        return (self.key_name, self.id) == (line.name, line.key_id)

    def cosigned(self, note: Note) -> int | None:
        """The earliest time at which it says it cosigned, if it did (W1)."""
        lines = [line for line in note.signatures if self.is_of(line)]
        if not self.is_verified:
            return None
        return min((self._time(note.text, line) for line in lines), default=None)

    def _time(self, text: str, line: Signature) -> int:
        time = int.from_bytes(line.signature[:8], "big")
        message = f"cosignature/v1\ntime {time}\n{text}".encode()
        is_whole = len(line.signature) == 8 + 64
        if not is_whole or not ed25519.verify(self.public, message, line.signature[8:]):
            why = f"of pinned witness {plain(self.name)} does not verify over the checkpoint"
            raise Tampered("cosignature", why)
        if not 1 <= time <= TIME_MAX:
            why = f"of pinned witness {plain(self.name)} states time {time}, not 1 to {TIME_MAX}"
            raise Tampered("cosignature", why)
        return time


class Group(NamedTuple):
    """Stands where so many of its members, witnesses and other groups, do."""

    name: str
    threshold: int
    members: list[str]


def parse_witness(name: str, vkey: str) -> Witness:
    text = parse_key_text("witness key", vkey)
    kind, public = text.data[:1], text.data[1:]
    is_verified = (kind, len(public)) == (bytes([COSIGNATURE_TYPE]), 32)
    if is_verified:
        text.check_point(public)
    elif (kind, len(public)) == (bytes([ML_DSA_TYPE]), ML_DSA_BYTES):
        check_key_name(text.name)
    else:
        raise text.unknown_type()
    return Witness(name, text.name, text.own_id(), public, is_verified)


def is_met(
    quorum: str,
    witnesses: list[Witness],
    groups: list[Group],
    has_cosigned: Callable[[Witness], bool],
) -> bool:
    """Whether the quorum stands. Members were defined before their group, so one pass sees all of them."""
    standing = {witness.name for witness in witnesses if has_cosigned(witness)}
    for group in groups:
        if len(standing.intersection(group.members)) >= group.threshold:
            standing.add(group.name)
    return quorum in standing


def names(witnesses: Iterable[Witness]) -> str:
    return ", ".join(plain(witness.name) for witness in witnesses)


def spelled_time(seconds: int) -> str:
    """Seconds since 1970-01-01 as a time, up to the year 9999."""
    if seconds > _LAST_SECOND:
        return f"{seconds} s after 1970-01-01 00:00:00+00"
    return times.timestamp(seconds * 1_000_000, "+00")
