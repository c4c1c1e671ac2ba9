package verify

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode/utf8"
)

const (
	noteBytesMax    = 128 << 10
	signaturesMax   = 16
	keyNameBytesMax = 255
)

// keyType is the identifier of a key: what it is, and what it puts before a text it signs.
type keyType struct{ identifier, prefix string }

var (
	sha256Key = keyType{"\x01", ""}
	blake3Key = keyType{"\xffshockwave/b3-checkpoint/v1", "shockwave/b3-checkpoint/v1\n"}
)

// Key is a public key, and the name it signs under.
type Key struct {
	name   string
	id     [4]byte
	kind   keyType
	public [32]byte
}

type noteSignature struct {
	name      string
	keyID     [4]byte
	signature []byte
}

// note is a C2SP signed note; its text means nothing until its signers are known.
type note struct {
	text       string
	signatures []noteSignature
}

func checkKeyName(name string) *Failure {
	if len(name) < 1 || len(name) > keyNameBytesMax {
		return malformed("key name", "%d bytes, not 1 to %d", len(name), keyNameBytesMax)
	}
	if strings.ContainsFunc(name, isOdd) {
		return malformed("key name", "holds a space, a control character or a plus")
	}
	return nil
}

func isOdd(r rune) bool {
	switch {
	case r <= 0x20, r >= 0x7f && r <= 0xa0, r == '+', r >= 0x2000 && r <= 0x200a:
		return true
	}
	return strings.ContainsRune("\u1680\u2028\u2029\u202f\u205f\u3000", r)
}

// keyText is `<name>+<key id>+<base64(identifier ‖ public key)>`, read but for what the key is.
type keyText struct {
	what, name, id string
	data           []byte
}

func parseKeyText(what, vkey string) (keyText, *Failure) {
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 {
		return keyText{}, malformed(what, "is not <name>+<key id>+<base64>")
	}
	data, failure := unbase64(what, parts[2])
	return keyText{what, parts[0], parts[1], data}, failure
}

func (t *keyText) unknownType() *Failure {
	return malformed(t.what, "has a signature type we do not know, or a wrong length")
}

// point checks the name, and that the 32 bytes are a point that is not of small order.
func (t *keyText) point(public []byte) *Failure {
	if failure := checkKeyName(t.name); failure != nil {
		return failure
	}
	point := pointOf(public)
	if point == nil {
		return malformed(t.what, "is no Ed25519 point")
	}
	if isSmallOrder(point) {
		return malformed(t.what, "has small order")
	}
	return nil
}

// keyID is the key's own, which must be the stated one.
func (t *keyText) keyID() (id [4]byte, failure *Failure) {
	sum := sha256.Sum256([]byte(t.name + "\n" + string(t.data)))
	copy(id[:], sum[:])
	if hex.EncodeToString(id[:]) != t.id {
		return id, malformed(t.what, "has a key id that is not its own")
	}
	return id, nil
}

// ParseKey reads a verifier key of a log.
func ParseKey(vkey string) (*Key, *Failure) {
	text, failure := parseKeyText("verifier key", vkey)
	if failure != nil {
		return nil, failure
	}
	key := &Key{name: text.name}
	identifier := string(text.data[:max(len(text.data)-32, 0)])
	switch identifier {
	case sha256Key.identifier:
		key.kind = sha256Key
	case blake3Key.identifier:
		key.kind = blake3Key
	default:
		return nil, text.unknownType()
	}
	copy(key.public[:], text.data[len(identifier):])
	if failure := text.point(key.public[:]); failure != nil {
		return nil, failure
	}
	key.id, failure = text.keyID()
	return key, failure
}

func parseNote(whole string) (*note, *Failure) {
	const what = "note"
	if len(whole) > noteBytesMax {
		return nil, malformed(what, "is longer than 128 KiB")
	}
	if strings.ContainsFunc(whole, func(r rune) bool { return r < ' ' && r != '\n' }) {
		return nil, malformed(what, "holds a control character")
	}
	end := strings.LastIndex(whole, "\n\n")
	if end < 0 {
		return nil, malformed(what, "has no empty line before its signatures")
	}
	lines, ok := strings.CutSuffix(whole[end+2:], "\n")
	if !ok {
		return nil, malformed(what, "does not end with a signature line and a newline")
	}
	parsed := &note{text: whole[:end+1]}
	for line := range strings.SplitSeq(lines, "\n") {
		signature, failure := parseSignature(line)
		if failure != nil {
			return nil, failure
		}
		parsed.signatures = append(parsed.signatures, signature)
	}
	if len(parsed.signatures) > signaturesMax {
		return nil, malformed(what, "has more than %d signatures", signaturesMax)
	}
	return parsed, nil
}

func parseSignature(line string) (signature noteSignature, failure *Failure) {
	const what = "note signature"
	rest, ok := strings.CutPrefix(line, "— ")
	if !ok {
		return signature, malformed(what, "does not start with an em dash and a space")
	}
	name, encoded, ok := strings.Cut(rest, " ")
	if !ok {
		return signature, malformed(what, "has no space between name and signature")
	}
	if failure := checkKeyName(name); failure != nil {
		return signature, failure
	}
	data, failure := unbase64(what, encoded)
	if failure != nil {
		return signature, failure
	}
	if len(data) < 5 {
		return signature, malformed(what, "is shorter than a key id and a signature")
	}
	return noteSignature{name, [4]byte(data), data[4:]}, nil
}

// signers are the pinned keys that signed. A line counts only if its name and its key id are those of a pinned key; bad is a pinned key whose
// line does not verify, which spoils the note.
func (n *note) signers(pinned []*Key) (signers []*Key, bad *Key) {
	for _, line := range n.signatures {
		for _, key := range pinned {
			if key.name != line.name || key.id != line.keyID {
				continue
			}
			if !verifyStrictly(&key.public, []byte(key.kind.prefix+n.text), line.signature) {
				return nil, key
			}
			signers = append(signers, key)
		}
	}
	return signers, nil
}

// validText is the bytes as text.
func validText(what string, data []byte) (string, *Failure) {
	if !utf8.Valid(data) {
		return "", malformed(what, "is not UTF-8")
	}
	return string(data), nil
}
