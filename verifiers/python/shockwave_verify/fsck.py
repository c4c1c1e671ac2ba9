"""The checks of an export: leaves against tiles, tiles against signed roots, rows against leaves, the catalog against schema roots.

Y1: what is there and what must be there are the same set of files; the first bad position is named.
Y2: memory is bounded by one entry bundle, one row and the catalog, whatever the size of the export.
Never: takes a key from the export, other than those that a signed log names.
Format: docs/formats/export.md.
"""

import hashlib
from contextlib import closing

from shockwave_verify.checkpoint import (
    Checkpoint,
    check_witnesses,
    open_checkpoint,
    open_pinned,
    open_quietly,
    open_signed,
    parse_checkpoint,
)
from shockwave_verify.export import FILES_MAX, Folder, Range, parse_range
from shockwave_verify.log import Log
from shockwave_verify.note import (
    BLAKE3_TYPE,
    NOTE_BYTES_MAX,
    SHA256_TYPE,
    BadSignature,
    Key,
    Note,
    parse_note,
    signers,
)
from shockwave_verify.policy import Policy
from shockwave_verify.quote import name
from shockwave_verify.reading import utf8
from shockwave_verify.rows import Rows
from shockwave_verify.verdict import (
    Inconclusive,
    Malformed,
    Report,
    Tampered,
    in_part,
)

_RANGE_BYTES_MAX = 4096
_BLAKE3_CHECKPOINT = "b3/checkpoint"
_COSIGNED = "cosigned"


def check_export(
    files: Folder, pinned: bytes | None, policy: Policy, report: Report
) -> None:
    export = parse_range(_read_range(files))
    note = _note(files, "checkpoint")
    has_cosigned = files.has(_COSIGNED)
    with in_part("checkpoint"):
        if has_cosigned:
            # Its own lines are verified; the quorum is asked of the other.
            open_quietly(note, policy)
            checkpoint = open_signed(note, policy, report)
        else:
            checkpoint = open_checkpoint(note, policy, report)
        if checkpoint.ledger is None:
            why = "of a receipt has an origin that is no ledger's SHA-256 tree"
            raise Malformed("checkpoint", why)
    if export.end > checkpoint.size:
        why = f"is of commits below {export.end}, the checkpoint of {checkpoint.size} leaves"
        raise Malformed("export", why)
    cosigned = None
    if has_cosigned:
        cosigned = _open_cosigned(files, checkpoint, export.end, policy, report)
    kept = _open_pinned(pinned, policy, checkpoint, report)
    _check_names(files, export, checkpoint.size)
    rows = Rows(files, export)
    log = Log(files, checkpoint, {"pinned": kept, "cosigned": cosigned})
    with closing(rows):
        log.check(rows)
    _check_signers(files, note, checkpoint, log)
    _describe(export, checkpoint, kept, cosigned, log, rows, report)


def _read_range(files: Folder) -> bytes:
    try:
        return files.read("export", _RANGE_BYTES_MAX)
    except Tampered as absent:
        raise Malformed(absent.what, absent.why) from None


def _note(files: Folder, path: str) -> Note:
    data = files.read(path, NOTE_BYTES_MAX)
    with in_part(path):
        return parse_note(utf8(data, "note"))


def _open_cosigned(
    files: Folder, checkpoint: Checkpoint, end: int, policy: Policy, report: Report
) -> Checkpoint:
    """The checkpoint that witnesses have cosigned, of the same log and not larger. A quorum has to cover all rows."""
    note = _note(files, _COSIGNED)
    with in_part(_COSIGNED):
        cosigned = open_quietly(note, policy)
    origin = name(cosigned.origin)
    if cosigned.origin != checkpoint.origin:
        raise Tampered(_COSIGNED, f"is of {origin}, not of {name(checkpoint.origin)}")
    if cosigned.size > checkpoint.size:
        why = f"has {cosigned.size} leaves, the checkpoint {checkpoint.size}"
        raise Tampered(_COSIGNED, why)
    report.checked.append(f"signature of {origin} over the cosigned checkpoint")
    report.facts.append(("cosigned size", str(cosigned.size)))
    with in_part(_COSIGNED):
        check_witnesses(note, policy, report)
    if policy.quorum is not None and cosigned.size < end:
        why = f"have cosigned the first {cosigned.size} leaves, the rows are of commits up to {end - 1}"
        raise Inconclusive("witnesses", why)
    return cosigned


