package verify

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
)

// The parts of a COSE receipt that do not change (docs/formats/cose.md): there is one spelling, that of deterministic CBOR.
const (
	// {1: EdDSA, 395: RFC 9162 with SHA-256}
	coseProtected = "\xa2\x01\x27\x19\x01\x8b\x01"
	// Tag 18, an array of four, the protected header, a map of two that begins with one inclusion proof.
	coseBeforeProof = "\xd2\x84\x47" + coseProtected + "\xa2\x19\x01\x8c\xa1\x20\x81"
	coseBeforeExtra = "\x3a\x00\x01\x11\x6f"
	// No payload, and a signature of 64 bytes.
	coseBeforeSignature = "\xf6\x58\x40"
	// The Sig_structure of RFC 9052 before the root: no external data.
	coseBeforeRoot = "\x84\x6aSignature1\x47" + coseProtected + "\x40\x58\x20"

	cborUnsigned, cborBytes, cborArray = 0, 2, 4
)

// coseReceipt is a receipt as COSE (RFC 9942), taken apart and not yet believed. The root is not in it: it is computed from leaf and path, and the
// signature is over that.
type coseReceipt struct {
	size uint64
	receipt
	signature []byte
}

// IsCOSE says whether bytes are meant as a COSE receipt.
func IsCOSE(data []byte) bool { return len(data) > 0 && data[0] == coseBeforeProof[0] }

func parseCOSE(data []byte) (*coseReceipt, *Failure) {
	r := &reader{what: "COSE receipt", rest: data}
	if len(data) > receiptBytesMax {
		r.fail("is longer than 16 MiB")
	}
	if string(r.take(len(coseBeforeProof))) != coseBeforeProof {
		r.fail("does not begin with EdDSA, the tree of RFC 9162 and one inclusion proof")
	}
	proof := r.cborByteString()
	if string(r.take(len(coseBeforeExtra))) != coseBeforeExtra {
		r.fail("does not go on with label -70000")
	}
	extra := r.cborByteString()
	if string(r.take(len(coseBeforeSignature))) != coseBeforeSignature {
		r.fail("does not end without payload and with a signature of 64 bytes")
	}
	parsed := &coseReceipt{signature: r.take(64)}
	r.end()
	if r.failure != nil {
		return nil, r.failure
	}
	if failure := parsed.readProof(proof); failure != nil {
		return nil, failure
	}
	return parsed, parsed.parseExtra(extra)
}

func (c *coseReceipt) readProof(data []byte) *Failure {
	r := &reader{what: "COSE inclusion proof", rest: data}
	if r.u8() != 0x83 {
		r.fail("is not of size, index and path")
	}
	c.size, c.index = r.cborHead(cborUnsigned), r.cborHead(cborUnsigned)
	count := r.cborHead(cborArray)
	if count > pathMax {
		r.fail("a path of %d hashes, at most %d", count, pathMax)
	}
	for range count {
		found := r.cborByteString()
		if len(found) != 32 {
			r.fail("has a hash of %d bytes", len(found))
		}
		if r.failure != nil {
			return r.failure
		}
		c.path = append(c.path, hash(found))
	}
	r.end()
	return r.failure
}

func (r *reader) cborByteString() []byte {
	length := r.cborHead(cborBytes)
	if length > receiptBytesMax {
		r.fail("has a byte string of more than 16 MiB")
		return nil
	}
	return r.take(int(length))
}

// cborHead is the number in the head of an item of this major type, in its shortest form.
func (r *reader) cborHead(major uint8) (number uint64) {
	first := r.u8()
	short := first & 0x1f
	least := uint64(0)
	switch {
	case short < 24:
		number = uint64(short)
	case short <= 27:
		width := 1 << (short - 24)
		var bytes [8]byte
		copy(bytes[8-width:], r.take(width))
		number = binary.BigEndian.Uint64(bytes[:])
		if least = 24; width > 1 {
			least = 1 << (4 * width)
		}
	}
	if first>>5 != major || short > 27 || number < least {
		r.fail("has no item of type %d in its shortest form", major)
	}
	return number
}

func checkCOSE(data []byte, policy *Policy, report *report) *Failure {
	receipt, failure := parseCOSE(data)
	if failure != nil {
		return failure
	}
	leaf, failure := parseLeaf(receipt.leaf)
	if failure != nil {
		return failure
	}
	key, failure := receipt.signer(leaf, policy)
	if failure != nil {
		return failure
	}
	origin := plainName(key.name)
	report.check("signature of %s over the root, with a pinned key (strict Ed25519)", origin)
	if policy.quorum != "" {
		return policy.lacksQuorum("a COSE receipt bears none")
	}
	report.fact("ledger", "%s", origin)
	report.fact("tree size, as stated", "%d", receipt.size)
	report.leaveOut("cosignatures: the policy asks for none")
	report.leaveOut("the size of the tree: the signature is over its root alone")
	report.check("leaf at index %d of %d (SHA-256 tree)", receipt.index, receipt.size)
	if leaf.seq != receipt.index {
		return tampered("leaf", "says it is at %d, but is at %d", leaf.seq, receipt.index)
	}
	report.check("ledger id and position in the leaf")
	return receipt.checkShown(leaf, key.name, report)
}

// signer is the key that signed the root, of those pinned for the ledger that the leaf names.
func (c *coseReceipt) signer(leaf *leaf, policy *Policy) (*Key, *Failure) {
	if c.index >= c.size {
		return nil, tampered("index", "%d is not below the tree's size %d", c.index, c.size)
	}
	root, ok := rootOfPath(sha256Node, sha256Leaf(c.leaf), c.index, c.size, c.path)
	if !ok {
		return nil, tampered("path to the root", "is none from the leaf at %d in a tree of %d", c.index, c.size)
	}
	message := fmt.Appendf(nil, "%s%s", coseBeforeRoot, root[:])
	isPinned := false
	for _, key := range policy.logs {
		if ledger, ok := ledgerOf(key.name); !ok || ledger != leaf.ledger || key.kind != sha256Key {
			continue
		}
		if isPinned = true; verifyStrictly(&key.public, message, c.signature) {
			return key, nil
		}
	}
	if !isPinned {
		failure := malformed("authenticity", "the policy pins no key for the ledger %s", hex.EncodeToString(leaf.ledger[:]))
		failure.Code = Inconclusive
		return nil, failure
	}
	return nil, tampered("signature", "by a pinned key of the ledger is not over the root that leaf and path lead to")
}
