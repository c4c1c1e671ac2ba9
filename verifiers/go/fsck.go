package verify

import (
	"crypto/sha256"
	"fmt"
)

const cosignedFile = "cosigned"

// Export decides whether the folder of an export holds what the ledger signed (docs/formats/export.md): leaves against tiles, tiles against signed
// roots, rows against leaves, the catalog against schema roots. pinned is a signed checkpoint kept from before, or nil. Memory is bounded by one
// entry bundle, one row and the catalog.
func Export(path string, pinned []byte, policy *Policy) Verdict {
	report := newReport()
	return report.conclude(checkExport(folder(path), pinned, policy, report))
}

func checkExport(files folder, pinned []byte, policy *Policy, report *report) *Failure {
	within, failure := readRange(files)
	if failure != nil {
		return failure
	}
	signed, failure := readNote(files, "checkpoint")
	if failure != nil {
		return failure
	}
	hasCosigned := files.has(cosignedFile)
	open := openCheckpoint
	if hasCosigned {
		open = openUnwitnessed
	}
	c, failure := open(signed, policy, report)
	var ledger [16]byte
	if failure == nil {
		ledger, failure = c.ledger()
	}
	if failure != nil {
		return failure.in("checkpoint")
	}
	if within.end > c.size {
		return malformed("export", "is of commits below %d, the checkpoint of %d leaves", within.end, c.size)
	}
	var cosigned *checkpoint
	if hasCosigned {
		if cosigned, failure = openCosigned(files, &c, within.end, policy, report); failure != nil {
			return failure
		}
	}
	kept, failure := openKept(pinned, policy, &c, report)
	if failure != nil {
		return failure
	}
	if failure := checkNames(files, within, c.size); failure != nil {
		return failure
	}
	rows, failure := openRows(files, within)
	if failure != nil {
		return failure
	}
	defer rows.close()
	log, failure := openLog(files, c, ledger, kept, cosigned)
	if failure != nil {
		return failure
	}
	if failure := log.check(rows); failure != nil {
		return failure
	}
	if failure := log.checkSigners(signed); failure != nil {
		return failure
	}
	log.describe(within, rows, report)
	return nil
}

func readRange(files folder) (exportRange, *Failure) {
	data, failure := files.read("export", rangeBytesMax)
	if failure != nil {
		failure.Code = Malformed
		return exportRange{}, failure
	}
	return parseRange(data)
}

func readNote(files folder, path string) (*note, *Failure) {
	data, failure := files.read(path, noteBytesMax)
	if failure != nil {
		return nil, failure
	}
	text, failure := validText("note", data)
	if failure == nil {
		var parsed *note
		if parsed, failure = parseNote(text); failure == nil {
			return parsed, nil
		}
	}
	return nil, failure.in("%s", path)
}

// openUnwitnessed sees that lines of pinned witnesses verify; the quorum is asked of the checkpoint in a file of its own.
func openUnwitnessed(n *note, policy *Policy, report *report) (checkpoint, *Failure) {
	c, failure := openQuietly(n, policy)
	if failure == nil {
		c.reportSigned(report)
	}
	return c, failure
}

// openCosigned is the checkpoint that witnesses have cosigned, of the same log and not larger. A quorum has to cover all rows.
func openCosigned(files folder, c *checkpoint, end uint64, policy *Policy, report *report) (*checkpoint, *Failure) {
	n, failure := readNote(files, cosignedFile)
	if failure != nil {
		return nil, failure
	}
	cosigned, failure := openQuietly(n, policy)
	if failure != nil {
		return nil, failure.in(cosignedFile)
	}
	origin := plainName(cosigned.origin)
	if cosigned.origin != c.origin {
		return nil, tampered(cosignedFile, "is of %s, not of %s", origin, plainName(c.origin))
	}
	if cosigned.size > c.size {
		return nil, tampered(cosignedFile, "has %d leaves, the checkpoint %d", cosigned.size, c.size)
	}
	report.check("signature of %s over the cosigned checkpoint", origin)
	report.fact("cosigned size", "%d", cosigned.size)
	if failure := policy.reportWitnesses(n, report); failure != nil {
		return nil, failure.in(cosignedFile)
	}
	if policy.quorum != "" && cosigned.size < end {
		failure := malformed("witnesses", "have cosigned the first %d leaves, the rows are of commits up to %d", cosigned.size, end-1)
		failure.Code = Inconclusive
		return nil, failure
	}
	return &cosigned, nil
}

