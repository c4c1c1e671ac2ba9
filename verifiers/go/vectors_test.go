package verify

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// vector is a file of receipts/tests/vectors; docs/formats/vectors.md.
type vector struct {
	Name     string  `json:"name"`
	Kind     string  `json:"kind"`
	Policy   string  `json:"policy"`
	Pinned   *string `json:"pinned"`
	Input    string  `json:"input"`
	Verdict  string  `json:"verdict"`
	ExitCode Code    `json:"exit_code"`
	Reason   string  `json:"reason"`
	Says     string  `json:"says"`
}

func (v *vector) verify(input []byte) Verdict {
	policy, failure := ParsePolicy([]byte(v.Policy))
	if failure != nil {
		return failure.Verdict()
	}
	switch v.Kind {
	case "consistency":
		return Consistency([]byte(*v.Pinned), input, policy)
	case "cose":
		data, err := base64.StdEncoding.DecodeString(string(input))
		if err != nil {
			panic(err)
		}
		return Receipt(data, policy)
	case "export":
		return v.verifyExport(input, policy)
	case "disclosure":
		return Disclosure(input, policy)
	}
	return Receipt(input, policy)
}

// verifyExport writes the files of the input, a JSON object with base64 in it.
func (v *vector) verifyExport(input []byte, policy *Policy) Verdict {
	path, err := os.MkdirTemp("", "shockwave-export-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(path)
	var files map[string][]byte
	if err := json.Unmarshal(input, &files); err != nil {
		panic(err)
	}
	for name, data := range files {
		file := filepath.Join(path, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			panic(err)
		}
		if err := os.WriteFile(file, data, 0o600); err != nil {
			panic(err)
		}
	}
	var pinned []byte
	if v.Pinned != nil {
		pinned = []byte(*v.Pinned)
	}
	return Export(path, pinned, policy)
}

func vectors(t testing.TB) []vector {
	folder := os.Getenv("SHOCKWAVE_VECTORS")
	if folder == "" {
		folder = "../../receipts/tests/vectors"
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no vectors in %s: %v", folder, err)
	}
	all := make([]vector, len(files))
	for i, file := range files {
		data, err := os.ReadFile(file)
		if err == nil {
			err = json.Unmarshal(data, &all[i])
		}
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
	}
	return all
}

func TestVectors(t *testing.T) {
	for _, v := range vectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			verdict := v.verify([]byte(v.Input))
			if verdict.Code != v.ExitCode || verdict.Text != v.Says || !strings.Contains(verdict.Text, v.Reason) {
				t.Errorf("ends with %d, not %d, and says\n%s\nnot\n%s", verdict.Code, v.ExitCode, verdict.Text, v.Says)
			}
		})
	}
}

// TestDifferential takes the changed vectors that the Rust verifier has judged, where SHOCKWAVE_MUTATIONS names them.
func TestDifferential(t *testing.T) {
	path := os.Getenv("SHOCKWAVE_MUTATIONS")
	if path == "" {
		t.Skip("SHOCKWAVE_MUTATIONS names no file")
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for decoder := json.NewDecoder(file); decoder.More(); {
		var v vector
		if err := decoder.Decode(&v); err != nil {
			t.Fatal(err)
		}
		if verdict := v.verify([]byte(v.Input)); verdict.Code != v.ExitCode || verdict.Text != v.Says {
			t.Errorf("%s ends with %d, not %d, and says\n%s\nnot\n%s", v.Name, verdict.Code, v.ExitCode, verdict.Text, v.Says)
		}
	}
}

// TestMutations changes vectors here and there: whatever comes out ends in a verdict, and what was valid says the same if it still is.
func TestMutations(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, v := range vectors(t) {
		if v.Kind == "export" || v.Kind == "cose" {
			continue // no text; changed ones are among those of TestDifferential
		}
		for range 40 {
			input := mutated(random, []byte(v.Input))
			verdict := v.verify(input)
			// A disclosure without some of its rows is a good one of the others.
			isWhole := v.Kind != "disclosure"
			if isWhole && v.ExitCode == Valid && verdict.Code == Valid && ofLog(verdict.Text) != ofLog(v.Says) {
				t.Fatalf("%s: %q is valid and says %s", v.Name, input, verdict.Text)
			}
		}
	}
}

// ofLog is what a verdict says but for cosignatures: a checkpoint without those that no quorum needs is a good one.
func ofLog(says string) string {
	lines := strings.Split(says, "\n")
	return strings.Join(slices.DeleteFunc(lines, func(line string) bool { return strings.Contains(line, "cosign") }), "\n")
}

func mutated(random *rand.Rand, data []byte) []byte {
	data = bytes.Clone(data)
	for range 1 + random.IntN(3) {
		if len(data) == 0 {
			return data
		}
		at := random.IntN(len(data))
		switch random.IntN(4) {
		case 0:
			data[at] ^= 1 << random.IntN(8)
		case 1:
			data = append(data[:at], data[at+1:]...)
		case 2:
			data = append(data[:at:at], append([]byte{byte(random.IntN(256))}, data[at:]...)...)
		case 3:
			data = data[:at]
		}
	}
	return data
}
