"""The checks of a receipt, a disclosure and a consistency proof, in their order; the first failure ends it.

Y1: a receipt is valid only if a pinned key signed the checkpoint, the leaf is in it at the index, the leaf belongs to that ledger
    and place, the row as shown hashes into the leaf, and its names and types come from the definition under the schema root.
Never: takes a key from what it verifies; says VALID with a check not made.
Format: docs/formats/receipt.md, docs/formats/cose.md, docs/formats/disclosure.md, docs/formats/sd-jwt.md, docs/formats/checkpoint.md.
"""

from collections.abc import Callable

from shockwave_verify import ed25519, times
from shockwave_verify.checkpoint import (
    Checkpoint,
    lacks_quorum,
    ledger_of,
    open_checkpoint,
    open_pinned,
)
from shockwave_verify.cose import CoseReceipt, is_cose, parse_cose, signed_bytes
from shockwave_verify.disclosure import Disclosure, Table, parse_disclosure
from shockwave_verify.export import Folder
from shockwave_verify.fsck import check_export
from shockwave_verify.hashing import BLAKE3, SHA256
from shockwave_verify.leaf import Leaf, parse_leaf
from shockwave_verify.note import SHA256_TYPE, Key
from shockwave_verify.policy import Policy, parse_policy
from shockwave_verify.quote import name
from shockwave_verify.receipt import (
    Receipt,
    Row,
    Under,
    Unshown,
    parse_proof,
    parse_receipt,
)
from shockwave_verify.row import check_row, check_row_of, locate, table_under
from shockwave_verify.sd_jwt import (
    SdJwt,
    check_signature,
    is_sd_jwt,
    open_fields,
    parse_sd_jwt,
)
from shockwave_verify.tree import extends, root_of_path
from shockwave_verify.verdict import (
    Failure,
    Inconclusive,
    Malformed,
    Report,
    Tampered,
    Verdict,
    failed,
    in_part,
    valid,
)

EXTENDS = "that the log extends a checkpoint you pinned before: verify consistency"


def verify_receipt(receipt: bytes, policy: bytes | Policy) -> Verdict:
    """Verifies the bytes of a receipt, a tlog-proof or COSE, under a policy or the bytes of its file."""

    def check(report: Report) -> None:
        pinned = policy if isinstance(policy, Policy) else parse_policy(policy)
        if is_cose(receipt):
            _check_cose(parse_cose(receipt), pinned, report)
        else:
            _check_receipt(parse_receipt(receipt), pinned, report)

    return _concluded(check)


def verify_consistency(pinned: bytes, proof: bytes, policy: bytes | Policy) -> Verdict:
    """Verifies that the log of the checkpoint in `proof` extends that of `pinned`, kept from before. Either tree."""

    def check(report: Report) -> None:
        keys = policy if isinstance(policy, Policy) else parse_policy(policy)
        _check_consistency(pinned, proof, keys, report)

    return _concluded(check)


def verify_disclosure(disclosure: bytes, policy: bytes | Policy) -> Verdict:
    """Verifies the bytes of a disclosure, text or SD-JWT: named fields of rows, under one checkpoint."""

    def check(report: Report) -> None:
        pinned = policy if isinstance(policy, Policy) else parse_policy(policy)
        if is_sd_jwt(disclosure):
            _check_sd_jwt(parse_sd_jwt(disclosure), pinned, report)
        else:
            _check_disclosure(parse_disclosure(disclosure), pinned, report)

    return _concluded(check)


def verify_export(
    folder: str, policy: bytes | Policy, pinned: bytes | None = None
) -> Verdict:
    """Verifies an export; `pinned` is a signed checkpoint kept from before, which its log must extend."""

    def check(report: Report) -> None:
        keys = policy if isinstance(policy, Policy) else parse_policy(policy)
        check_export(Folder(folder), pinned, keys, report)

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
    ledger = _ledger(checkpoint)
    index = receipt.index
    leaf = _leaf_in_log(receipt.leaf, index, receipt.path, checkpoint, ledger, report)
    _check_shown(leaf, receipt.row, receipt.under, checkpoint.origin, report)


