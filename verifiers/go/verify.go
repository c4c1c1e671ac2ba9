package verify

import "fmt"

// Receipt decides what a receipt (the bytes of its file, a tlog-proof or COSE) shows under a policy: docs/formats/receipt.md and cose.md. It is valid only if a pinned key signed
// the checkpoint, the leaf is in it at the index, the leaf belongs to that ledger and place, the row as shown hashes into the leaf, and its names
// and types come from the definition under the schema root.
func Receipt(data []byte, policy *Policy) Verdict {
	report := new(report)
	if IsCOSE(data) {
		return report.conclude(checkCOSE(data, policy, report))
	}
	return report.conclude(checkReceipt(data, policy, report))
}

// Consistency decides whether the log of the checkpoint in proof extends pinned, a signed checkpoint kept from before. Either tree.
func Consistency(pinned, proof []byte, policy *Policy) Verdict {
	report := new(report)
	return report.conclude(checkConsistency(pinned, proof, policy, report))
}

func checkReceipt(data []byte, policy *Policy, report *report) *Failure {
	receipt, failure := parseReceipt(data)
	if failure != nil {
		return failure
	}
	checkpoint, failure := openCheckpoint(receipt.checkpoint, policy, report)
	if failure != nil {
		return failure
	}
	ledger, failure := checkpoint.ledger()
	if failure != nil {
		return failure
	}
	leaf, failure := checkpoint.leafAt(receipt.index, receipt.leaf, receipt.path, ledger, report)
	if failure != nil {
		return failure
	}
	return receipt.checkShown(leaf, checkpoint.origin, report)
}

// checkShown sees to the row, if one is shown, of a leaf that stands in the log.
func (p *receipt) checkShown(leaf *leaf, origin string, report *report) *Failure {
	report.subject = fmt.Sprintf("%s %d of %s", leaf.kind, leaf.seq, plainName(origin))
	leaf.describe(report)
	if p.row != nil {
		if leaf.kind != "commit" {
			return malformed("receipt", "shows a row of a %s leaf", leaf.kind)
		}
		if failure := p.row.check(p.definition, leaf, report); failure != nil {
			return failure
		}
	}
	report.leaveOut(extendsPinned)
	return nil
}

const extendsPinned = "that the log extends a checkpoint you pinned before: verify consistency"

func (c *checkpoint) ledger() ([16]byte, *Failure) {
	ledger, ok := ledgerOf(c.origin)
	if !ok {
		return ledger, malformed("checkpoint", "of a receipt has an origin that is no ledger's SHA-256 tree")
	}
	return ledger, nil
}

// leafAt is the leaf, once it is known to stand in the signed log, in this ledger and at this place.
func (c *checkpoint) leafAt(index uint64, data []byte, path []hash, ledger [16]byte, report *report) (*leaf, *Failure) {
	if index >= c.size {
		return nil, tampered("index", "%d is not below the checkpoint's size %d", index, c.size)
	}
	root, ok := rootOfPath(sha256Node, sha256Leaf(data), index, c.size, path)
	if !ok || root != c.root {
		return nil, tampered("path to the root", "does not lead from the leaf at %d to the signed root", index)
	}
	report.check("leaf at index %d of %d (SHA-256 tree)", index, c.size)
	leaf, failure := parseLeaf(data)
	if failure != nil {
		return nil, failure
	}
	if leaf.ledger != ledger {
		return nil, tampered("leaf", "belongs to another ledger than the checkpoint")
	}
	if leaf.seq != index {
		return nil, tampered("leaf", "says it is at %d, but is at %d", leaf.seq, index)
	}
	report.check("ledger id and position in the leaf")
	return leaf, nil
}

func (l *leaf) describe(report *report) {
	report.fact("leaf", "%s at %d", l.kind, l.seq)
	report.fact("time, by the server's clock", "%s", formatTimestamp(l.timeMicros, "+00"))
	if l.kind != "commit" {
		return
	}
	actor := "(none)"
	if l.actor != "" {
		actor = plainName(l.actor)
	}
	report.fact("actor", "%s", actor)
	report.fact("rows in the commit", "%d", l.rows)
}

func checkConsistency(pinned, data []byte, policy *Policy, report *report) *Failure {
	old, failure := openPinned(pinned, policy)
	if failure != nil {
		return failure
	}
	proof, failure := parseProof(data)
	if failure != nil {
		return failure
	}
	next, failure := openCheckpoint(proof.checkpoint, policy, report)
	if failure != nil {
		return failure
	}
	report.check("signature over the pinned checkpoint")
	if old.origin != next.origin {
		return tampered("new checkpoint", "is of %s, not of %s", plainName(next.origin), plainName(old.origin))
	}
	if next.size < old.size {
		return tampered("new checkpoint", "has %d leaves, the pinned one %d: the log was cut", next.size, old.size)
	}
	if proof.oldSize != old.size {
		return malformed("consistency proof", "starts at size %d, the pinned checkpoint is at %d", proof.oldSize, old.size)
	}
	tree := &sha256Tree
	if next.isBLAKE3() {
		tree = &blake3Tree
	}
	if !tree.extends(old, next, proof.path) {
		const why = "the log at size %d does not extend the pinned log at size %d: history was rewritten"
		return tampered("consistency", why, next.size, old.size)
	}
	report.check("the first %d leaves are the same in both (%s tree)", old.size, tree.name)
	report.fact("pinned size", "%d", old.size)
	report.subject = fmt.Sprintf("%s at size %d extends the pinned checkpoint at size %d", plainName(next.origin), next.size, old.size)
	report.leaveOut("what the leaves say")
	return nil
}
