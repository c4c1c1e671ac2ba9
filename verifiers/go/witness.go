package verify

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
)

const (
	cosignatureType = 0x04
	mlDSAType       = 0x06
	mlDSABytes      = 1312
	lastSecond      = 253402300799 // of the year 9999
)

// witness is a witness of a policy, under the policy's name for it. A key of a type that is not verified here has no line that counts.
type witness struct {
	name       string
	keyName    string
	id         [4]byte
	public     []byte
	isVerified bool
}

func parseWitness(name, vkey string) (*witness, *Failure) {
	text, failure := parseKeyText("witness key", vkey)
	if failure != nil {
		return nil, failure
	}
	found := &witness{name: name, keyName: text.name}
	switch {
	case len(text.data) == 1+32 && text.data[0] == cosignatureType:
		found.isVerified = true
		failure = text.point(text.data[1:])
	case len(text.data) == 1+mlDSABytes && text.data[0] == mlDSAType:
		failure = checkKeyName(text.name)
	default:
		failure = text.unknownType()
	}
	if failure != nil {
		return nil, failure
	}
	found.public = text.data[1:]
	found.id, failure = text.keyID()
	return found, failure
}

func (w *witness) isOf(line *noteSignature) bool { return line.name == w.keyName && line.keyID == w.id }

// cosigned is the earliest time at which the witness says it cosigned, 0 if it did not. Each of its lines must verify.
func (w *witness) cosigned(n *note) (earliest uint64, failure *Failure) {
	for i := range n.signatures {
		line := &n.signatures[i]
		if !w.isVerified || !w.isOf(line) {
			continue
		}
		const what = "cosignature"
		if len(line.signature) != 8+64 {
			return 0, tampered(what, "of pinned witness %s does not verify over the checkpoint", plainName(w.name))
		}
		time := binary.BigEndian.Uint64(line.signature)
		message := fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s", time, n.text)
		if !verifyStrictly((*[32]byte)(w.public), message, line.signature[8:]) {
			return 0, tampered(what, "of pinned witness %s does not verify over the checkpoint", plainName(w.name))
		}
		if time == 0 || time > math.MaxInt64 {
			return 0, tampered(what, "of pinned witness %s states time %d, not 1 to %d", plainName(w.name), time, int64(math.MaxInt64))
		}
		if earliest == 0 || time < earliest {
			earliest = time
		}
	}
	return earliest, nil
}

// checkWitnesses verifies the lines of all witnesses of the policy; the times are those of witnesses that cosigned.
func (p *Policy) checkWitnesses(n *note) (times map[*witness]uint64, failure *Failure) {
	times = make(map[*witness]uint64)
	for _, w := range p.witnesses {
		time, failure := w.cosigned(n)
		if failure != nil {
			return nil, failure
		}
		if time > 0 {
			times[w] = time
		}
	}
	return times, nil
}

// reportCosigned says who cosigned, and sees to the quorum.
func (p *Policy) reportCosigned(n *note, times map[*witness]uint64, report *report) *Failure {
	hasCosigned := func(w *witness) bool { return times[w] > 0 }
	cosigned := p.witnessesThat(hasCosigned)
	if len(cosigned) > 0 {
		report.check("cosignatures of %s over the checkpoint (strict Ed25519)", namesOf(cosigned))
	}
	for _, w := range cosigned {
		report.fact("cosigned by", "%s at %s, by its clock", plainName(w.name), formatSeconds(times[w]))
	}
	switch {
	case p.quorum == "":
		report.leaveOut("cosignatures: the policy asks for none")
		return nil
	case p.isMet(hasCosigned):
		report.check("quorum of witnesses: %s", plainName(p.quorum))
		return nil
	}
	isLeftOut := func(w *witness) bool {
		return !w.isVerified && slices.ContainsFunc(n.signatures, func(line noteSignature) bool { return w.isOf(&line) })
	}
	switch {
	case p.isMet(func(w *witness) bool { return hasCosigned(w) || isLeftOut(w) }):
		return p.lacksQuorum("those of %s are of a type that is not verified here", namesOf(p.witnessesThat(isLeftOut)))
	case len(cosigned) == 0:
		return p.lacksQuorum("there are none")
	}
	return p.lacksQuorum("those of %s are not enough", namesOf(cosigned))
}

func (p *Policy) lacksQuorum(why string, args ...any) *Failure {
	why = fmt.Sprintf(why, args...)
	failure := malformed("witnesses", "the policy asks for cosignatures by %s, and %s", plainName(p.quorum), why)
	failure.Code = Inconclusive
	return failure
}

func (p *Policy) witnessesThat(is func(*witness) bool) (found []*witness) {
	for _, w := range p.witnesses {
		if is(w) {
			found = append(found, w)
		}
	}
	return found
}

// isMet says whether the quorum stands. Members were defined before their group, so one pass sees all of them.
func (p *Policy) isMet(hasCosigned func(*witness) bool) bool {
	stands := make(map[string]bool)
	for _, w := range p.witnesses {
		stands[w.name] = hasCosigned(w)
	}
	for _, g := range p.groups {
		standing := uint64(0)
		for _, member := range g.members {
			if stands[member] {
				standing++
			}
		}
		stands[g.name] = standing >= g.threshold
	}
	return stands[p.quorum]
}

func namesOf(witnesses []*witness) string {
	var names []string
	for _, w := range witnesses {
		names = append(names, plainName(w.name))
	}
	return strings.Join(names, ", ")
}

// formatSeconds spells seconds since 1970-01-01 as a time, up to the year 9999.
func formatSeconds(seconds uint64) string {
	if seconds > lastSecond {
		return fmt.Sprintf("%d s after 1970-01-01 00:00:00+00", seconds)
	}
	return formatTimestamp(int64(seconds)*1_000_000, "+00")
}
