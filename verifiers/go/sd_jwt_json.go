package verify

import (
	"strconv"
	"strings"
)

const (
	jsonNull = iota
	jsonBool
	jsonInteger
	jsonText
	jsonSpelled

	safeIntegerMax = 1<<53 - 1
)

// jsonValue is a field's value as JSON: NULL, a boolean, an integer that is exact wherever JSON is read, text, or a value of any other type as
// SQL spells it with its canonical bytes.
type jsonValue struct {
	kind   int
	number int64
	text   string
	data   []byte
}

// formOf is the form of a value of a type, which fails if the bytes are not canonical.
func formOf(oid uint32, data []byte) (jsonValue, *Failure) {
	spelled, failure := formatValue(oid, data)
	if failure != nil {
		return jsonValue{}, failure
	}
	switch oid {
	case 16:
		return jsonValue{kind: jsonBool, number: int64(data[0])}, nil
	case 20, 21, 23:
		// A spelled integer of at most eight bytes is one.
		if number, err := strconv.ParseInt(spelled, 10, 64); err == nil && -safeIntegerMax <= number && number <= safeIntegerMax {
			return jsonValue{kind: jsonInteger, number: number}, nil
		}
	case 25, 114, 1042, 1043, 3802:
		return jsonValue{kind: jsonText, text: string(data)}, nil
	}
	return jsonValue{kind: jsonSpelled, text: spelled, data: data}, nil
}

// sdJSON reads as much of JSON as SD-JWTs use, in one spelling: no blanks, strings without needless escapes, integers. Once failed, it stays so.
type sdJSON struct {
	rest   string
	failed bool
}

func (r *sdJSON) isWhole() bool { return !r.failed && r.rest == "" }

func (r *sdJSON) eat(literal string) (found bool) {
	if r.failed {
		return false
	}
	r.rest, found = strings.CutPrefix(r.rest, literal)
	return found
}

func (r *sdJSON) need(literal string) {
	if !r.eat(literal) {
		r.failed = true
	}
}

func (r *sdJSON) text() string {
	r.need(`"`)
	var text strings.Builder
	for !r.failed {
		end := strings.IndexFunc(r.rest, func(c rune) bool { return c < ' ' || c == '"' || c == '\\' })
		if end < 0 {
			r.failed = true
			break
		}
		text.WriteString(r.rest[:end])
		r.rest = r.rest[end:]
		if r.eat(`"`) {
			return text.String()
		}
		text.WriteByte(r.escape())
	}
	return ""
}

func (r *sdJSON) escape() byte {
	switch {
	case r.eat(`\"`):
		return '"'
	case r.eat(`\\`):
		return '\\'
	case r.eat(`\n`):
		return '\n'
	case r.eat(`\u00`) && len(r.rest) >= 2:
		hex := r.rest[:2]
		r.rest = r.rest[2:]
		for code := range byte(' ') {
			if code != '\n' && hex == string([]byte{"01"[code>>4], "0123456789abcdef"[code&15]}) {
				return code
			}
		}
	}
	r.failed = true
	return 0
}

// data is a string that is canonical base64url.
func (r *sdJSON) data() []byte {
	data, ok := decodeURL(r.text())
	if !ok {
		r.failed = true
	}
	return data
}

func (r *sdJSON) value() (v jsonValue) {
	switch {
	case r.eat("null"):
		return v
	case r.eat("true"):
		return jsonValue{kind: jsonBool, number: 1}
	case r.eat("false"):
		return jsonValue{kind: jsonBool}
	case strings.HasPrefix(r.rest, `"`):
		return jsonValue{kind: jsonText, text: r.text()}
	case r.eat(`{"text":`):
		v = jsonValue{kind: jsonSpelled, text: r.text()}
		r.need(`,"bytes":`)
		v.data = r.data()
		r.need("}")
		return v
	}
	digits := r.rest[:len(r.rest)-len(strings.TrimLeft(r.rest, "-0123456789"))]
	r.rest = r.rest[len(digits):]
	number, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || strconv.FormatInt(number, 10) != digits {
		r.failed = true
	}
	return jsonValue{kind: jsonInteger, number: number}
}