func openKept(pinned []byte, policy *Policy, c *checkpoint, report *report) (*checkpoint, *Failure) {
	if pinned == nil {
		return nil, nil
	}
	kept, failure := openPinned(pinned, policy)
	if failure != nil {
		return nil, failure
	}
	if kept.origin != c.origin {
		return nil, tampered("checkpoint", "is of %s, not of %s", plainName(c.origin), plainName(kept.origin))
	}
	if kept.size > c.size {
		return nil, tampered("checkpoint", "has %d leaves, the pinned one %d: the log was cut", c.size, kept.size)
	}
	report.check("signature over the pinned checkpoint")
	return &kept, nil
}

// checkNames sees that there is no file but those of the format.
func checkNames(files folder, within exportRange, size uint64) *Failure {
	paths, failure := files.paths()
	if failure != nil {
		return failure
	}
	if len(paths) > filesMax {
		return malformed("export", "has more than %d files", filesMax)
	}
	for _, path := range paths {
		if !within.hasFile(path, size) {
			return malformed(plainName(path), "is no file of this export")
		}
	}
	return nil
}

// checkSigners sees that both roots are signed by the keys that the log names last: an old one may have been given up because it was stolen.
func (l *exportLog) checkSigners(signed *note) *Failure {
	const path = "b3/checkpoint"
	size := l.checkpoint.size
	if l.keys == nil {
		return tampered("key leaf", "is missing: the log names no keys")
	}
	if !signed.isBy(newKey(l.keys.origin, sha256Key, l.keys.ofSHA256)) {
		return tampered("checkpoint", "is not signed by the SHA-256 key that the log names last")
	}
	n, failure := readNote(l.files, path)
	if failure != nil {
		return failure
	}
	c, failure := parseCheckpoint(n.text)
	if failure != nil {
		return failure.in(path)
	}
	key := newKey(l.keys.origin+"/b3", blake3Key, l.keys.ofBLAKE3)
	if !n.isBy(key) || c.origin != key.name {
		return tampered(path, "is not signed by the BLAKE3 key that the log names last")
	}
	if c.size != size || c.root != l.trees[1].root() {
		return tampered(path, "states another root than that of the %d leaves", size)
	}
	return nil
}

func newKey(name string, kind keyType, public hash) *Key {
	sum := sha256.Sum256([]byte(name + "\n" + kind.identifier + string(public[:])))
	return &Key{name: name, id: [4]byte(sum[:]), kind: kind, public: public}
}

func (n *note) isBy(key *Key) bool {
	signers, bad := n.signers([]*Key{key})
	return bad == nil && len(signers) > 0
}

func (l *exportLog) describe(within exportRange, rows *exportRows, report *report) {
	first, last, size, origin := within.first, within.end-1, l.checkpoint.size, plainName(l.checkpoint.origin)
	report.subject = fmt.Sprintf("commits %d to %d of %s, %d rows", first, last, origin, rows.count)
	report.fact("commits", "%d to %d", first, last)
	report.fact("rows", "%d", rows.count)
	if l.pinned != nil {
		report.fact("pinned size", "%d", l.pinned.size)
		report.check("the first %d leaves are those of the pinned checkpoint", l.pinned.size)
	}
	if l.cosigned != nil {
		report.check("the first %d leaves are those of the cosigned checkpoint", l.cosigned.size)
	}
	report.check("%d leaves give every tile and the roots of both trees", size)
	report.check("signature of %s/b3 over the BLAKE3 root, with the key that the log names", origin)
	report.check("%d key leaves are signed by the keys they name and replace", l.keyLeaves)
	report.check("%d leaves state the roots of both trees at an earlier size", l.stated)
	report.check("%d rows under the row roots of %d commits, recomputed from the fields shown", rows.count, rows.commits)
	report.check("the catalog, folded from its rows, under %d schema roots", rows.commits)
	report.check("values are canonical for their types")
	rows.left.leaveOut(report)
	if first > 0 {
		report.leaveOut(fmt.Sprintf("rows of commits 0 to %d", first-1))
	}
	if within.end < size {
		report.leaveOut(fmt.Sprintf("rows of commits %d to %d", within.end, size-1))
	}
	if !rows.hasComparedObjects() {
		report.leaveOut("the objects: no commit is in the range or before it")
	}
	if l.lost > 0 {
		report.leaveOut(fmt.Sprintf("leaves that %d incarnation leaves say were lost", l.lost))
	}
	if l.cosigned != nil && l.cosigned.size < size {
		report.leaveOut(fmt.Sprintf("that witnesses have seen the leaves from %d on", l.cosigned.size))
	}
	if l.pinned == nil {
		report.leaveOut("that the log extends a checkpoint you pinned before: give it with --checkpoint")
	}
	report.leaveOut(fmt.Sprintf("what was committed after the %d leaves", size))
}