def _open_pinned(
    pinned: bytes | None, policy: Policy, checkpoint: Checkpoint, report: Report
) -> Checkpoint | None:
    if pinned is None:
        return None
    kept = open_pinned(pinned, policy)
    if kept.origin != checkpoint.origin:
        why = f"is of {name(checkpoint.origin)}, not of {name(kept.origin)}"
        raise Tampered("checkpoint", why)
    if kept.size > checkpoint.size:
        why = (
            f"has {checkpoint.size} leaves, the pinned one {kept.size}: the log was cut"
        )
        raise Tampered("checkpoint", why)
    report.checked.append("signature over the pinned checkpoint")
    return kept


def _check_names(files: Folder, export: Range, size: int) -> None:
    """Y1, the one half: no file but those of the format."""
    paths = files.paths()
    if len(paths) > FILES_MAX:
        raise Malformed("export", f"has more than {FILES_MAX} files")
    for path in paths:
        if not export.has_file(path, size):
            raise Malformed(name(path), "is no file of this export")


def _check_signers(files: Folder, note: Note, checkpoint: Checkpoint, log: Log) -> None:
    """Both roots are signed by the keys that the log names last: an old one may have been given up because it was stolen."""
    keys, size = log.keys, checkpoint.size
    if keys is None:
        raise Tampered("key leaf", "is missing: the log names no keys")
    if not _is_signed(note, _key(keys.origin, SHA256_TYPE, keys.sha256)):
        why = "is not signed by the SHA-256 key that the log names last"
        raise Tampered("checkpoint", why)
    blake3_note = _note(files, _BLAKE3_CHECKPOINT)
    key = _key(f"{keys.origin}/b3", BLAKE3_TYPE, keys.blake3)
    is_signed = _is_signed(blake3_note, key)
    with in_part(_BLAKE3_CHECKPOINT):
        found = parse_checkpoint(blake3_note.text)
    if not is_signed or found.origin != key.name:
        why = "is not signed by the BLAKE3 key that the log names last"
        raise Tampered(_BLAKE3_CHECKPOINT, why)
    if (found.size, found.root) != (size, log.blake3_root):
        why = f"states another root than that of the {size} leaves"
        raise Tampered(_BLAKE3_CHECKPOINT, why)


def _key(key_name: str, kind: bytes, point: bytes) -> Key:
    key_id = hashlib.sha256(key_name.encode() + b"\n" + kind + point).digest()[:4]
    return Key(key_name, key_id, kind, point)


def _is_signed(note: Note, key: Key) -> bool:
    try:
        return bool(signers(note, [key]))
    except BadSignature:
        return False


def _describe(
    export: Range,
    checkpoint: Checkpoint,
    pinned: Checkpoint | None,
    cosigned: Checkpoint | None,
    log: Log,
    rows: Rows,
    report: Report,
) -> None:
    (first, end), size, origin = export, checkpoint.size, name(checkpoint.origin)
    report.subject = f"commits {first} to {end - 1} of {origin}, {rows.count} rows"
    report.facts.append(("commits", f"{first} to {end - 1}"))
    report.facts.append(("rows", str(rows.count)))
    if pinned is not None:
        report.facts.append(("pinned size", str(pinned.size)))
        report.checked.append(
            f"the first {pinned.size} leaves are those of the pinned checkpoint"
        )
    if cosigned is not None:
        report.checked.append(
            f"the first {cosigned.size} leaves are those of the cosigned checkpoint"
        )
    report.checked += [
        f"{size} leaves give every tile and the roots of both trees",
        f"signature of {origin}/b3 over the BLAKE3 root, with the key that the log names",
        f"{log.key_leaves} key leaves are signed by the keys they name and replace",
        f"{log.stated} leaves state the roots of both trees at an earlier size",
        f"{rows.count} rows under the row roots of {rows.commits} commits, recomputed from the fields shown",
        f"the catalog, folded from its rows, under {rows.commits} schema roots",
        "values are canonical for their types",
    ]
    report.not_covered += rows.unshown.not_covered()
    if first > 0:
        report.not_covered.append(f"rows of commits 0 to {first - 1}")
    if end < size:
        report.not_covered.append(f"rows of commits {end} to {size - 1}")
    if not rows.has_compared_objects:
        report.not_covered.append("the objects: no commit is in the range or before it")
    if log.lost:
        report.not_covered.append(
            f"leaves that {log.lost} incarnation leaves say were lost"
        )
    if cosigned is not None and cosigned.size < size:
        report.not_covered.append(
            f"that witnesses have seen the leaves from {cosigned.size} on"
        )
    if pinned is None:
        report.not_covered.append(
            "that the log extends a checkpoint you pinned before: give it with --checkpoint"
        )
    report.not_covered.append(f"what was committed after the {size} leaves")
