package verify

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

const jsonDepthMax = 16

// jsonReader reads as much of JSON (RFC 8259) as definitions use: integers only, no member twice, nesting bounded. encoding/json takes a member
// given twice and half a surrogate pair. Values are map[string]any, []any, string, int64, bool and nil.
type jsonReader struct{ rest string }

func refuse(why string) *Failure { return malformed("table definition", "%s", why) }

func parseJSON(text string) (any, *Failure) {
	r := &jsonReader{text}
	value, failure := r.value(0)
	if failure != nil {
		return nil, failure
	}
	r.skipSpace()
	if r.rest != "" {
		return nil, refuse("has text after its end")
	}
	return value, nil
}

func (r *jsonReader) skipSpace() { r.rest = strings.TrimLeft(r.rest, " \t\n\r") }

func (r *jsonReader) eat(token string) (found bool) {
	r.skipSpace()
	r.rest, found = strings.CutPrefix(r.rest, token)
	return found
}

func (r *jsonReader) next() (rune, *Failure) {
	if r.rest == "" {
		return 0, refuse("ends early")
	}
	char, size := utf8.DecodeRuneInString(r.rest)
	r.rest = r.rest[size:]
	return char, nil
}

func (r *jsonReader) value(depth int) (any, *Failure) {
	switch {
	case depth > jsonDepthMax:
		return nil, refuse("is nested too deeply")
	case r.eat("{"):
		return r.object(depth)
	case r.eat("["):
		return r.list(depth)
	case r.eat(`"`):
		return r.text()
	case r.eat("true"):
		return true, nil
	case r.eat("false"):
		return false, nil
	case r.eat("null"):
		return nil, nil
	}
	return r.number()
}

func (r *jsonReader) number() (any, *Failure) {
	rest := strings.TrimLeft(r.rest, "0123456789-+.eE")
	digits := r.rest[:len(r.rest)-len(rest)]
	r.rest = rest
	number, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return nil, refuse("holds something that is no JSON integer")
	}
	if strconv.FormatInt(number, 10) != digits {
		return nil, refuse("holds a number that is not canonical")
	}
	return number, nil
}

func (r *jsonReader) list(depth int) (any, *Failure) {
	items := []any{}
	if r.eat("]") {
		return items, nil
	}
	for {
		item, failure := r.value(depth + 1)
		if failure != nil {
			return nil, failure
		}
		items = append(items, item)
		if r.eat("]") {
			return items, nil
		}
		if !r.eat(",") {
			return nil, refuse("has a list without comma or end")
		}
	}
}

func (r *jsonReader) object(depth int) (any, *Failure) {
	members := map[string]any{}
	if r.eat("}") {
		return members, nil
	}
	for {
		if failure := r.member(members, depth); failure != nil {
			return nil, failure
		}
		if r.eat("}") {
			return members, nil
		}
		if !r.eat(",") {
			return nil, refuse("has an object without comma or end")
		}
	}
}

func (r *jsonReader) member(members map[string]any, depth int) *Failure {
	if !r.eat(`"`) {
		return refuse("has a member without a name")
	}
	name, failure := r.text()
	if failure != nil {
		return failure
	}
	if _, ok := members[name]; ok {
		return refuse("has one member twice")
	}
	if !r.eat(":") {
		return refuse("has a member without a colon")
	}
	members[name], failure = r.value(depth + 1)
	return failure
}

// text is the rest of a string, after its opening quote.
func (r *jsonReader) text() (string, *Failure) {
	var text strings.Builder
	for {
		char, failure := r.next()
		if char == '\\' && failure == nil {
			char, failure = r.escape()
		} else if char == '"' {
			return text.String(), nil
		} else if char < ' ' && failure == nil {
			failure = refuse("has a control character in a string")
		}
		if failure != nil {
			return "", failure
		}
		text.WriteRune(char)
	}
}

func (r *jsonReader) escape() (rune, *Failure) {
	char, failure := r.next()
	if failure != nil {
		return 0, failure
	}
	switch char {
	case '"', '\\', '/':
		return char, nil
	case 'b':
		return '\b', nil
	case 'f':
		return '\f', nil
	case 'n':
		return '\n', nil
	case 'r':
		return '\r', nil
	case 't':
		return '\t', nil
	case 'u':
		return r.codePoint()
	}
	return 0, refuse("has an unknown escape in a string")
}

func (r *jsonReader) codePoint() (rune, *Failure) {
	code, failure := r.hex4()
	if failure != nil || !utf16.IsSurrogate(code) {
		return code, failure
	}
	lone := refuse("has a lone surrogate in a string")
	if code >= 0xdc00 {
		return 0, lone
	}
	mark, failure := r.next()
	if failure != nil {
		return 0, failure
	}
	letter, failure := r.next()
	if failure != nil {
		return 0, failure
	}
	low, failure := r.hex4()
	if failure != nil {
		return 0, failure
	}
	if char := utf16.DecodeRune(code, low); mark == '\\' && letter == 'u' && char != utf8.RuneError {
		return char, nil
	}
	return 0, lone
}

func (r *jsonReader) hex4() (rune, *Failure) {
	var code rune
	for range 4 {
		char, failure := r.next()
		if failure != nil {
			return 0, failure
		}
		digit := strings.IndexRune("0123456789abcdef", char|0x20)
		if digit < 0 || char > 'f' || char < '0' {
			return 0, refuse(`has a bad \u escape in a string`)
		}
		code = code<<4 | rune(digit)
	}
	return code, nil
}
