package verify

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
)

const statedMax = 1_000_000

// exportLog checks the leaves of an export, bundle by bundle, against the tiles beside them and the roots above them. A leaf is read only after its hash
// was found in both tiles of level 0; roots that a leaf, a pinned or a cosigned checkpoint states of an earlier size are compared when the log has that size.
type exportLog struct {
	files      folder
	checkpoint checkpoint
	ledger     [16]byte
	pinned     *checkpoint
	cosigned   *checkpoint
	trees      [2]frontier
	// Of each tree the tile of each level from 1 on that is being filled.
	growing      [2][tileLevels][]byte
	statedBefore map[uint64][]statedAt
	nextRows     map[uint32]uint64
	timeMicros   int64
	keys         *keysPart

	keyLeaves, stated, lost uint64
}

// statedAt is roots, and the leaf that states them.
type statedAt struct {
	seq uint64
	*statedPart
}

var logTrees = [2]struct {
	folder string
	*logTree
}{{"", &sha256Tree}, {"b3/", &blake3Tree}}

func openLog(files folder, c checkpoint, ledger [16]byte, pinned, cosigned *checkpoint) (*exportLog, *Failure) {
	log := &exportLog{files: files, checkpoint: c, ledger: ledger, pinned: pinned, cosigned: cosigned, nextRows: map[uint32]uint64{}, timeMicros: math.MinInt64}
	for i, tree := range logTrees {
		log.trees[i] = frontier{join: tree.node, empty: tree.empty}
	}
	return log, log.readAhead()
}

// check sees to all leaves, and to the rows of those in the range.
func (l *exportLog) check(rows *exportRows) *Failure {
	if failure := l.compareStated(); failure != nil {
		return failure
	}
	for number := range l.bundles() {
		if failure := l.checkBundle(number, rows); failure != nil {
			return failure
		}
	}
	return l.finish()
}

func (l *exportLog) bundles() uint64 {
	return l.checkpoint.size/tileWidth + min(l.checkpoint.size%tileWidth, 1)
}

func (l *exportLog) entries(seq uint64) string {
	path, _ := tilePath(entriesLevel, seq/tileWidth, l.checkpoint.size)
	return path
}

// leaves are those of a bundle: exactly as many as it must have.
func (l *exportLog) leaves(number uint64) (path string, leaves [][]byte, failure *Failure) {
	first := number * tileWidth
	path = l.entries(first)
	data, failure := l.files.read(path, bundleBytesMax)
	if failure != nil {
		return path, nil, failure
	}
	width := min(tileWidth, l.checkpoint.size-first)
	for i := range width {
		length := 0
		if len(data) >= 2 {
			length = 2 + int(binary.BigEndian.Uint16(data))
		}
		if length == 0 || length > len(data) {
			return path, nil, malformed(path, "ends before or in leaf %d", first+i)
		}
		leaves, data = append(leaves, data[2:length]), data[length:]
	}
	if len(data) > 0 {
		return path, nil, malformed(path, "has %d bytes after its %d leaves", len(data), width)
	}
	return path, leaves, nil
}

func (l *exportLog) checkBundle(number uint64, rows *exportRows) *Failure {
	path, leaves, failure := l.leaves(number)
	if failure != nil {
		return failure
	}
	var tiles [2][]byte
	var names [2]string
	for i, tree := range logTrees {
		name, _ := tilePath(0, number, l.checkpoint.size)
		names[i] = tree.folder + name
		if tiles[i], failure = l.files.read(names[i], tileHashesMax); failure != nil {
			return failure
		}
		if len(tiles[i]) != 32*len(leaves) {
			return tampered(names[i], "has %d bytes, not %d", len(tiles[i]), 32*len(leaves))
		}
	}
	if failure := rows.beginBundle(number); failure != nil {
		return failure
	}
	for i, data := range leaves {
		seq := number*tileWidth + uint64(i)
		var hashes [2]hash
		for t, tree := range logTrees {
			hashes[t] = tree.leaf(data)
			if !bytes.Equal(tiles[t][32*i:32*i+32], hashes[t][:]) {
				return tampered(fmt.Sprintf("%s, leaf %d", path, seq), "does not give hash %d of %s", i, names[t])
			}
		}
		if failure := l.checkLeaf(data, seq, path, rows); failure != nil {
			return failure
		}
		if failure := l.append(hashes); failure != nil {
			return failure
		}
		if failure := l.compareStated(); failure != nil {
			return failure
		}
	}
	return rows.endBundle()
}

func (l *exportLog) checkLeaf(data []byte, seq uint64, path string, rows *exportRows) *Failure {
	leaf, failure := parseLeaf(data)
	if failure == nil {
		failure = l.checkParsed(leaf, seq)
	}
	if failure != nil {
		return failure.in("%s, leaf %d", path, seq)
	}
	if failure := rows.reach(seq); failure != nil {
		return failure
	}
	if leaf.kind == "commit" {
		return rows.checkCommit(leaf)
	}
	return nil
}

