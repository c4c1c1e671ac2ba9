package verify

import (
	"encoding/base64"
	"testing"
)

// The fuzz targets run their seeds in every `go test`; `go test -fuzz FuzzReceipt` goes on from them.

func FuzzReceipt(f *testing.F) {
	all := vectors(f)
	for _, v := range all {
		if v.Kind == "receipt" {
			f.Add([]byte(v.Input))
		}
	}
	policy := goodPolicy(f, all)
	f.Fuzz(func(t *testing.T, data []byte) { Receipt(data, policy) })
}

func FuzzCOSE(f *testing.F) {
	all := vectors(f)
	for _, v := range all {
		if data, err := base64.StdEncoding.DecodeString(v.Input); v.Kind == "cose" && err == nil {
			f.Add(data)
		}
	}
	policy := goodPolicy(f, all)
	f.Fuzz(func(t *testing.T, data []byte) { Receipt(data, policy) })
}

func FuzzDisclosure(f *testing.F) {
	all := vectors(f)
	for _, v := range all {
		if v.Kind == "disclosure" {
			f.Add([]byte(v.Input))
		}
	}
	policy := goodPolicy(f, all)
	f.Fuzz(func(t *testing.T, data []byte) { Disclosure(data, policy) })
}

func FuzzConsistency(f *testing.F) {
	all := vectors(f)
	for _, v := range all {
		if v.Kind == "consistency" {
			f.Add([]byte(*v.Pinned), []byte(v.Input))
		}
	}
	policy := goodPolicy(f, all)
	f.Fuzz(func(t *testing.T, pinned, data []byte) { Consistency(pinned, data, policy) })
}

func FuzzPolicy(f *testing.F) {
	for _, v := range vectors(f) {
		f.Add([]byte(v.Policy))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if policy, failure := ParsePolicy(data); (policy == nil) == (failure == nil) {
			t.Fatal("neither a policy nor a reason")
		}
	})
}

// FuzzUnsigned reaches what stands behind a signature and a hash.
func FuzzUnsigned(f *testing.F) {
	for _, v := range vectors(f) {
		if receipt, failure := parseReceipt([]byte(v.Input)); failure == nil {
			f.Add(uint32(20), receipt.leaf)
			if receipt.row != nil {
				f.Add(uint32(25), receipt.definition.bytes)
				for _, field := range receipt.row.fields {
					f.Add(uint32(1009), field.value)
				}
			}
		}
	}
	f.Fuzz(func(t *testing.T, oid uint32, data []byte) {
		parseLeaf(data)
		parseDefinition(data)
		formatValue(oid, data)
		for _, known := range []uint32{16, 21, 23, 700, 701, 1700, 25, 17, 1082, 1114, 1184, 1042, 1083, 1186, 2950, 1007, 1231} {
			formatValue(known, data)
		}
	})
}

func goodPolicy(f *testing.F, all []vector) *Policy {
	for _, v := range all {
		if v.Name == "valid-row" {
			policy, failure := ParsePolicy([]byte(v.Policy))
			if failure != nil {
				f.Fatal(failure)
			}
			return policy
		}
	}
	f.Fatal("no vector valid-row")
	return nil
}
