package verify

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// sdJWT carries a disclosure (RFC 9901, docs/formats/sd-jwt.md), taken apart and not yet believed. Header, payload and each opening have one
// spelling; openings may be left out and reordered.
type sdJWT struct {
	signed     string
	keyID      [4]byte
	issuer     string
	digests    [][]string
	disclosure *disclosure
	signature  []byte
	openings   []opening
}

// opening is what opens one field: a «disclosure» of RFC 9901.
type opening struct {
	digest string
	salt   []byte
	column string
	value  jsonValue
}

// IsSDJWT says whether bytes are meant as an SD-JWT.
func IsSDJWT(data []byte) bool { return bytes.HasPrefix(data, []byte("eyJ")) }

var (
	sdJWTHeader = regexp.MustCompile(`\A\{"alg":"EdDSA","kid":"([0-9a-f]{8})","typ":"shockwave-disclosure\+sd-jwt"\}\z`)
	sdJWTBytes  = regexp.MustCompile(`\A[A-Za-z0-9_.~-]*\z`)
	base64URL   = base64.RawURLEncoding.Strict()
)

func parseSDJWT(data []byte) (*sdJWT, *Failure) {
	const what = "SD-JWT"
	if len(data) > receiptBytesMax {
		return nil, malformed(what, "is longer than 16 MiB")
	}
	if !sdJWTBytes.Match(data) {
		return nil, malformed(what, "has a character that is none of base64url, point and tilde")
	}
	text, ok := strings.CutSuffix(string(data), "~")
	if !ok {
		return nil, malformed(what, "does not end with a tilde; a key binding is not supported")
	}
	parts := strings.Split(text, "~")
	jwt := strings.Split(parts[0], ".")
	if len(jwt) != 3 {
		return nil, malformed(what, "does not begin with header, payload and signature")
	}
	parsed := &sdJWT{signed: jwt[0] + "." + jwt[1]}
	if failure := parsed.readHeader(jwt[0]); failure != nil {
		return nil, failure
	}
	claim, failure := parsed.readPayload(jwt[1])
	if failure != nil {
		return nil, failure
	}
	parsed.signature, failure = unbase64URL("SD-JWT signature", jwt[2])
	if failure != nil {
		return nil, failure
	}
	if len(parsed.signature) != 64 {
		return nil, malformed("SD-JWT signature", "has %d bytes, not 64", len(parsed.signature))
	}
	if failure := parsed.readOpenings(parts[1:]); failure != nil {
		return nil, failure
	}
	parsed.disclosure, failure = parseDisclosure([]byte(claim))
	if failure != nil {
		return nil, failure
	}
	return parsed, parsed.checkRows()
}

// checkRows sees that no field is shown yet, and that there are as many rows as lists of digests.
func (j *sdJWT) checkRows() *Failure {
	rows := 0
	for _, table := range j.disclosure.tables() {
		for _, row := range table.rows {
			rows++
			isShown := func(field rowField) bool { return field.tag == fieldNull || field.tag == fieldShown }
			if slices.ContainsFunc(row.fields, isShown) {
				return malformed("SD-JWT payload", "shows a field itself")
			}
		}
	}
	if rows != len(j.digests) {
		return malformed("SD-JWT payload", "shows %d rows and lists digests of %d", rows, len(j.digests))
	}
	return nil
}

func (d *disclosure) tables() (tables []*disclosedTable) {
	for _, commit := range d.commits {
		tables = append(tables, commit.tables...)
	}
	return tables
}

func (j *sdJWT) readHeader(encoded string) *Failure {
	const what = "SD-JWT header"
	data, failure := unbase64URL(what, encoded)
	if failure != nil {
		return failure
	}
	found := sdJWTHeader.FindSubmatch(data)
	if found == nil {
		return malformed(what, "is not that of EdDSA, a key id and a disclosure")
	}
	// Eight digits of hex are four bytes.
	_, _ = hex.Decode(j.keyID[:], found[1])
	return nil
}

