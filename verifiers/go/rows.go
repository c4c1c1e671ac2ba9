package verify

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// exportRows checks the rows of an export, one at a time, against the leaves of their commits. A row is hashed under the definition that the catalog
// has as of its commit; the file of a bundle ends with the last row of its commits.
type exportRows struct {
	files  folder
	within exportRange
	catalog
	file *rowsFile
	// The last commit before the range.
	before         *leaf
	count, commits uint64
	left           unshown
}

func openRows(files folder, within exportRange) (*exportRows, *Failure) {
	data, failure := files.read("objects", objectBytesMax)
	if failure != nil {
		return nil, failure
	}
	objects, failure := parseObjects(data)
	return &exportRows{files: files, within: within, catalog: catalog{objects: objects, tables: map[uint32]*definition{}}}, failure
}

func (r *exportRows) hasComparedObjects() bool { return r.before != nil || r.commits > 0 }

func (r *exportRows) beginBundle(number uint64) *Failure {
	if first, end := r.within.bundles(); number < first || number >= end {
		return nil
	}
	path := rowsPath(number)
	file, failure := r.files.open(path)
	if failure == nil {
		r.file = &rowsFile{path, file, bufio.NewReader(file)}
	}
	return failure
}

func (r *exportRows) endBundle() *Failure {
	if r.file == nil {
		return nil
	}
	defer r.close()
	switch _, err := r.file.rest.ReadByte(); {
	case err == nil:
		return tampered(r.file.path, "goes on after its last row")
	case !errors.Is(err, io.EOF):
		return malformed(r.file.path, "cannot be read")
	}
	return nil
}

func (r *exportRows) close() {
	if r.file != nil {
		r.file.file.Close()
		r.file = nil
	}
}

// reach sees, at the range's first leaf, that the objects are those of the commits before it.
func (r *exportRows) reach(seq uint64) *Failure {
	switch {
	case seq != r.within.first:
	case r.before == nil && r.namesRows():
		return tampered("objects", "name rows of the catalog that came before the first commit")
	case r.before != nil && r.root() != r.before.schemaRoot:
		return tampered("objects", "do not give the schema root of commit %d", r.before.seq)
	}
	return nil
}

func (r *exportRows) checkCommit(commit *leaf) *Failure {
	if commit.seq < r.within.first {
		r.before = commit
	}
	if commit.seq < r.within.first || commit.seq >= r.within.end {
		return nil
	}
	where := fmt.Sprintf("%s, commit %d", r.file.path, commit.seq)
	tree := frontier{join: rowNodePurpose.node, empty: rowNodePurpose.hash()}
	for _, table := range commit.spans {
		var d *definition
		for place := range table.rows {
			inRow := fmt.Sprintf("%s, row %d", where, tree.size)
			row, failure := r.file.next(inRow)
			if failure != nil {
				return failure
			}
			row.index = tree.size
			if d, failure = r.checkRow(row, table, place, d); failure != nil {
				return failure.in("%s", inRow)
			}
			tree.append(row.hash(d), func(int, hash) {})
		}
	}
	if tree.root() != commit.rowRoot {
		return tampered(where, "its rows do not give its row root")
	}
	if r.root() != commit.schemaRoot {
		return tampered(where, "the catalog, folded from objects and rows, does not give its schema root")
	}
	r.count += tree.size
	r.commits++
	return nil
}

// checkRow is the definition that the row is under, which is d if it is known already.
func (r *exportRows) checkRow(row *rowPart, table span, place uint64, d *definition) (*definition, *Failure) {
	if relation := row.header.relation; relation != table.relation {
		const why = "%d is not the table of row %d of the commit, which is %d"
		return nil, tampered("relation", why, relation, row.index, table.relation)
	}
	if d == nil {
		found, failure := r.table(table.relation)
		switch {
		case failure != nil:
			return nil, failure
		case found == nil:
			return nil, tampered("table definition", "is not in the catalog")
		case found.id != table.relation:
			return nil, tampered("table definition", "says it is of table %d, not %d", found.id, table.relation)
		}
		d = found
	}
	if failure := row.checkVersion(d); failure != nil {
		return nil, failure
	}
	if failure := row.checkSuperseded(table, place); failure != nil {
		return nil, failure
	}
	if failure := row.checkCount(d); failure != nil {
		return nil, failure
	}
	for i := range row.fields {
		if _, failure := row.fields[i].spell(d.columns[i]); failure != nil {
			return nil, failure
		}
	}
	r.left.count(row)
	if table.relation == catalogRelation {
		return d, r.fold(row, table.firstRow, table.firstRow+place)
	}
	return d, nil
}
