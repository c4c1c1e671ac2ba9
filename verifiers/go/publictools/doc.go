// Package publictools has no code: its tests let tools that nobody here wrote, golang.org/x/mod/sumdb/note and tlog, verify our checkpoints,
// proofs and tiles.
package publictools