def _check_shown(
    leaf: Leaf, row: Row | None, under: Under | None, origin: str, report: Report
) -> None:
    """The row, if one is shown, of a leaf that stands in the log."""
    report.subject = f"{leaf.kind} {leaf.seq} of {name(origin)}"
    _describe(leaf, report)
    if row is not None:
        if leaf.kind != "commit":
            raise Malformed("receipt", f"shows a row of a {leaf.kind} leaf")
        check_row(row, under, leaf, report)
    report.not_covered.append(EXTENDS)


def _check_cose(receipt: CoseReceipt, policy: Policy, report: Report) -> None:
    leaf = parse_leaf(receipt.leaf)
    key = _signer(receipt, leaf, policy)
    origin, index, size = name(key.name), receipt.index, receipt.size
    signed = f"signature of {origin} over the root, with a pinned key (strict Ed25519)"
    report.checked.append(signed)
    if policy.quorum is not None:
        raise lacks_quorum(policy, "a COSE receipt bears none")
    report.checked.append(f"leaf at index {index} of {size} (SHA-256 tree)")
    report.facts += [("ledger", origin), ("tree size, as stated", str(size))]
    report.not_covered += [
        "cosignatures: the policy asks for none",
        "the size of the tree: the signature is over its root alone",
    ]
    if leaf.seq != index:
        raise Tampered("leaf", f"says it is at {leaf.seq}, but is at {index}")
    report.checked.append("ledger id and position in the leaf")
    _check_shown(leaf, receipt.row, receipt.under, key.name, report)


def _signer(receipt: CoseReceipt, leaf: Leaf, policy: Policy) -> Key:
    """The key that signed the root, of those pinned for the ledger that the leaf names."""
    index, size = receipt.index, receipt.size
    if index >= size:
        raise Tampered("index", f"{index} is not below the tree's size {size}")
    leaf_hash = SHA256.leaf(receipt.leaf)
    root = root_of_path(SHA256.node, leaf_hash, index, size, receipt.path)
    if root is None:
        why = f"is none from the leaf at {index} in a tree of {size}"
        raise Tampered("path to the root", why)
    keys = [
        key
        for key in policy.logs
        if key.type == SHA256_TYPE and ledger_of(key.name) == leaf.ledger
    ]
    if not keys:
        why = f"the policy pins no key for the ledger {leaf.ledger.hex()}"
        raise Inconclusive("authenticity", why)
    message = signed_bytes(root)
    for key in keys:
        if ed25519.verify(key.point, message, receipt.signature):
            return key
    why = (
        "by a pinned key of the ledger is not over the root that leaf and path lead to"
    )
    raise Tampered("signature", why)


def _ledger(checkpoint: Checkpoint) -> bytes:
    if checkpoint.ledger is None:
        why = "of a receipt has an origin that is no ledger's SHA-256 tree"
        raise Malformed("checkpoint", why)
    return checkpoint.ledger


def _leaf_in_log(
    data: bytes,
    index: int,
    path: list[bytes],
    checkpoint: Checkpoint,
    ledger: bytes,
    report: Report,
) -> Leaf:
    """The leaf, once it is known to stand in the signed log, in this ledger and at this place."""
    size = checkpoint.size
    if index >= size:
        raise Tampered("index", f"{index} is not below the checkpoint's size {size}")
    root = root_of_path(SHA256.node, SHA256.leaf(data), index, size, path)
    if root != checkpoint.root:
        why = f"does not lead from the leaf at {index} to the signed root"
        raise Tampered("path to the root", why)
    report.checked.append(f"leaf at index {index} of {size} (SHA-256 tree)")
    leaf = parse_leaf(data)
    if leaf.ledger != ledger:
        raise Tampered("leaf", "belongs to another ledger than the checkpoint")
    if leaf.seq != index:
        raise Tampered("leaf", f"says it is at {leaf.seq}, but is at {index}")
    report.checked.append("ledger id and position in the leaf")
    return leaf


