package verify

import (
	"encoding/base64"
	"encoding/binary"
	"strconv"
	"strings"
	"unicode/utf8"
)

const pathMax = 64

// reader is a cursor over bytes. Its first failure stays, and everything read after it is zero; it never reads past the end, and never makes
// room for what is not there.
type reader struct {
	what    string
	rest    []byte
	failure *Failure
}

func (r *reader) fail(why string, args ...any) {
	if r.failure == nil {
		r.failure = malformed(r.what, why, args...)
		r.rest = nil
	}
}

func (r *reader) take(count int) []byte {
	if r.failure != nil {
		return nil
	}
	if count > len(r.rest) {
		r.fail("ends %d bytes early", count-len(r.rest))
		return nil
	}
	taken := r.rest[:count:count]
	r.rest = r.rest[count:]
	return taken
}

func (r *reader) u8() uint8 {
	var bytes [1]byte
	copy(bytes[:], r.take(1))
	return bytes[0]
}

func (r *reader) u16() uint16 {
	var bytes [2]byte
	copy(bytes[:], r.take(2))
	return binary.LittleEndian.Uint16(bytes[:])
}

func (r *reader) u32() uint32 {
	var bytes [4]byte
	copy(bytes[:], r.take(4))
	return binary.LittleEndian.Uint32(bytes[:])
}

func (r *reader) u64() uint64 {
	var bytes [8]byte
	copy(bytes[:], r.take(8))
	return binary.LittleEndian.Uint64(bytes[:])
}

func (r *reader) hash() (h hash) {
	copy(h[:], r.take(len(h)))
	return h
}

func (r *reader) zeros(count int) {
	for _, b := range r.take(count) {
		if b != 0 {
			r.fail("a reserved byte is not zero")
		}
	}
}

// shortText is a byte of length, then UTF-8.
func (r *reader) shortText(name string) string {
	text := r.take(int(r.u8()))
	if !utf8.Valid(text) {
		r.fail("%s is not UTF-8", name)
	}
	return string(text)
}

// longBytes is four bytes of length, then the bytes.
func (r *reader) longBytes() []byte { return r.take(int(r.u32())) }

// path is a byte of number, then hashes.
func (r *reader) path() []hash {
	count := r.u8()
	if count > pathMax {
		r.fail("a path of %d hashes, at most %d", count, pathMax)
	}
	var path []hash
	for range count {
		if r.failure != nil {
			return nil
		}
		path = append(path, r.hash())
	}
	return path
}

func (r *reader) end() {
	if len(r.rest) > 0 {
		r.fail("%d bytes too long", len(r.rest))
	}
}

// decimal reads a u64 without sign or leading zeros.
func decimal(text string) (uint64, bool) {
	number, err := strconv.ParseUint(text, 10, 64)
	return number, err == nil && strconv.FormatUint(number, 10) == text
}

// unbase64 reads standard, padded base64 without stray bits.
func unbase64(what, text string) ([]byte, *Failure) {
	// The decoder passes over line ends.
	data, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || strings.ContainsAny(text, "\r\n") {
		return nil, malformed(what, "is not canonical base64")
	}
	return data, nil
}

func hashLine(what, text string) (h hash, failure *Failure) {
	data, failure := unbase64(what, text)
	if failure != nil {
		return h, failure
	}
	if len(data) != len(h) {
		return h, malformed(what, "is %d bytes, not 32", len(data))
	}
	return hash(data), nil
}

// pathLines reads hashes in base64, one a line.
func pathLines(what string, lines []string) ([]hash, *Failure) {
	if len(lines) > pathMax {
		return nil, malformed(what, "has a path of more than %d hashes", pathMax)
	}
	path := make([]hash, len(lines))
	for i, line := range lines {
		h, failure := hashLine(what, line)
		if failure != nil {
			return nil, failure
		}
		path[i] = h
	}
	return path, nil
}
