package verify

import "math/bits"

// frontier is the right edge of a growing tree: the roots of its complete subtrees, largest first.
type frontier struct {
	join  node
	empty hash
	size  uint64
	edge  []hash
}

// append gives the nodes that the leaf hash completes to made, by level from the leaf up.
func (f *frontier) append(leaf hash, made func(level int, node hash)) {
	made(0, leaf)
	for level, at := 1, f.size; at&1 == 1; level, at = level+1, at>>1 {
		left := f.edge[len(f.edge)-1]
		f.edge = f.edge[:len(f.edge)-1]
		leaf = f.join(left, leaf)
		made(level, leaf)
	}
	f.edge = append(f.edge, leaf)
	f.size++
}

func (f *frontier) root() hash {
	if len(f.edge) == 0 {
		return f.empty
	}
	root := f.edge[len(f.edge)-1]
	for i := len(f.edge) - 2; i >= 0; i-- {
		root = f.join(f.edge[i], root)
	}
	return root
}

// rootOfPath is the root that path leads to from the leaf hash at index of size (RFC 9162, 2.1.3). An index at or above the size and a path
// one hash too short or too long lead nowhere.
func rootOfPath(join node, leaf hash, index, size uint64, path []hash) (root hash, ok bool) {
	if index >= size {
		return root, false
	}
	at, last, root := index, size-1, leaf
	for _, sibling := range path {
		if last == 0 {
			return root, false
		}
		if at&1 == 1 || at == last {
			root = join(sibling, root)
			for at&1 == 0 && at != 0 {
				at, last = at>>1, last>>1
			}
		} else {
			root = join(root, sibling)
		}
		at, last = at>>1, last>>1
	}
	return root, last == 0
}

// extends says whether path shows that the tree of the new checkpoint begins with that of the old one (RFC 9162, 2.1.4).
func (t *logTree) extends(old, new checkpoint, path []hash) bool {
	switch {
	case old.size > new.size, old.size == 0 && old.root != t.empty:
		return false
	case old.size == new.size:
		return len(path) == 0 && old.root == new.root
	case old.size == 0:
		return len(path) == 0
	}
	first := old.root
	if bits.OnesCount64(old.size) != 1 {
		if len(path) == 0 {
			return false
		}
		first, path = path[0], path[1:]
	}
	shift := bits.TrailingZeros64(^(old.size - 1))
	at, last := (old.size-1)>>shift, (new.size-1)>>shift
	oldRoot, newRoot := first, first
	for _, sibling := range path {
		if last == 0 {
			return false
		}
		if at&1 == 1 || at == last {
			oldRoot, newRoot = t.node(sibling, oldRoot), t.node(sibling, newRoot)
			for at&1 == 0 && at != 0 {
				at, last = at>>1, last>>1
			}
		} else {
			newRoot = t.node(newRoot, sibling)
		}
		at, last = at>>1, last>>1
	}
	return last == 0 && oldRoot == old.root && newRoot == new.root
}
