package verify

import (
	"crypto/ed25519"

	"filippo.io/edwards25519"
)

// pointOf reads a point in any spelling; nil if there is none.
func pointOf(encoded []byte) *edwards25519.Point {
	point, err := new(edwards25519.Point).SetBytes(encoded)
	if err != nil {
		return nil
	}
	return point
}

func isSmallOrder(point *edwards25519.Point) bool {
	multiple := new(edwards25519.Point).MultByCofactor(point)
	return multiple.Equal(edwards25519.NewIdentityPoint()) == 1
}

// verifyStrictly asks, beyond crypto/ed25519 (which wants S below the group order and uses no cofactor), that R is not of small order. Keys of
// small order are refused when they are read.
func verifyStrictly(key *[32]byte, message, signature []byte) bool {
	if len(signature) != ed25519.SignatureSize {
		return false
	}
	if r := pointOf(signature[:32]); r == nil || isSmallOrder(r) {
		return false
	}
	return ed25519.Verify(key[:], message, signature)
}
