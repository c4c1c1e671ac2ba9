package verify

import (
	"crypto/sha256"

	"lukechampine.com/blake3"
)

type hash = [32]byte

// purpose is what a keyed BLAKE3 hash is for; no two purposes share a key.
type purpose struct{ key hash }

func purposeOf(name string) *purpose {
	p := new(purpose)
	blake3.DeriveKey(p.key[:], "shockwave 2026 "+name+" v1", nil)
	return p
}

var (
	fieldPurpose      = purposeOf("field")
	rowPurpose        = purposeOf("row")
	rowNodePurpose    = purposeOf("row-node")
	leafPurpose       = purposeOf("leaf")
	nodePurpose       = purposeOf("node")
	schemaPurpose     = purposeOf("schema")
	schemaNodePurpose = purposeOf("schema-node")
)

// hash is keyed BLAKE3 of the parts, joined.
func (p *purpose) hash(parts ...[]byte) (sum hash) {
	h := blake3.New(len(sum), p.key[:])
	for _, part := range parts {
		h.Write(part) // never fails
	}
	h.Sum(sum[:0])
	return sum
}

// paddedHash fills the last block of 64 bytes with zeros.
func (p *purpose) paddedHash(parts ...[]byte) hash {
	length := 0
	for _, part := range parts {
		length += len(part)
	}
	var zeros [64]byte
	return p.hash(append(parts, zeros[:(64-length%64)%64])...)
}

func (p *purpose) node(left, right hash) hash { return p.hash(left[:], right[:]) }

// node joins the two hashes below an inner node.
type node func(left, right hash) hash

// logTree is one of the two trees over the leaves of a ledger.
type logTree struct {
	name  string
	leaf  func(leaf []byte) hash
	node  node
	empty hash
}

var (
	sha256Tree = logTree{"SHA-256", sha256Leaf, sha256Node, sha256.Sum256(nil)}
	blake3Tree = logTree{"BLAKE3", blake3Leaf, nodePurpose.node, nodePurpose.hash()}
)

func blake3Leaf(leaf []byte) hash { return leafPurpose.hash(leaf) }

func sha256Leaf(leaf []byte) hash {
	return sha256.Sum256(append([]byte{0}, leaf...))
}

func sha256Node(left, right hash) hash {
	data := append([]byte{1}, left[:]...)
	return sha256.Sum256(append(data, right[:]...))
}
