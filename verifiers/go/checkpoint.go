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

// openCheckpoint believes a note once the pinned key of its origin has signed it.
func openCheckpoint(n *note, policy *Policy, report *report) (checkpoint, *Failure) {
	signers, bad := n.signers(policy.logs)
	if bad != nil {
		return checkpoint{}, tampered("signature", "of pinned key %s does not verify over the checkpoint", plainName(bad.name))
	}
	parsed, failure := parseCheckpoint(n.text)
	if failure != nil {
		return parsed, failure
	}
	origin := plainName(parsed.origin)
	if len(signers) == 0 {
		return parsed, unsigned(&parsed, policy)
	}
	kind := sha256Key
	if parsed.isBLAKE3() {
		kind = blake3Key
	}
	if !slices.ContainsFunc(signers, func(key *Key) bool { return key.name == parsed.origin && key.kind == kind }) {
		return parsed, tampered("signature", "of the checkpoint is not by the key of its origin %s and its kind of tree", origin)
	}
	if failure := policy.checkQuorum(); failure != nil {
		return parsed, failure
	}
	report.check("signature of %s over the checkpoint, with a pinned key (strict Ed25519)", origin)
	report.fact("ledger", "%s", origin)
	report.fact("checkpoint size", "%d", parsed.size)
	report.leaveOut("cosignatures: the policy asks for none")
	return parsed, nil
}

// checkQuorum says that cosignatures are not checked yet.
func (p *Policy) checkQuorum() *Failure {
	if p.quorum == "" {
		return nil
	}
	const why = "the policy asks for cosignatures by %s, which this verifier does not check yet"
	failure := malformed("witnesses", why, plainName(p.quorum))
	failure.Code = Inconclusive
	return failure
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
