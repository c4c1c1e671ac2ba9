package verify

import "fmt"

const columnsMax = 1_600

type column struct {
	id, oid uint32
	name    string
}

// definition is that of a table, as far as a verifier reads it. Ids and names of columns are unique; their order is that of a row's fields.
type definition struct {
	id, version  uint32
	schema, name string
	columns      []column
}

func parseDefinition(data []byte) (*definition, *Failure) {
	text, failure := validText("table definition", data)
	if failure != nil {
		return nil, failure
	}
	value, failure := parseJSON(text)
	if failure != nil {
		return nil, failure
	}
	table := &members{of: value}
	if kind := table.text("kind"); kind != "table" && kind != "sequence" {
		table.refuse("is of another kind than table or sequence")
	}
	listed, ok := table.get("columns").([]any)
	if !ok {
		table.refuse("has no list of columns")
	}
	if len(listed) > columnsMax {
		table.refuse("has more than 1600 columns")
	}
	d := new(definition)
	if table.failure == nil {
		d.columns, table.failure = parseColumns(listed)
	}
	d.id, d.schema, d.name, d.version = table.number("id"), table.text("schema"), table.text("name"), table.number("version")
	return d, table.failure
}

func parseColumns(listed []any) ([]column, *Failure) {
	ids, names := map[uint32]bool{}, map[string]bool{}
	columns := make([]column, len(listed))
	for i, value := range listed {
		one := &members{of: value}
		columns[i].id, columns[i].name = one.number("id"), one.text("name")
		one.text("type")
		columns[i].oid = one.number("oid")
		if one.failure != nil {
			return nil, one.failure
		}
		ids[columns[i].id], names[columns[i].name] = true, true
	}
	if len(ids) < len(columns) || len(names) < len(columns) {
		return nil, refuse("has two columns of one id or name")
	}
	return columns, nil
}

// members reads those of an object; the first failure stays.
type members struct {
	of      any
	failure *Failure
}

func (m *members) refuse(why string) {
	if m.failure == nil {
		m.failure = refuse(why)
	}
}

func (m *members) get(name string) any {
	object, _ := m.of.(map[string]any)
	return object[name]
}

func (m *members) text(name string) string {
	text, ok := m.get(name).(string)
	if !ok {
		m.refuse(fmt.Sprintf("has no text `%s`", name))
	}
	return text
}

func (m *members) number(name string) uint32 {
	number, ok := m.get(name).(int64)
	if !ok || number < 0 || number > 1<<32-1 {
		m.refuse(fmt.Sprintf("has no unsigned 32-bit number `%s`", name))
	}
	return uint32(number)
}
