package verify

import (
	"math/bits"
	"strings"
)

const (
	leafBytesMax           = 65_535
	actorBytesMax          = 63
	idempotencyKeyBytesMax = 64
	originBytesMax         = 252
)

// span is the rows of one table in a commit.
type span struct {
	relation       uint32
	firstRow, rows uint64
}

// keysPart is what a key leaf says: the two keys from here on, and who signed it.
type keysPart struct {
	origin             string
	ofSHA256, ofBLAKE3 hash
	message            []byte
	byNew, byOld       [2][]byte
	isReplacement      bool
}

// statedPart is the roots of both trees at a size, as a checkpoint or an incarnation leaf states them.
type statedPart struct {
	size                   uint64
	rootSHA256, rootBLAKE3 hash
}

// leaf is what every leaf says, and what one of its kind says.
type leaf struct {
	bytes      []byte
	ledger     [16]byte
	seq        uint64
	timeMicros int64
	kind       string
	actor      string
	schemaRoot hash
	rowRoot    hash
	rows       uint64
	spans      []span
	keys       *keysPart
	stated     *statedPart
}

// locate is the table of the row at index of the commit, and the row's place among those of its table.
func (l *leaf) locate(index uint64) (table span, place uint64, ok bool) {
	for _, s := range l.spans {
		if index < s.rows {
			return s, index, true
		}
		index -= s.rows
	}
	return span{}, 0, false
}

func parseLeaf(data []byte) (*leaf, *Failure) {
	r := &reader{what: "leaf", rest: data}
	if len(data) > leafBytesMax {
		r.fail("has %d bytes, at most %d", len(data), leafBytesMax)
	}
	if string(r.take(4)) != "SWLF" {
		r.fail("does not start with SWLF")
	}
	if version := r.u8(); version != 1 {
		r.fail("version %d is not supported", version)
	}
	kind := r.u8()
	r.zeros(2)
	l := &leaf{bytes: data}
	copy(l.ledger[:], r.take(16))
	l.seq, l.timeMicros = r.u64(), int64(r.u64())
	bodies := map[uint8]struct {
		kind string
		read func(*reader, *leaf) *Failure
	}{1: {"commit", readCommit}, 2: {"checkpoint", readCheckpoint}, 3: {"key", readKey}, 4: {"incarnation", readIncarnation}}
	body, ok := bodies[kind]
	if !ok {
		r.fail("kind %d is not supported", kind)
	}
	if r.failure != nil {
		return nil, r.failure
	}
	l.kind = body.kind
	failure := body.read(r, l)
	if r.failure != nil {
		return nil, r.failure
	}
	if failure != nil {
		return nil, failure
	}
	r.end()
	return l, r.failure
}

func readCommit(r *reader, l *leaf) *Failure {
	l.schemaRoot, l.rows, l.rowRoot = r.hash(), r.u64(), r.hash()
	r.hash() // of policy
	r.hash() // of plan
	r.zeros(8)
	l.actor = r.shortText("actor")
	key := r.take(int(r.u8()))
	for range r.u32() {
		s := span{r.u32(), r.u64(), r.u64()}
		if r.failure != nil {
			return nil
		}
		l.spans = append(l.spans, s)
	}
	return l.checkCommit(len(key))
}

func (l *leaf) checkCommit(keyBytes int) *Failure {
	const what = "commit leaf"
	if len(l.actor) > actorBytesMax || strings.Contains(l.actor, "\x00") {
		return malformed(what, "has an actor of %d bytes or with a zero byte, at most %d", len(l.actor), actorBytesMax)
	}
	if keyBytes > idempotencyKeyBytesMax {
		return malformed(what, "has an idempotency key of %d bytes, at most %d", keyBytes, idempotencyKeyBytesMax)
	}
	for i := 1; i < len(l.spans); i++ {
		if before, after := l.spans[i-1].relation, l.spans[i].relation; before >= after {
			return malformed(what, "lists relation %d before %d", before, after)
		}
	}
	var total uint64
	for _, s := range l.spans {
		_, pastEnd := bits.Add64(s.firstRow, s.rows, 0)
		sum, overflow := bits.Add64(total, s.rows, 0)
		if s.rows == 0 || pastEnd != 0 || overflow != 0 {
			return malformed(what, "has %d rows from %d in relation %d", s.rows, s.firstRow, s.relation)
		}
		total = sum
	}
	if total != l.rows {
		return malformed(what, "has %d rows but spans of %d", l.rows, total)
	}
	if total == 0 && l.rowRoot != rowNodePurpose.hash() {
		return malformed(what, "has no rows but not the empty row root")
	}
	return nil
}

func readCheckpoint(r *reader, l *leaf) *Failure {
	l.stated = &statedPart{r.u64(), r.hash(), r.hash()}
	if size := l.stated.size; size > l.seq {
		return malformed("checkpoint leaf", "at %d states roots of size %d", l.seq, size)
	}
	return nil
}

func readKey(r *reader, l *leaf) *Failure {
	const what = "key leaf"
	role := r.u8()
	origin := r.shortText("origin")
	ofSHA256, ofBLAKE3 := r.hash(), r.hash()
	unsigned := l.bytes[:len(l.bytes)-len(r.rest)]
	l.keys = &keysPart{origin: origin, ofSHA256: ofSHA256, ofBLAKE3: ofBLAKE3, isReplacement: role == 1}
	l.keys.message = append([]byte("shockwave/key-leaf/v1\n"), unsigned...)
	l.keys.byNew = readSignatures(r)
	switch role {
	case 0:
	case 1:
		l.keys.byOld = readSignatures(r)
	default:
		r.fail("key role %d is not supported", role)
	}
	if ledger, ok := ledgerOf(origin); !ok || ledger != l.ledger || len(origin) > originBytesMax {
		return malformed(what, "has an origin that is not this ledger's")
	}
	if ofSHA256 == ofBLAKE3 {
		return malformed(what, "names one key for both trees")
	}
	return nil
}

func readSignatures(r *reader) [2][]byte { return [2][]byte{r.take(64), r.take(64)} }

func readIncarnation(r *reader, l *leaf) *Failure {
	number := r.u32()
	l.stated = &statedPart{r.u64(), r.hash(), r.hash()}
	if number == 0 {
		return malformed("incarnation leaf", "numbers its incarnation 0")
	}
	return nil
}
