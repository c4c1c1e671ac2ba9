package verify

import (
	"fmt"
	"strings"
)

// disclosure is taken apart and not yet believed: rows of one ledger with some of their fields (docs/formats/disclosure.md). Commits rise, and so
// do the rows of a commit and their tables; there is one spelling.
type disclosure struct {
	commits    []*disclosedCommit
	checkpoint *note
}

type disclosedCommit struct {
	index  uint64
	leaf   []byte
	path   []hash
	tables []*disclosedTable
}

// disclosedTable is rows of one table in one commit.
type disclosedTable struct {
	definition *definitionPart
	rows       []*rowPart
}

func parseDisclosure(data []byte) (*disclosure, *Failure) {
	const what = "disclosure"
	if len(data) > receiptBytesMax {
		return nil, malformed(what, "is longer than 16 MiB")
	}
	lines, noteText, failure := splitText(what, data)
	if failure != nil {
		return nil, failure
	}
	if lines[0] != "shockwave-disclosure@v1" {
		return nil, malformed(what, "does not start with shockwave-disclosure@v1")
	}
	parsed := new(disclosure)
	for i, line := range lines[1:] {
		if failure := parsed.add(fmt.Sprintf("disclosure line %d", i+2), line); failure != nil {
			return nil, failure
		}
	}
	if !parsed.endsWithRow() {
		return nil, malformed(what, "ends without a row")
	}
	parsed.checkpoint, failure = parseNote(noteText)
	return parsed, failure
}

func (d *disclosure) endsWithRow() bool {
	if len(d.commits) == 0 {
		return false
	}
	tables := d.commits[len(d.commits)-1].tables
	return len(tables) > 0 && len(tables[len(tables)-1].rows) > 0
}

func (d *disclosure) add(what, line string) *Failure {
	word, rest, ok := strings.Cut(line, " ")
	switch {
	case ok && word == "commit":
		return d.addCommit(what, rest)
	case ok && word == "table":
		return d.addTable(what, rest)
	case ok && word == "row":
		return d.addRow(what, rest)
	}
	return malformed(what, "is neither a commit, a table nor a row")
}

func (d *disclosure) addCommit(what, rest string) *Failure {
	if len(d.commits) > 0 && !d.endsWithRow() {
		return malformed(what, "comes before a row of the commit above")
	}
	digits, base64, ok := strings.Cut(rest, " ")
	index, isDecimal := decimal(digits)
	if !ok || !isDecimal {
		return malformed(what, "has no canonical number of a commit")
	}
	data, failure := unbase64(what, base64)
	if failure != nil {
		return failure
	}
	r := &reader{what: what, rest: data}
	commit := &disclosedCommit{index: index, leaf: r.longBytes(), path: r.path()}
	r.end()
	if r.failure != nil {
		return r.failure
	}
	if count := len(d.commits); count > 0 && d.commits[count-1].index >= index {
		return malformed(what, "is of commit %d, which does not come after %d", index, d.commits[count-1].index)
	}
	d.commits = append(d.commits, commit)
	return nil
}

func (d *disclosure) addTable(what, base64 string) *Failure {
	if len(d.commits) == 0 {
		return malformed(what, "has no commit above it")
	}
	commit := d.commits[len(d.commits)-1]
	if count := len(commit.tables); count > 0 && len(commit.tables[count-1].rows) == 0 {
		return malformed(what, "comes before a row of the table above")
	}
	data, failure := unbase64(what, base64)
	if failure != nil {
		return failure
	}
	r := &reader{what: what, rest: data}
	table := &disclosedTable{definition: readDefinitionPart(r)}
	r.end()
	commit.tables = append(commit.tables, table)
	return r.failure
}

