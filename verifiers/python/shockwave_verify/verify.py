"""The checks of a receipt and of a consistency proof, in their order; the first failure ends it.

Y1: a receipt is valid only if a pinned key signed the checkpoint, the leaf is in it at the index, the leaf belongs to that ledger
    and place, the row as shown hashes into the leaf, and its names and types come from the definition under the schema root.
Never: takes a key from what it verifies; says VALID with a check not made.
Format: docs/formats/receipt.md, docs/formats/checkpoint.md.
"""

from collections.abc import Callable

from shockwave_verify import times
from shockwave_verify.checkpoint import Checkpoint, open_checkpoint
from shockwave_verify.hashing import BLAKE3, SHA256
from shockwave_verify.leaf import Leaf, parse_leaf
from shockwave_verify.note import parse_note
from shockwave_verify.policy import Policy, parse_policy
from shockwave_verify.quote import name
from shockwave_verify.reading import utf8
from shockwave_verify.receipt import Receipt, parse_proof, parse_receipt
from shockwave_verify.row import check_row
from shockwave_verify.tree import extends, root_of_path
from shockwave_verify.verdict import (
    Failure,
    Malformed,
    Report,
    Tampered,
    Verdict,
    failed,
    valid,
)


def verify_receipt(receipt: bytes, policy: bytes | Policy) -> Verdict:
    """Verifies the bytes of a receipt under a policy, or the bytes of its file."""

    def check(report: Report) -> None:
        pinned = policy if isinstance(policy, Policy) else parse_policy(policy)
        _check_receipt(parse_receipt(receipt), pinned, report)

    return _concluded(check)


def verify_consistency(pinned: bytes, proof: bytes, policy: bytes | Policy) -> Verdict:
    """Verifies that the log of the checkpoint in `proof` extends that of `pinned`, kept from before. Either tree."""

    def check(report: Report) -> None:
        keys = policy if isinstance(policy, Policy) else parse_policy(policy)
        _check_consistency(pinned, proof, keys, report)

    return _concluded(check)


def _concluded(check: Callable[[Report], None]) -> Verdict:
    report = Report()
    try:
        check(report)
    except Failure as failure:
        return failed(failure, report.checked)
    return valid(report)


def _check_receipt(receipt: Receipt, policy: Policy, report: Report) -> None:
    checkpoint = open_checkpoint(receipt.checkpoint, policy, report)
    leaf = _leaf_in_log(receipt, checkpoint, report)
    origin = name(checkpoint.origin)
    report.facts.append(("leaf", f"{leaf.kind} at {leaf.seq}"))
    time = times.timestamp(leaf.time_us, "+00")
    report.facts.append(("time, by the server's clock", time))
    report.subject = f"{leaf.kind} {leaf.seq} of {origin}"
    if leaf.kind == "commit":
        report.facts.append(("actor", name(leaf.actor) if leaf.actor else "(none)"))
        report.facts.append(("rows in the commit", str(leaf.rows)))
        if receipt.row is not None:
            check_row(receipt.row, leaf, report)
    elif receipt.row is not None:
        raise Malformed("receipt", f"shows a row of a {leaf.kind} leaf")
    report.not_covered.append(
        "that the log extends a checkpoint you pinned before: verify consistency"
    )


def _leaf_in_log(receipt: Receipt, checkpoint: Checkpoint, report: Report) -> Leaf:
    """The leaf, once it is known to stand in the signed log, in this ledger and at this place."""
    index, size = receipt.index, checkpoint.size
    if checkpoint.ledger is None:
        why = "of a receipt has an origin that is no ledger's SHA-256 tree"
        raise Malformed("checkpoint", why)
    if index >= size:
        raise Tampered("index", f"{index} is not below the checkpoint's size {size}")
    leaf_hash = SHA256.leaf(receipt.leaf)
    root = root_of_path(SHA256.node, leaf_hash, index, size, receipt.path)
    if root != checkpoint.root:
        why = f"does not lead from the leaf at {index} to the signed root"
        raise Tampered("path to the root", why)
    report.checked.append(f"leaf at index {index} of {size} (SHA-256 tree)")
    leaf = parse_leaf(receipt.leaf)
    if leaf.ledger != checkpoint.ledger:
        raise Tampered("leaf", "belongs to another ledger than the checkpoint")
    if leaf.seq != index:
        raise Tampered("leaf", f"says it is at {leaf.seq}, but is at {index}")
    report.checked.append("ledger id and position in the leaf")
    return leaf


def _open_pinned(pinned: bytes, policy: Policy) -> Checkpoint:
    try:
        return open_checkpoint(parse_note(utf8(pinned, "note")), policy, Report())
    except Failure as failure:
        raise type(failure)(f"pinned checkpoint: {failure.what}", failure.why) from None


def _check_consistency(
    pinned: bytes, data: bytes, policy: Policy, report: Report
) -> None:
    old = _open_pinned(pinned, policy)
    proof = parse_proof(data)
    new = open_checkpoint(proof.checkpoint, policy, report)
    report.checked.append("signature over the pinned checkpoint")
    if old.origin != new.origin:
        why = f"is of {name(new.origin)}, not of {name(old.origin)}"
        raise Tampered("new checkpoint", why)
    if new.size < old.size:
        why = f"has {new.size} leaves, the pinned one {old.size}: the log was cut"
        raise Tampered("new checkpoint", why)
    if proof.old_size != old.size:
        why = f"starts at size {proof.old_size}, the pinned checkpoint is at {old.size}"
        raise Malformed("consistency proof", why)
    tree = BLAKE3 if new.is_blake3 else SHA256
    if not extends(tree, old.size, old.root, new.size, new.root, proof.path):
        why = f"the log at size {new.size} does not extend the pinned log at size {old.size}: history was rewritten"
        raise Tampered("consistency", why)
    report.checked.append(
        f"the first {old.size} leaves are the same in both ({tree.name} tree)"
    )
    report.facts.append(("pinned size", str(old.size)))
    report.subject = f"{name(new.origin)} at size {new.size} extends the pinned checkpoint at size {old.size}"
    report.not_covered.append("what the leaves say")
