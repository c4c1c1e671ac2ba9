package verify

import (
	"encoding/hex"
	"slices"
	"strings"
)

// checkpoint says that a log has so many leaves and this root.
type checkpoint struct {
	origin string
	size   uint64
	root   hash
}

func (c *checkpoint) isBLAKE3() bool { return strings.HasSuffix(c.origin, "/b3") }

// ledgerOf is the ledger id at the end of the origin of a SHA-256 tree.
func ledgerOf(origin string) (ledger [16]byte, ok bool) {
	slash := strings.LastIndexByte(origin, '/')
	id := origin[slash+1:]
	if slash < 1 || len(id) != 32 || strings.ToLower(id) != id {
		return ledger, false
	}
	_, err := hex.Decode(ledger[:], []byte(id))
	return ledger, err == nil
}

func parseCheckpoint(text string) (checkpoint, *Failure) {
	const what = "checkpoint"
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) != 3 {
		return checkpoint{}, malformed(what, "has not exactly three lines")
	}
	if checkKeyName(lines[0]) != nil {
		return checkpoint{}, malformed(what, "has an origin that is no key name")
	}
	size, ok := decimal(lines[1])
	if !ok {
		return checkpoint{}, malformed(what, "has a size that is no canonical decimal")
	}
	root, failure := hashLine("checkpoint root", lines[2])
	return checkpoint{lines[0], size, root}, failure
}

// openCheckpoint believes a note once the pinned key of its origin has signed it, and the quorum of witnesses has cosigned it.
func openCheckpoint(n *note, policy *Policy, report *report) (checkpoint, *Failure) {
	parsed, failure := signedCheckpoint(n, policy)
	if failure != nil {
		return parsed, failure
	}
	parsed.reportSigned(report)
	return parsed, policy.reportWitnesses(n, report)
}

// openQuietly believes a note once the pinned key of its origin has signed it, and sees that its lines of pinned witnesses verify; no quorum is asked.
func openQuietly(n *note, policy *Policy) (checkpoint, *Failure) {
	parsed, failure := signedCheckpoint(n, policy)
	if failure == nil {
		_, failure = policy.checkWitnesses(n)
	}
	return parsed, failure
}

func (c *checkpoint) reportSigned(report *report) {
	origin := plainName(c.origin)
	report.check("signature of %s over the checkpoint, with a pinned key (strict Ed25519)", origin)
	report.fact("ledger", "%s", origin)
	report.fact("checkpoint size", "%d", c.size)
}

// reportWitnesses sees to the cosignatures of a note whose checkpoint is signed, and to the quorum.
func (p *Policy) reportWitnesses(n *note, report *report) *Failure {
	times, failure := p.checkWitnesses(n)
	if failure != nil {
		return failure
	}
	return p.reportCosigned(n, times, report)
}

// openPinned believes a checkpoint that was kept from before; no quorum is asked of it.
func openPinned(pinned []byte, policy *Policy) (checkpoint, *Failure) {
	text, failure := validText("note", pinned)
	if failure == nil {
		var n *note
		if n, failure = parseNote(text); failure == nil {
			var opened checkpoint
			if opened, failure = openQuietly(n, policy); failure == nil {
				return opened, nil
			}
		}
	}
	return checkpoint{}, failure.in("pinned checkpoint")
}

// signedCheckpoint is the checkpoint of a note that the pinned key of its origin and kind of tree has signed.
func signedCheckpoint(n *note, policy *Policy) (checkpoint, *Failure) {
	signers, bad := n.signers(policy.logs)
	if bad != nil {
		return checkpoint{}, tampered("signature", "of pinned key %s does not verify over the checkpoint", plainName(bad.name))
	}
	parsed, failure := parseCheckpoint(n.text)
	if failure != nil {
		return parsed, failure
	}
	if len(signers) == 0 {
		return parsed, unsigned(&parsed, policy)
	}
	kind := sha256Key
	if parsed.isBLAKE3() {
		kind = blake3Key
	}
	if !slices.ContainsFunc(signers, func(key *Key) bool { return key.name == parsed.origin && key.kind == kind }) {
		origin := plainName(parsed.origin)
		return parsed, tampered("signature", "of the checkpoint is not by the key of its origin %s and its kind of tree", origin)
	}
	return parsed, nil
}

func unsigned(c *checkpoint, policy *Policy) *Failure {
	origin := plainName(c.origin)
	if slices.ContainsFunc(policy.logs, func(key *Key) bool { return key.name == c.origin }) {
		return tampered("signature", "by the pinned key of %s is not on the checkpoint", origin)
	}
	failure := malformed("authenticity", "the policy pins no key for %s, nor for any name that signed", origin)
	failure.Code = Inconclusive
	return failure
}