func (d *disclosure) addRow(what, base64 string) *Failure {
	if len(d.commits) == 0 || len(d.commits[len(d.commits)-1].tables) == 0 {
		return malformed(what, "has no table above it")
	}
	data, failure := unbase64(what, base64)
	if failure != nil {
		return failure
	}
	r := &reader{what: what, rest: data}
	row := readRow(r)
	r.end()
	if r.failure != nil {
		return r.failure
	}
	tables := d.commits[len(d.commits)-1].tables
	table, isFirst := tables[len(tables)-1], false
	above := table.rows
	if len(above) == 0 && len(tables) > 1 {
		above, isFirst = tables[len(tables)-2].rows, true
	}
	if len(above) > 0 {
		if failure := row.checkAfter(what, above[len(above)-1], isFirst); failure != nil {
			return failure
		}
	}
	table.rows = append(table.rows, row)
	return nil
}

func (row *rowPart) checkAfter(what string, before *rowPart, isFirst bool) *Failure {
	relation, above := row.header.relation, before.header.relation
	switch {
	case before.index >= row.index:
		return malformed(what, "is row %d, which does not come after %d", row.index, before.index)
	case isFirst && above >= relation:
		return malformed(what, "is of relation %d, the table above of %d", relation, above)
	case !isFirst && above != relation:
		return malformed(what, "is of relation %d, the row above of %d", relation, above)
	}
	return nil
}

// Disclosure decides what a disclosure (the bytes of its file, text or SD-JWT) shows under a policy: named fields of rows, and of all others nothing.
func Disclosure(data []byte, policy *Policy) Verdict {
	report := new(report)
	if IsSDJWT(data) {
		return report.conclude(checkSDJWT(data, policy, report))
	}
	return report.conclude(checkDisclosure(data, policy, report))
}

func checkDisclosure(data []byte, policy *Policy, report *report) *Failure {
	parsed, failure := parseDisclosure(data)
	if failure != nil {
		return failure
	}
	checkpoint, failure := openCheckpoint(parsed.checkpoint, policy, report)
	if failure != nil {
		return failure
	}
	return parsed.checkCommits(checkpoint, report)
}

// checkCommits sees to all that stands under a checkpoint that was opened.
func (d *disclosure) checkCommits(checkpoint checkpoint, report *report) *Failure {
	ledger, failure := checkpoint.ledger()
	if failure != nil {
		return failure
	}
	tables, left := 0, unshown{}
	for _, commit := range d.commits {
		leaf, failure := checkpoint.leafAt(commit.index, commit.leaf, commit.path, ledger, newReport())
		if failure == nil && leaf.kind != "commit" {
			failure = malformed("disclosure", "shows a row of a %s leaf", leaf.kind)
		}
		if failure != nil {
			return failure.in("commit %d", commit.index)
		}
		for _, table := range commit.tables {
			if failure := table.check(leaf, report); failure != nil {
				return failure
			}
			for _, row := range table.rows {
				left.count(row)
			}
		}
		tables += len(commit.tables)
	}
	rows, commits := len(report.disclosed), len(d.commits)
	report.check("%d leaves in the log of %d (SHA-256 tree), with ledger id and position", commits, checkpoint.size)
	report.check("%d table definitions under the schema roots of their commits", tables)
	report.check("%d rows under the row roots of their commits, recomputed from the fields shown", rows)
	report.check("values are canonical for their types")
	report.fact("commits", "%d", commits)
	report.fact("rows", "%d", rows)
	report.subject = fmt.Sprintf("%d rows of %d commits of %s", rows, commits, plainName(checkpoint.origin))
	left.leaveOut(report)
	report.leaveOut("whether a later commit updated or deleted these rows")
	report.leaveOut(extendsPinned)
	return nil
}

// check sees to each row; the definition is read once, however many rows there are.
func (t *disclosedTable) check(leaf *leaf, report *report) *Failure {
	var d *definition
	for _, row := range t.rows {
		ofRow := newReport()
		ofRow.subject = fmt.Sprintf("commit %d", leaf.seq)
		leaf.describe(ofRow)
		table, place, failure := row.locate(leaf)
		if failure == nil && d == nil {
			d, failure = t.definition.under(leaf, table.relation)
		}
		if failure == nil {
			failure = row.checkOf(d, table, place, leaf, ofRow)
		}
		if failure != nil {
			return failure.in("commit %d, row %d", leaf.seq, row.index)
		}
		report.disclosed = append(report.disclosed, ofRow)
	}
	return nil
}
