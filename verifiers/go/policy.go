package verify

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	policyBytesMax = 256 << 10
	entriesMax     = 64
)

// Policy is what whoever verifies has pinned. Keys come from here and from nowhere else.
type Policy struct {
	logs      []*Key
	witnesses []*witness
	groups    []group
	quorum    string // of cosignatures; empty if none is asked for
}

// group stands where so many of its members, witnesses and other groups, do.
type group struct {
	name      string
	threshold uint64
	members   []string
}

// PolicyOfKeys believes exactly these keys.
func PolicyOfKeys(vkeys ...string) (*Policy, *Failure) {
	var keys []*Key
	for _, vkey := range vkeys {
		key, failure := ParseKey(strings.TrimSpace(vkey))
		if failure != nil {
			return nil, failure
		}
		keys = append(keys, key)
	}
	var reader policyReader
	for i, key := range keys {
		if why := reader.addLog(key); why != "" {
			return nil, malformed(fmt.Sprintf("policy line %d", i+1), "%s", why)
		}
	}
	return &Policy{logs: keys}, nil
}

// ParsePolicy reads a C2SP policy file.
func ParsePolicy(file []byte) (*Policy, *Failure) {
	if len(file) > policyBytesMax {
		return nil, malformed("policy", "is longer than 256 KiB")
	}
	var reader policyReader
	number := 0
	for line := range bytes.SplitSeq(file, []byte("\n")) {
		number++
		if why := reader.line(line); why != "" {
			return nil, malformed(fmt.Sprintf("policy line %d", number), "%s", why)
		}
	}
	if !reader.hasQuorum {
		return nil, malformed("policy", "has no quorum line")
	}
	return &reader.policy, nil
}

// policyReader reads lines; each method says why it refuses one. No public key is listed twice; every name is defined before it is used, and is a
// member once.
type policyReader struct {
	policy     Policy
	hasQuorum  bool
	publicKeys []string
	members    []string
}

func (r *policyReader) line(line []byte) (why string) {
	for _, b := range line {
		if b < ' ' && b != '\t' || b == 0x7f {
			return "holds a control character"
		}
	}
	if !utf8.Valid(line) {
		return "is not UTF-8"
	}
	isBlank := func(r rune) bool { return r == ' ' || r == '\t' }
	items := strings.FieldsFunc(string(line), isBlank)
	if len(items) == 0 || strings.HasPrefix(items[0], "#") {
		return ""
	}
	switch keyword, rest := items[0], items[1:]; {
	case keyword == "log" && (len(rest) == 1 || len(rest) == 2):
		key, failure := ParseKey(rest[0])
		if failure != nil {
			return failure.Error()
		}
		return r.addLog(key)
	case keyword == "witness" && (len(rest) == 2 || len(rest) == 3):
		return r.addWitness(rest[0], rest[1])
	case keyword == "group" && len(rest) >= 2:
		return r.addGroup(rest[0], rest[1], rest[2:])
	case keyword == "quorum" && len(rest) == 1:
		return r.setQuorum(rest[0])
	default:
		return "is no line of a policy: " + escape(keyword)
	}
}

func (r *policyReader) addLog(key *Key) (why string) {
	if why := r.addPublicKey(key.public[:]); why != "" {
		return why
	}
	if len(r.policy.logs) == entriesMax {
		return noRoom
	}
	r.policy.logs = append(r.policy.logs, key)
	return ""
}

func (r *policyReader) addWitness(name, vkey string) (why string) {
	found, failure := parseWitness(name, vkey)
	if failure != nil {
		return failure.Error()
	}
	if why := r.addPublicKey(found.public); why != "" {
		return why
	}
	if why := r.checkNew(name, len(r.policy.witnesses)); why != "" {
		return why
	}
	r.policy.witnesses = append(r.policy.witnesses, found)
	return ""
}

func (r *policyReader) addGroup(name, threshold string, members []string) (why string) {
	count := uint64(1)
	if threshold == "all" {
		count = uint64(len(members))
	} else if threshold != "any" {
		number, err := strconv.ParseUint(threshold, 10, 64)
		count = number
		if err != nil || threshold[0] == '+' {
			count = 0
		}
	}
	if count < 1 || count > uint64(len(members)) {
		return fmt.Sprintf("asks for %s of %d members", escape(threshold), len(members))
	}
	for _, member := range members {
		if !r.isDefined(member) {
			return undefined(member)
		}
		if slices.Contains(r.members, member) {
			return "makes " + escape(member) + " a member twice"
		}
		r.members = append(r.members, member)
	}
	if why := r.checkNew(name, len(r.policy.groups)); why != "" {
		return why
	}
	r.policy.groups = append(r.policy.groups, group{name, count, members})
	return ""
}

func (r *policyReader) setQuorum(name string) (why string) {
	if r.hasQuorum {
		return "is a second quorum"
	}
	if name != "none" && !r.isDefined(name) {
		return undefined(name)
	}
	r.hasQuorum = true
	if name != "none" {
		r.policy.quorum = name
	}
	return ""
}

func (r *policyReader) isDefined(name string) bool {
	return slices.ContainsFunc(r.policy.witnesses, func(w *witness) bool { return w.name == name }) ||
		slices.ContainsFunc(r.policy.groups, func(g group) bool { return g.name == name })
}

// checkNew refuses a name that is taken, and one more than there may be.
func (r *policyReader) checkNew(name string, ofItsKind int) (why string) {
	if name == "none" || r.isDefined(name) {
		return "defines " + escape(name) + " again"
	}
	if ofItsKind == entriesMax {
		return noRoom
	}
	return ""
}

func (r *policyReader) addPublicKey(public []byte) (why string) {
	if slices.Contains(r.publicKeys, string(public)) {
		return "lists a public key again"
	}
	r.publicKeys = append(r.publicKeys, string(public))
	return ""
}

const noRoom = "is one more than 64 of its kind"

func undefined(name string) string {
	return "names " + escape(name) + ", which no line before it defines"
}