def _describe(leaf: Leaf, report: Report) -> None:
    report.facts.append(("leaf", f"{leaf.kind} at {leaf.seq}"))
    time = times.timestamp(leaf.time_us, "+00")
    report.facts.append(("time, by the server's clock", time))
    if leaf.kind == "commit":
        report.facts.append(("actor", name(leaf.actor) if leaf.actor else "(none)"))
        report.facts.append(("rows in the commit", str(leaf.rows)))


def _check_disclosure(disclosure: Disclosure, policy: Policy, report: Report) -> None:
    checkpoint = open_checkpoint(disclosure.checkpoint, policy, report)
    _check_commits(disclosure, checkpoint, report)


def _check_sd_jwt(token: SdJwt, policy: Policy, report: Report) -> None:
    check_signature(token, policy)
    issuer = name(token.issuer)
    report.checked.append(
        f"signature of {issuer} over the SD-JWT, with a pinned key (strict Ed25519)"
    )
    checkpoint = open_checkpoint(token.disclosure.checkpoint, policy, report)
    if checkpoint.origin != token.issuer:
        origin = name(checkpoint.origin)
        why = f"{issuer} is not the ledger of the checkpoint, {origin}"
        raise Tampered("issuer", why)
    open_fields(token)
    report.checked.append(
        f"{len(token.openings)} SD-JWT disclosures, each with its digest in the payload and the commitment of its field"
    )
    _check_commits(token.disclosure, checkpoint, report)


def _check_commits(
    disclosure: Disclosure, checkpoint: Checkpoint, report: Report
) -> None:
    """All that stands under a checkpoint that was opened."""
    ledger = _ledger(checkpoint)
    tables, unshown = 0, Unshown()
    for commit in disclosure.commits:
        with in_part(f"commit {commit.index}"):
            leaf = _leaf_in_log(
                commit.leaf, commit.index, commit.path, checkpoint, ledger, Report()
            )
            if leaf.kind != "commit":
                raise Malformed("disclosure", f"shows a row of a {leaf.kind} leaf")
        for table in commit.tables:
            unshown = unshown.plus(_check_table(table, leaf, report))
        tables += len(commit.tables)
    rows, commits = len(report.disclosed), len(disclosure.commits)
    report.checked += [
        f"{commits} leaves in the log of {checkpoint.size} (SHA-256 tree), with ledger id and position",
        f"{tables} table definitions under the schema roots of their commits",
        f"{rows} rows under the row roots of their commits, recomputed from the fields shown",
        "values are canonical for their types",
    ]
    report.facts += [("commits", str(commits)), ("rows", str(rows))]
    report.subject = f"{rows} rows of {commits} commits of {name(checkpoint.origin)}"
    report.not_covered += unshown.not_covered()
    report.not_covered.append("whether a later commit updated or deleted these rows")
    report.not_covered.append(EXTENDS)


def _check_table(table: Table, leaf: Leaf, report: Report) -> Unshown:
    """Checks rows of one table in one commit; how many of their fields are not shown. The definition is read once."""
    definition, unshown = None, Unshown()
    for row in table.rows:
        with in_part(f"commit {leaf.seq}, row {row.index}"):
            span, place = locate(row, leaf)
            if definition is None:
                definition = table_under(table.under, span, leaf)
            of_row = Report(subject=f"commit {leaf.seq}")
            _describe(leaf, of_row)
            check_row_of(row, definition, span, place, leaf, of_row)
        report.disclosed.append(of_row)
        unshown = unshown.plus(row.unshown)
    return unshown


def _check_consistency(
    pinned: bytes, data: bytes, policy: Policy, report: Report
) -> None:
    old = open_pinned(pinned, policy)
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