// readPayload gives the disclosure that the payload carries.
func (j *sdJWT) readPayload(encoded string) (claim string, failure *Failure) {
	const what = "SD-JWT payload"
	data, failure := unbase64URL(what, encoded)
	if failure != nil {
		return "", failure
	}
	r := &sdJSON{rest: string(data), failed: !utf8.Valid(data)}
	r.need(`{"iss":`)
	j.issuer = r.text()
	r.need(`,"_sd_alg":"sha-256","shockwave":`)
	claim = r.text()
	r.need(`,"rows":[`)
	for more := true; more && !r.failed; more = r.goesOn() {
		j.digests = append(j.digests, r.row())
	}
	if !r.isWhole() {
		return "", malformed(what, "is not of iss, _sd_alg, shockwave and rows in their one spelling")
	}
	seen := map[string]bool{}
	isTwice := false
	for _, row := range j.digests {
		for i, digest := range row {
			if i > 0 && row[i-1] >= digest {
				return "", malformed(what, "has a row whose digests do not rise")
			}
			isTwice = isTwice || seen[digest]
			seen[digest] = true
		}
	}
	if isTwice {
		return "", malformed(what, "has one digest in two rows")
	}
	return claim, nil
}

// row is the digests that a row of the payload lists.
func (r *sdJSON) row() (digests []string) {
	if r.eat("{}") {
		return nil
	}
	r.need(`{"_sd":[`)
	for more := true; more && !r.failed; more = r.goesOn() {
		text := r.text()
		if data, ok := decodeURL(text); !ok || len(data) != 32 {
			r.failed = true
		}
		digests = append(digests, text)
	}
	return digests
}

// goesOn is false at the end of a list that ends its object.
func (r *sdJSON) goesOn() bool {
	if r.eat("]}") {
		return false
	}
	r.need(",")
	return true
}

func (j *sdJWT) readOpenings(parts []string) *Failure {
	seen := map[string]bool{}
	for i, part := range parts {
		what := fmt.Sprintf("SD-JWT disclosure %d", i+1)
		data, failure := unbase64URL(what, part)
		if failure != nil {
			return failure
		}
		r := &sdJSON{rest: string(data), failed: !utf8.Valid(data)}
		digest := sha256.Sum256([]byte(part))
		one := opening{digest: base64URL.EncodeToString(digest[:])}
		r.need("[")
		one.salt = r.data()
		r.need(",")
		one.column = r.text()
		r.need(",")
		one.value = r.value()
		r.need("]")
		if !r.isWhole() || len(one.salt) != 16 {
			return malformed(what, "is not of salt, name and value in their one spelling")
		}
		if seen[one.digest] {
			return malformed(what, "is there twice")
		}
		seen[one.digest] = true
		j.openings = append(j.openings, one)
	}
	return nil
}

func unbase64URL(what, text string) ([]byte, *Failure) {
	data, ok := decodeURL(text)
	if !ok {
		return nil, malformed(what, "is not canonical base64url")
	}
	return data, nil
}

// decodeURL reads base64url without padding and stray bits.
func decodeURL(text string) ([]byte, bool) {
	// The decoder passes over line ends.
	data, err := base64URL.DecodeString(text)
	return data, err == nil && !strings.ContainsAny(text, "\r\n")
}

func checkSDJWT(data []byte, policy *Policy, report *report) *Failure {
	parsed, failure := parseSDJWT(data)
	if failure != nil {
		return failure
	}
	if failure := parsed.checkSignature(policy); failure != nil {
		return failure
	}
	issuer := plainName(parsed.issuer)
	report.check("signature of %s over the SD-JWT, with a pinned key (strict Ed25519)", issuer)
	checkpoint, failure := openCheckpoint(parsed.disclosure.checkpoint, policy, report)
	if failure != nil {
		return failure
	}
	if checkpoint.origin != parsed.issuer {
		return tampered("issuer", "%s is not the ledger of the checkpoint, %s", issuer, plainName(checkpoint.origin))
	}
	if failure := parsed.open(); failure != nil {
		return failure
	}
	const said = "%d SD-JWT disclosures, each with its digest in the payload and the commitment of its field"
	report.check(said, len(parsed.openings))
	return parsed.disclosure.checkCommits(checkpoint, report)
}

