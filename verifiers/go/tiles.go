package verify

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

const (
	tileWidth      = 256
	tileHashesMax  = 32 * tileWidth
	tileLevels     = 8
	entriesLevel   = -1
	bundleBytesMax = tileWidth * (2 + leafBytesMax)
)

var (
	tilePattern = regexp.MustCompile(`^(b3/)?tile/(entries|[0-7])/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/.*)?$`)
	rowsPattern = regexp.MustCompile(`^rows/((?:x[0-9]{3}/)*[0-9]{3})$`)
)

// numberPath is groups of three digits, all but the last with an `x` before.
func numberPath(number uint64) string {
	path := fmt.Sprintf("%03d", number%1000)
	for number /= 1000; number > 0; number /= 1000 {
		path = fmt.Sprintf("x%03d/%s", number%1000, path)
	}
	return path
}

// tilePath is the file of hashes of a level, or of entries, in a log of size leaves, if it has one.
func tilePath(level int, number, size uint64) (path string, ok bool) {
	kind := "entries"
	if level != entriesLevel {
		kind, size = strconv.Itoa(level), size>>(8*level)
	}
	if number > size/tileWidth || number*tileWidth == size {
		return "", false
	}
	path = "tile/" + kind + "/" + numberPath(number)
	if width := size - number*tileWidth; width < tileWidth {
		path += fmt.Sprintf(".p/%d", width)
	}
	return path, true
}

func rowsPath(number uint64) string { return "rows/" + numberPath(number) }

// isTile says whether a log of this size has this tile. The BLAKE3 tree has no entries of its own.
func isTile(path string, size uint64) bool {
	found := tilePattern.FindStringSubmatch(path)
	if found == nil || found[1] != "" && found[2] == "entries" {
		return false
	}
	level, err := strconv.Atoi(found[2])
	if err != nil {
		level = entriesLevel
	}
	number, ok := numberOf(found[3])
	if !ok {
		return false
	}
	own, ok := tilePath(level, number, size)
	return ok && found[1]+own == path
}

func isRows(path string, first, end uint64) bool {
	found := rowsPattern.FindStringSubmatch(path)
	if found == nil {
		return false
	}
	number, ok := numberOf(found[1])
	return ok && first <= number && number < end && rowsPath(number) == path
}

func numberOf(groups string) (uint64, bool) {
	number, err := strconv.ParseUint(strings.NewReplacer("/", "", "x", "").Replace(groups), 10, 64)
	return number, err == nil
}
