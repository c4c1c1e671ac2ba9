package verify

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const (
	filesMax       = 1_000_000
	rangeBytesMax  = 4096
	rowBytesMax    = 64 << 20
	objectBytesMax = 64 << 20
)

// exportRange is the file `export`: which commits' rows are there. Which files an export has follows from it and the checkpoint.
type exportRange struct{ first, end uint64 }

// bundles are the numbers from first to before end of the entry bundles whose commits' rows are there.
func (r exportRange) bundles() (first, end uint64) {
	return r.first / tileWidth, (r.end-1)/tileWidth + 1
}

func (r exportRange) hasFile(path string, size uint64) bool {
	switch path {
	case "README.md", "policy.txt", "export", "checkpoint", "b3/checkpoint", cosignedFile, "objects":
		return true
	}
	first, end := r.bundles()
	return isRows(path, first, end) || isTile(path, size)
}

func parseRange(data []byte) (r exportRange, failure *Failure) {
	const what = "export"
	text, failure := validText(what, data)
	if failure != nil {
		return r, failure
	}
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[0] != "shockwave-export@v1" || lines[3] != "" {
		return r, malformed(what, "is not the three lines of an export")
	}
	firstDigits, hasFirst := strings.CutPrefix(lines[1], "first ")
	endDigits, hasEnd := strings.CutPrefix(lines[2], "end ")
	first, isFirst := decimal(firstDigits)
	end, isEnd := decimal(endDigits)
	if !hasFirst || !hasEnd || !isFirst || !isEnd {
		return r, malformed(what, "is not the three lines of an export")
	}
	if first >= end {
		return r, malformed(what, "is of no commit")
	}
	return exportRange{first, end}, nil
}

// folder is an export on disk.
type folder string

// paths are every file below the folder, sorted; a few more than filesMax at most.
func (f folder) paths() ([]string, *Failure) {
	var paths []string
	err := filepath.WalkDir(string(f), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		relative, err := filepath.Rel(string(f), path)
		paths = append(paths, filepath.ToSlash(relative))
		if len(paths) > filesMax {
			return fs.SkipAll
		}
		return err
	})
	if err != nil {
		return nil, malformed("export", "has a folder that cannot be read")
	}
	slices.Sort(paths)
	return paths, nil
}

func (f folder) has(path string) bool {
	_, err := os.Stat(filepath.Join(string(f), path))
	return !errors.Is(err, fs.ErrNotExist)
}

func (f folder) open(path string) (*os.File, *Failure) {
	file, err := os.Open(filepath.Join(string(f), filepath.FromSlash(path)))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, tampered(path, "is not there")
	case err != nil:
		return nil, malformed(path, "cannot be read")
	}
	return file, nil
}

// read is a whole file of at most so many bytes.
func (f folder) read(path string, most int) ([]byte, *Failure) {
	file, failure := f.open(path)
	if failure != nil {
		return nil, failure
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, int64(most)+1))
	if err != nil {
		return nil, malformed(path, "cannot be read")
	}
	if len(data) > most {
		return nil, malformed(path, "is longer than %d bytes", most)
	}
	return data, nil
}

// object is one of the catalog, and the row that defined it.
type object struct {
	row        uint64
	definition []byte
}

// parseObjects reads the catalog before the first commit of the range, by rising id.
func parseObjects(data []byte) (map[uint32]object, *Failure) {
	r := &reader{what: "objects", rest: data}
	objects := map[uint32]object{}
	for before := int64(-1); len(r.rest) > 0; {
		id, found := r.u32(), object{r.u64(), r.longBytes()}
		if before >= int64(id) {
			r.fail("lists object %d after %d", id, before)
		}
		if r.failure != nil {
			return nil, r.failure
		}
		objects[id], before = found, int64(id)
	}
	return objects, r.failure
}

// rowsFile gives rows one after the other.
type rowsFile struct {
	path string
	file *os.File
	rest *bufio.Reader
}

func (f *rowsFile) next(place string) (*rowPart, *Failure) {
	var length [4]byte
	if failure := f.fill(length[:], place); failure != nil {
		return nil, failure
	}
	count := binary.LittleEndian.Uint32(length[:])
	if count > rowBytesMax {
		return nil, malformed(place, "has %d bytes, at most %d", count, rowBytesMax)
	}
	// Grows with what is there, not with what is announced.
	data, err := io.ReadAll(io.LimitReader(f.rest, int64(count)))
	if err != nil {
		return nil, malformed(place, "cannot be read")
	}
	if len(data) < int(count) {
		return nil, tampered(place, "is not there, or not all of it")
	}
	r := &reader{what: place, rest: data}
	row := &rowPart{header: readHeader(r), fields: readFields(r)}
	r.end()
	return row, r.failure
}

func (f *rowsFile) fill(buffer []byte, place string) *Failure {
	switch _, err := io.ReadFull(f.rest, buffer); {
	case err == nil:
		return nil
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return tampered(place, "is not there, or not all of it")
	default:
		return malformed(place, "cannot be read")
	}
}