// checkSignature wants a key that the policy pins for the ledger that the token says has issued it.
func (j *sdJWT) checkSignature(policy *Policy) *Failure {
	issuer, isPinned := plainName(j.issuer), false
	for _, key := range policy.logs {
		if key.kind != sha256Key || key.name != j.issuer {
			continue
		}
		if isPinned = true; key.id != j.keyID {
			continue
		}
		if !verifyStrictly(&key.public, []byte(j.signed), j.signature) {
			return tampered("signature", "of pinned key %s does not verify over the SD-JWT", issuer)
		}
		return nil
	}
	if !isPinned {
		failure := malformed("authenticity", "the policy pins no key for %s", issuer)
		failure.Code = Inconclusive
		return failure
	}
	return tampered("signature", "is by key %s, which is not pinned for %s", hex.EncodeToString(j.keyID[:]), issuer)
}

// open puts what the openings say into the rows of the disclosure. A definition is read once.
func (j *sdJWT) open() *Failure {
	type place struct {
		row   *rowPart
		table *disclosedTable
	}
	places := map[string]place{}
	at := 0
	for _, table := range j.disclosure.tables() {
		for _, row := range table.rows {
			for _, digest := range j.digests[at] {
				places[digest] = place{row, table}
			}
			at++
		}
	}
	definitions := map[*disclosedTable]*definition{}
	for i, one := range j.openings {
		what := fmt.Sprintf("SD-JWT disclosure %d", i+1)
		found, ok := places[one.digest]
		if !ok {
			return tampered(what, "has no digest in the payload")
		}
		d := definitions[found.table]
		if d == nil {
			var failure *Failure
			if d, failure = parseDefinition(found.table.definition.bytes); failure != nil {
				return failure.in("%s", what)
			}
			definitions[found.table] = d
		}
		if failure := one.open(found.row, d, what); failure != nil {
			return failure
		}
	}
	return nil
}

// open counts only with salt and value that give the commitment of a hidden field of the row.
func (o *opening) open(row *rowPart, d *definition, what string) *Failure {
	name := plainName(o.column)
	at := slices.IndexFunc(d.columns, func(c column) bool { return c.name == o.column })
	if at < 0 || at >= len(row.fields) {
		return tampered(what, "is of column %s, which its row has not", name)
	}
	field, column := &row.fields[at], d.columns[at]
	if field.tag != fieldHidden {
		return tampered(what, "is of column %s, which is not hidden", name)
	}
	opened := rowField{tag: fieldNull, salt: o.salt}
	if o.value.kind != jsonNull {
		data, ok := o.value.bytes(column.oid)
		if !ok {
			return malformed(what, "is not as a value of column %s is written", name)
		}
		opened.tag, opened.value = fieldShown, data
	}
	if opened.commit(column) != field.commitment {
		return tampered(what, "does not open the commitment of column %s", name)
	}
	*field = opened
	return nil
}

// bytes is the canonical bytes of the value of this type that this is the form of.
func (v *jsonValue) bytes(oid uint32) ([]byte, bool) {
	data := v.data
	switch v.kind {
	case jsonBool:
		data = []byte{uint8(v.number)}
	case jsonInteger:
		width, ok := map[uint32]int{21: 2, 23: 4}[oid]
		if !ok {
			width = 8
		}
		data = binary.LittleEndian.AppendUint64(nil, uint64(v.number))[:width]
	case jsonText:
		data = []byte(v.text)
	}
	form, failure := formOf(oid, data)
	if failure != nil {
		return nil, false
	}
	isForm := form.kind == v.kind && form.number == v.number && form.text == v.text && bytes.Equal(form.data, v.data)
	return data, isForm
}
