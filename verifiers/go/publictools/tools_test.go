package publictools

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	logFolder    = "../../../receipts/tests/log"
	vectorFolder = "../../../receipts/tests/vectors"
)

func read(t *testing.T, path string) []byte {
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// checkpointOf opens a signed checkpoint with the first key of a policy.
func checkpointOf(t *testing.T, signed, policy string) tlog.Tree {
	vkey := strings.TrimPrefix(strings.Split(policy, "\n")[0], "log ")
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	opened, err := note.Open([]byte(signed), note.VerifierList(verifier))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(opened.Text, "\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return tlog.Tree{N: size, Hash: hashOf(t, lines[2])}
}

func hashOf(t *testing.T, line string) tlog.Hash {
	hash, err := tlog.ParseHash(line)
	if err != nil {
		t.Fatal(err)
	}
	return hash
}

func hashesOf(t *testing.T, lines []string) (hashes []tlog.Hash) {
	for _, line := range lines {
		hashes = append(hashes, hashOf(t, line))
	}
	return hashes
}

type vector struct{ Policy, Pinned, Input string }

func vectorOf(t *testing.T, name string) (v vector) {
	if err := json.Unmarshal(read(t, filepath.Join(vectorFolder, name+".json")), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestReceipts(t *testing.T) {
	for _, name := range []string{"valid-row", "valid-commit", "valid-key-leaf", "valid-smaller-checkpoint", "valid-row-in-second-group"} {
		v := vectorOf(t, name)
		head, signed, _ := strings.Cut(v.Input, "\n\n")
		lines := strings.Split(head, "\n")
		extra, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra "))
		if err != nil {
			t.Fatal(err)
		}
		leaf := extra[12 : 12+binary.LittleEndian.Uint32(extra[8:])]
		index, err := strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		tree := checkpointOf(t, signed, v.Policy)
		path := hashesOf(t, lines[3:])
		if err := tlog.CheckRecord(path, tree.N, tree.Hash, index, tlog.RecordHash(leaf)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestConsistency(t *testing.T) {
	for _, name := range []string{"valid-consistency", "valid-consistency-same-size"} {
		v := vectorOf(t, name)
		head, signed, _ := strings.Cut(v.Input, "\n\n")
		old, tree := checkpointOf(t, v.Pinned, v.Policy), checkpointOf(t, signed, v.Policy)
		path := hashesOf(t, strings.Split(head, "\n")[1:])
		if err := tlog.CheckTree(path, tree.N, tree.Hash, old.N, old.Hash); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// tiles reads our files; C2SP's paths leave out the height that tlog's have.
type tiles struct{}

func (tiles) Height() int { return 8 }

func (tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func (tiles) ReadTiles(wanted []tlog.Tile) (data [][]byte, err error) {
	for _, tile := range wanted {
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		bytes, err := os.ReadFile(filepath.Join(logFolder, path))
		if err != nil {
			return nil, err
		}
		data = append(data, bytes)
	}
	return data, nil
}

func TestTiles(t *testing.T) {
	policy := string(read(t, filepath.Join(logFolder, "policy.txt")))
	tree := checkpointOf(t, string(read(t, filepath.Join(logFolder, "checkpoint"))), policy)
	old := checkpointOf(t, string(read(t, filepath.Join(logFolder, "checkpoint.old"))), policy)
	// The reader checks every tile it reads against the root.
	reader := tlog.TileHashReader(tree, tiles{})
	root, err := tlog.TreeHash(tree.N, reader)
	if err != nil || root != tree.Hash {
		t.Fatalf("root %v, not %v: %v", root, tree.Hash, err)
	}
	for index, leaf := range entries(t, tree.N) {
		path, err := tlog.ProveRecord(tree.N, int64(index), reader)
		if err == nil {
			err = tlog.CheckRecord(path, tree.N, tree.Hash, int64(index), tlog.RecordHash(leaf))
		}
		if err != nil {
			t.Errorf("leaf %d: %v", index, err)
		}
	}
	path, err := tlog.ProveTree(tree.N, old.N, reader)
	if err == nil {
		err = tlog.CheckTree(path, tree.N, tree.Hash, old.N, old.Hash)
	}
	if err != nil {
		t.Errorf("from %d to %d: %v", old.N, tree.N, err)
	}
}

// entries are the leaves out of the entry bundles.
func entries(t *testing.T, size int64) (leaves [][]byte) {
	for bundle := int64(0); int64(len(leaves)) < size; bundle++ {
		name := fmt.Sprintf("%03d", bundle)
		if width := size - 256*bundle; width < 256 {
			name += fmt.Sprintf(".p/%d", width)
		}
		data := read(t, filepath.Join(logFolder, "tile/entries", name))
		for len(data) > 0 {
			end := 2 + int(binary.BigEndian.Uint16(data))
			leaves, data = append(leaves, data[2:end]), data[end:]
		}
	}
	if int64(len(leaves)) != size {
		t.Fatalf("%d leaves, not %d", len(leaves), size)
	}
	return leaves
}
