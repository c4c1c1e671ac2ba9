package verify

import (
	"encoding/binary"
	"strings"
)

const (
	receiptBytesMax = 16 << 20
	proofBytesMax   = 256 << 10
	fieldsMax       = 1_600
)

// Operations of a row, what it supersedes, and how a field is shown.
const (
	opInsert, opUpdate, opDelete                    = 1, 2, 3
	supersedesNothing, supersedesRow, supersedesOwn = 0, 1, 2
	fieldHidden, fieldNull, fieldShown, fieldErased = 0, 1, 2, 3
)

// rowHeader is what a row is: 19 bytes, hashed before its fields.
type rowHeader struct {
	bytes                   []byte
	relation, schemaVersion uint32
	op, supersedes          uint8
	superseded              uint64
}

// rowField is a field's commitment, or its salt and value.
type rowField struct {
	tag         uint8
	commitment  hash
	salt, value []byte
}

type rowPart struct {
	index  uint64
	header rowHeader
	fields []rowField
	path   []hash
}

// definitionPart is a table's definition, and its path to the schema root.
type definitionPart struct {
	bytes          []byte
	index, objects uint32
	path           []hash
}

// receipt is taken apart and not yet believed.
type receipt struct {
	index      uint64
	path       []hash
	leaf       []byte
	row        *rowPart
	definition *definitionPart
	checkpoint *note
}

// proof is a consistency proof.
type proof struct {
	oldSize    uint64
	path       []hash
	checkpoint *note
}

// splitText is the lines before the first empty line, and the note behind it.
func splitText(what string, data []byte) (lines []string, note string, failure *Failure) {
	text, failure := validText(what, data)
	if failure != nil {
		return nil, "", failure
	}
	head, note, ok := strings.Cut(text, "\n\n")
	if !ok {
		return nil, "", malformed(what, "has no empty line before its checkpoint")
	}
	return strings.Split(head, "\n"), note, nil
}

// after is what follows word at the start of a line.
func after(word string, lines []string, at int) (string, bool) {
	if at >= len(lines) {
		return "", false
	}
	return strings.CutPrefix(lines[at], word)
}

func parseReceipt(data []byte) (*receipt, *Failure) {
	const what = "receipt"
	if len(data) > receiptBytesMax {
		return nil, malformed(what, "is longer than 16 MiB")
	}
	lines, noteText, failure := splitText(what, data)
	if failure != nil {
		return nil, failure
	}
	if lines[0] != "c2sp.org/tlog-proof@v1" {
		return nil, malformed(what, "does not start with c2sp.org/tlog-proof@v1")
	}
	encoded, ok := after("extra ", lines, 1)
	if !ok {
		return nil, malformed(what, "has no `extra` line")
	}
	digits, _ := after("index ", lines, 2)
	index, ok := decimal(digits)
	if !ok {
		return nil, malformed(what, "has no canonical `index` line")
	}
	path, failure := pathLines(what, lines[3:])
	if failure != nil {
		return nil, failure
	}
	parsed := &receipt{index: index, path: path}
	if failure := parsed.readExtra(encoded); failure != nil {
		return nil, failure
	}
	parsed.checkpoint, failure = parseNote(noteText)
	return parsed, failure
}

func parseProof(data []byte) (*proof, *Failure) {
	const what = "consistency proof"
	if len(data) > proofBytesMax {
		return nil, malformed(what, "is longer than 256 KiB")
	}
	lines, noteText, failure := splitText(what, data)
	if failure != nil {
		return nil, failure
	}
	digits, _ := after("old ", lines, 0)
	oldSize, ok := decimal(digits)
	if !ok {
		return nil, malformed(what, "does not start with `old <size>`")
	}
	path, failure := pathLines(what, lines[1:])
	if failure != nil {
		return nil, failure
	}
	parsed, failure := parseNote(noteText)
	return &proof{oldSize, path, parsed}, failure
}

func (p *receipt) readExtra(encoded string) *Failure {
	data, failure := unbase64("receipt's extra", encoded)
	if failure != nil {
		return failure
	}
	return p.parseExtra(data)
}

// parseExtra reads the leaf, and the row if there is one.
func (p *receipt) parseExtra(data []byte) *Failure {
	r := &reader{what: "receipt's extra", rest: data}
	if string(r.take(4)) != "SWRX" {
		r.fail("does not start with SWRX")
	}
	if version := r.u8(); version != 1 {
		r.fail("version %d is not supported", version)
	}
	flags := r.u8()
	if flags > 1 {
		r.fail("flags 0x%02x are not supported", flags)
	}
	r.zeros(2)
	p.leaf = r.longBytes()
	if flags == 1 {
		p.row, p.definition = readRow(r), readDefinitionPart(r)
	}
	r.end()
	return r.failure
}

func readRow(r *reader) *rowPart {
	return &rowPart{index: r.u64(), header: readHeader(r), fields: readFields(r), path: r.path()}
}

func readDefinitionPart(r *reader) *definitionPart {
	return &definitionPart{bytes: r.longBytes(), index: r.u32(), objects: r.u32(), path: r.path()}
}

func readFields(r *reader) (fields []rowField) {
	count := r.u16()
	if count > fieldsMax {
		r.fail("has more than %d fields", fieldsMax)
	}
	for range count {
		if r.failure != nil {
			return nil
		}
		fields = append(fields, readField(r))
	}
	return fields
}

func readHeader(r *reader) (h rowHeader) {
	start := r.rest
	if kind := r.u8(); kind != 1 {
		r.fail("row kind %d is not supported", kind)
	}
	h.relation, h.schemaVersion = r.u32(), r.u32()
	h.op, h.supersedes, h.superseded = r.u8(), r.u8(), r.u64()
	if r.failure != nil {
		return h
	}
	h.bytes = start[:19]
	if h.supersedes > supersedesOwn || h.supersedes == supersedesNothing && h.superseded != 0 {
		r.fail("superseded row has tag %d with id %d", h.supersedes, h.superseded)
	}
	isKnown := opInsert <= h.op && h.op <= opDelete
	if !isKnown || (h.op == opInsert) != (h.supersedes == supersedesNothing) {
		r.fail("operation %d does not go with superseded-row tag %d", h.op, h.supersedes)
	}
	return h
}

func readField(r *reader) rowField {
	field := rowField{tag: r.u8()}
	switch field.tag {
	case fieldHidden, fieldErased:
		field.commitment = r.hash()
	case fieldNull:
		field.salt = r.take(16)
	case fieldShown:
		field.salt, field.value = r.take(16), r.longBytes()
	default:
		r.fail("has a field with tag %d", field.tag)
	}
	return field
}

func le32(number uint32) []byte { return binary.LittleEndian.AppendUint32(nil, number) }

func le64(number uint64) []byte { return binary.LittleEndian.AppendUint64(nil, number) }