func (l *exportLog) checkParsed(leaf *leaf, seq uint64) *Failure {
	switch {
	case leaf.ledger != l.ledger:
		return tampered("leaf", "belongs to another ledger than the checkpoint")
	case leaf.seq != seq:
		return tampered("leaf", "says it is at %d, but is at %d", leaf.seq, seq)
	case leaf.timeMicros < l.timeMicros:
		return tampered("leaf", "is older than the one before it")
	}
	l.timeMicros = leaf.timeMicros
	for _, s := range leaf.spans {
		if next := l.nextRows[s.relation]; s.firstRow != next {
			return tampered("commit leaf", "begins relation %d at row %d, not at %d", s.relation, s.firstRow, next)
		}
		l.nextRows[s.relation] += s.rows
	}
	if leaf.keys != nil {
		return l.checkKeys(leaf.keys)
	}
	if leaf.stated != nil {
		return l.checkStated(leaf.stated, seq)
	}
	return nil
}

func (l *exportLog) checkKeys(keys *keysPart) *Failure {
	isSigned := keys.signed(keys.message, keys.byNew) && keys.isReplacement == (l.keys != nil)
	if !isSigned || keys.isReplacement && !l.keys.signed(keys.message, keys.byOld) {
		return tampered("key leaf", "is not signed by the keys it names and replaces")
	}
	l.keys = keys
	l.keyLeaves++
	return nil
}

// signed says whether both keys signed the message.
func (k *keysPart) signed(message []byte, signatures [2][]byte) bool {
	for i, key := range [2]hash{k.ofSHA256, k.ofBLAKE3} {
		point := pointOf(key[:])
		if point == nil || isSmallOrder(point) || !verifyStrictly(&key, message, signatures[i]) {
			return false
		}
	}
	return true
}

// checkStated compares roots stated of the size that the log has right now; those of earlier sizes were compared then.
func (l *exportLog) checkStated(stated *statedPart, seq uint64) *Failure {
	if stated.size > seq {
		l.lost++
		return nil
	}
	l.stated++
	if stated.size == seq && !l.hasRoots(stated) {
		return tampered("leaf", "states other roots of size %d than the log's", seq)
	}
	return nil
}

func (l *exportLog) hasRoots(stated *statedPart) bool {
	return stated.rootSHA256 == l.trees[0].root() && stated.rootBLAKE3 == l.trees[1].root()
}

func (l *exportLog) compareStated() *Failure {
	size := l.trees[0].size
	for _, known := range []struct {
		called string
		*checkpoint
	}{{"pinned", l.pinned}, {"cosigned", l.cosigned}} {
		if known.checkpoint != nil && known.size == size && known.root != l.trees[0].root() {
			const why = "the log at size %d does not extend the %s log at size %d: history was rewritten"
			return tampered("consistency", why, l.checkpoint.size, known.called, size)
		}
	}
	for _, stated := range l.statedBefore[size] {
		if !l.hasRoots(stated.statedPart) {
			what := fmt.Sprintf("%s, leaf %d: leaf", l.entries(stated.seq), stated.seq)
			return tampered(what, "states other roots of size %d than the log's", size)
		}
	}
	delete(l.statedBefore, size)
	return nil
}

func (l *exportLog) append(hashes [2]hash) (failure *Failure) {
	for t := range l.trees {
		tree := &l.trees[t]
		var full []int
		tree.append(hashes[t], func(level int, node hash) {
			if level == 0 || level%8 != 0 {
				return
			}
			tile := &l.growing[t][level/8]
			if *tile = append(*tile, node[:]...); len(*tile) == tileHashesMax {
				full = append(full, level/8)
			}
		})
		for _, level := range full {
			if failure := l.compareTile(t, level, (tree.size>>(8*level))/tileWidth-1); failure != nil {
				return failure
			}
		}
	}
	return nil
}

// finish compares the tiles that stay partial, and the SHA-256 root.
func (l *exportLog) finish() *Failure {
	size := l.checkpoint.size
	for t := range l.trees {
		for level := 1; level < tileLevels; level++ {
			if len(l.growing[t][level]) > 0 {
				if failure := l.compareTile(t, level, (size>>(8*level))/tileWidth); failure != nil {
					return failure
				}
			}
		}
	}
	if l.trees[0].root() != l.checkpoint.root {
		return tampered("checkpoint", "states another root than that of the %d leaves", size)
	}
	return nil
}

func (l *exportLog) compareTile(tree, level int, number uint64) *Failure {
	own := l.growing[tree][level]
	l.growing[tree][level] = nil
	path, _ := tilePath(level, number, l.checkpoint.size)
	path = logTrees[tree].folder + path
	found, failure := l.files.read(path, tileHashesMax)
	if failure != nil {
		return failure
	}
	if !bytes.Equal(found, own) {
		at := 0
		for at < min(len(found), len(own)) && found[at] == own[at] {
			at++
		}
		return tampered(path, "is not what the leaves give, from byte %d on", at)
	}
	return nil
}

// readAhead finds roots stated of a size below the leaf's own. What is read here is believed no sooner than anywhere else.
func (l *exportLog) readAhead() *Failure {
	l.statedBefore = map[uint64][]statedAt{}
	count := 0
	for number := range l.bundles() {
		_, leaves, failure := l.leaves(number)
		if failure != nil {
			return failure
		}
		for i, data := range leaves {
			seq := number*tileWidth + uint64(i)
			leaf, failure := parseLeaf(data)
			if failure != nil || leaf.stated == nil || leaf.stated.size >= seq {
				continue
			}
			l.statedBefore[leaf.stated.size] = append(l.statedBefore[leaf.stated.size], statedAt{seq, leaf.stated})
			count++
		}
		if count > statedMax {
			return malformed("export", "has more than %d leaves that state roots of earlier sizes", statedMax)
		}
	}
	return nil
}
