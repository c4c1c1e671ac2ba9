package verify

import "fmt"

// check leads from the fields shown to the row root in the commit (docs/formats/receipt.md, step 7).
func (row *rowPart) check(part *definitionPart, commit *leaf, report *report) *Failure {
	table, place, failure := row.locate(commit)
	if failure != nil {
		return failure
	}
	d, failure := part.under(commit, table.relation)
	if failure != nil {
		return failure
	}
	return row.checkOf(d, table, place, commit, report)
}

// locate is the rows of the row's table in the commit, and its place among them.
func (row *rowPart) locate(commit *leaf) (table span, place uint64, failure *Failure) {
	table, place, ok := commit.locate(row.index)
	if !ok {
		return table, 0, tampered("row index", "%d is not below the commit's %d rows", row.index, commit.rows)
	}
	if relation := row.header.relation; relation != table.relation {
		const why = "%d is not the table of row %d of the commit, which is %d"
		return table, 0, tampered("relation", why, relation, row.index, table.relation)
	}
	return table, place, nil
}

// under is the definition, once it is known to be that of the table as of the commit.
func (p *definitionPart) under(commit *leaf, relation uint32) (*definition, *Failure) {
	const what = "table definition"
	leaf := schemaPurpose.hash(le32(relation), p.bytes)
	root, ok := rootOfPath(schemaNodePurpose.node, leaf, uint64(p.index), uint64(p.objects), p.path)
	if !ok || sizedRoot(p.objects, root) != commit.schemaRoot {
		return nil, tampered(what, "is not the one under the commit's schema root")
	}
	d, failure := parseDefinition(p.bytes)
	if failure != nil {
		return nil, failure
	}
	if d.id != relation {
		return nil, tampered(what, "says it is of table %d, not %d", d.id, relation)
	}
	return d, nil
}

// sizedRoot is the schema root: it covers the number of objects too.
func sizedRoot(objects uint32, root hash) hash { return schemaNodePurpose.hash(le32(objects), root[:]) }

func (row *rowPart) checkOf(d *definition, table span, place uint64, commit *leaf, report *report) *Failure {
	if failure := row.checkVersion(d); failure != nil {
		return failure
	}
	report.check("table definition under the commit's schema root")
	if failure := row.checkSuperseded(table, place); failure != nil {
		return failure
	}
	if failure := row.checkCount(d); failure != nil {
		return failure
	}
	root, ok := rootOfPath(rowNodePurpose.node, row.hash(d), row.index, commit.rows, row.path)
	if !ok || root != commit.rowRoot {
		return tampered("row", "as shown does not hash to row %d under the commit's row root", row.index)
	}
	report.check("row %d of %d in the commit, recomputed from the fields shown", row.index, commit.rows)
	return row.describe(d, table, place, report)
}

func (row *rowPart) checkVersion(d *definition) *Failure {
	if d.version != row.header.schemaVersion {
		const why = "is version %d, the row was committed under version %d"
		return tampered("table definition", why, d.version, row.header.schemaVersion)
	}
	return nil
}

func (row *rowPart) checkCount(d *definition) *Failure {
	count := len(d.columns)
	if row.header.op == opDelete {
		count = 0
	}
	if len(row.fields) != count {
		return tampered("row", "shows %d fields, its operation and definition ask for %d", len(row.fields), count)
	}
	return nil
}

// unshown counts fields that are shown by their commitments alone.
type unshown struct{ hidden, redacted uint64 }

func (u *unshown) count(row *rowPart) {
	for _, field := range row.fields {
		switch field.tag {
		case fieldHidden:
			u.hidden++
		case fieldErased:
			u.redacted++
		}
	}
}

func (u unshown) leaveOut(report *report) {
	if u.hidden > 0 {
		report.leaveOut(fmt.Sprintf("the values of %d hidden fields", u.hidden))
	}
	if u.redacted > 0 {
		report.leaveOut(fmt.Sprintf("the values of %d redacted fields, and that an erasure took them", u.redacted))
	}
}

// checkSuperseded sees that what is superseded was there before: committed earlier, or earlier in the same commit.
func (row *rowPart) checkSuperseded(table span, place uint64) *Failure {
	old := row.header.superseded
	switch {
	case row.header.supersedes == supersedesRow && old >= table.firstRow:
		return tampered("superseded row", "%d is not older than this commit", old)
	case row.header.supersedes == supersedesOwn && old >= place:
		return tampered("superseded row", "number %d of this commit does not come before this row", old)
	}
	return nil
}

func (row *rowPart) hash(d *definition) hash {
	parts := [][]byte{row.header.bytes, le32(uint32(len(row.fields)))}
	for i := range row.fields {
		commitment := row.fields[i].commit(d.columns[i])
		parts = append(parts, commitment[:])
	}
	return rowPurpose.paddedHash(parts...)
}

func (f *rowField) commit(c column) hash {
	switch f.tag {
	case fieldHidden, fieldErased:
		return f.commitment
	case fieldNull:
		return fieldPurpose.paddedHash(f.salt, le32(c.id), le32(c.oid), []byte{1}, le64(0))
	default:
		return fieldPurpose.paddedHash(f.salt, le32(c.id), le32(c.oid), []byte{0}, le64(uint64(len(f.value))), f.value)
	}
}

func (row *rowPart) describe(d *definition, table span, place uint64, report *report) *Failure {
	name := plainName(d.schema) + "." + plainName(d.name)
	rowID := table.firstRow + place
	report.subject = fmt.Sprintf("row %d of %s, %s", rowID, name, report.subject)
	report.fact("table", "%s, id %d, version %d", name, d.id, d.version)
	report.fact("row id", "%d", rowID)
	operation := [...]string{opInsert: "insert", opUpdate: "update", opDelete: "delete"}[row.header.op]
	switch row.header.supersedes {
	case supersedesRow:
		operation += fmt.Sprintf(", supersedes row %d", row.header.superseded)
	case supersedesOwn:
		operation += fmt.Sprintf(", supersedes row %d", table.firstRow+row.header.superseded)
	}
	report.fact("operation", "%s", operation)
	for i, field := range row.fields {
		text, failure := field.spell(d.columns[i])
		if failure != nil {
			return failure
		}
		report.row = append(report.row, pair{plainName(d.columns[i].name), text})
	}
	report.check("values are canonical for their types")
	var left unshown
	left.count(row)
	left.leaveOut(report)
	report.leaveOut("whether a later commit updated or deleted this row")
	return nil
}

func (f *rowField) spell(c column) (string, *Failure) {
	switch f.tag {
	case fieldHidden:
		return "(hidden)", nil
	case fieldErased:
		return "REDACTED", nil
	case fieldNull:
		return "NULL", nil
	}
	text, failure := formatValue(c.oid, f.value)
	if failure != nil {
		failure.What = "value of column " + plainName(c.name)
	}
	return text, failure
}
