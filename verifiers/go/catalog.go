package verify

import (
	"encoding/binary"
	"math"
	"slices"
)

// catalogRelation is that of the rows which the catalog is folded from.
const catalogRelation = 1

// catalog is all objects as of one commit.
type catalog struct {
	objects map[uint32]object
	// Definitions of tables that were read since they last changed.
	tables map[uint32]*definition
	known  *hash
}

// namesRows says whether an object is said to come from a row.
func (c *catalog) namesRows() bool {
	for _, found := range c.objects {
		if found.row != math.MaxUint64 {
			return true
		}
	}
	return false
}

// table is the definition of a table, nil if there is no such object.
func (c *catalog) table(id uint32) (*definition, *Failure) {
	if d, ok := c.tables[id]; ok {
		return d, nil
	}
	found, ok := c.objects[id]
	if !ok {
		return nil, nil
	}
	d, failure := parseDefinition(found.definition)
	if failure == nil {
		c.tables[id] = d
	}
	return d, failure
}

// fold takes in one row of `ledger.catalog`, which begins its commit's span at firstRow.
func (c *catalog) fold(row *rowPart, firstRow, rowID uint64) *Failure {
	c.known = nil
	header := &row.header
	if header.op != opInsert {
		ended := header.superseded
		if header.supersedes == supersedesOwn {
			ended += firstRow
		}
		for id, found := range c.objects {
			if found.row == ended {
				delete(c.objects, id)
				delete(c.tables, id)
			}
		}
	}
	if header.op == opDelete {
		return nil
	}
	unreadable := malformed("catalog", "has a row that is no object's")
	if len(row.fields) != 4 || row.fields[0].tag != fieldShown || row.fields[3].tag != fieldShown || len(row.fields[0].value) != 8 {
		return unreadable
	}
	id := binary.LittleEndian.Uint64(row.fields[0].value)
	if id > math.MaxUint32 {
		return unreadable
	}
	delete(c.tables, uint32(id))
	c.objects[uint32(id)] = object{rowID, row.fields[3].value}
	return nil
}

// root is that of all objects, in the order of their ids.
func (c *catalog) root() hash {
	if c.known == nil {
		ids := make([]uint32, 0, len(c.objects))
		for id := range c.objects {
			ids = append(ids, id)
		}
		slices.Sort(ids)
		tree := frontier{join: schemaNodePurpose.node, empty: schemaNodePurpose.hash()}
		for _, id := range ids {
			tree.append(schemaPurpose.hash(le32(id), c.objects[id].definition), func(int, hash) {})
		}
		root := sizedRoot(uint32(len(ids)), tree.root())
		c.known = &root
	}
	return *c.known
}
