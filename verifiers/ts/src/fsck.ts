/**
 * The checks of an export: leaves against tiles, tiles against signed roots, rows against leaves, the catalog against schema roots.
 *
 * Y1: what is there and what must be there are the same set of files; the first bad position is named.
 * Y2: memory is bounded by one entry bundle, one row and the catalog, whatever the size of the export.
 * Never: takes a key from the export, other than those that a signed log names.
 * Format: docs/formats/export.md.
 */

import { equal, utf8 } from "./bytes.js";
import {
  type Checkpoint,
  checkWitnesses,
  ledgerOf,
  openCheckpoint,
  openPinned,
  openQuietly,
  openSigned,
  parseCheckpoint,
} from "./checkpoint.js";
import { type ExportFiles, FILES_MAX, hasFile, parseRange, type Range, readWhole } from "./export.js";
import { type Known, Log } from "./log.js";
import { BLAKE3_KEY, type Key, keyOf, NOTE_BYTES_MAX, type Note, parseNote, SHA256_KEY, signersOf } from "./note.js";
import type { Policy } from "./policy.js";
import { plainName } from "./quote.js";
import { Rows } from "./rows.js";
import { Code, conclude, Failure, inconclusive, inPart, malformed, type Report, tampered, type Verdict } from "./verdict.js";

const RANGE_BYTES_MAX = 4096;
const BLAKE3_CHECKPOINT = "b3/checkpoint";
const COSIGNED = "cosigned";

/** Verifies an export. `pinned` is a signed checkpoint kept from before, which its log must extend. */
export function verifyExport(files: ExportFiles, policy: () => Policy, pinned?: Uint8Array): Verdict {
  return conclude((report) => checkExport(files, pinned, policy(), report));
}

function checkExport(files: ExportFiles, pinned: Uint8Array | undefined, policy: Policy, report: Report): void {
  const range = parseRange(readRange(files));
  const note = readNote(files, "checkpoint");
  const hasCosigned = isThere(files, COSIGNED);
  const checkpoint = inPart("checkpoint", () => {
    // Where another one is cosigned, lines of witnesses here have to verify and the quorum is asked of that one.
    if (hasCosigned) openQuietly(note, policy);
    const opened = hasCosigned ? openSigned(note, policy, report) : openCheckpoint(note, policy, report);
    if (ledgerOf(opened.origin) === undefined) throw malformed("checkpoint", "of a receipt has an origin that is no ledger's SHA-256 tree");
    return opened;
  });
  if (range.end > checkpoint.size) {
    throw malformed("export", `is of commits below ${range.end}, the checkpoint of ${checkpoint.size} leaves`);
  }
  const cosigned = hasCosigned ? openCosigned(files, checkpoint, range.end, policy, report) : undefined;
  const kept = pinned && openKept(pinned, policy, checkpoint, report);
  checkNames(files, range, checkpoint.size);
  const rows = new Rows(files, range);
  const log = new Log(files, checkpoint, { pinned: kept, cosigned });
  try {
    log.check(rows);
  } finally {
    rows.close();
  }
  checkSigners(files, note, checkpoint, log);
  describe(range, checkpoint, { pinned: kept, cosigned }, log, rows, report);
}

function readRange(files: ExportFiles): Uint8Array {
  try {
    return readWhole(files, "export", RANGE_BYTES_MAX);
  } catch (error) {
    throw error instanceof Failure ? new Failure(Code.Malformed, error.what, error.why) : error;
  }
}

function readNote(files: ExportFiles, path: string): Note {
  const bytes = readWhole(files, path, NOTE_BYTES_MAX);
  return inPart(path, () => parseNote(utf8(bytes, "note")));
}

function isThere(files: ExportFiles, path: string): boolean {
  try {
    files.open(path).close();
    return true;
  } catch (error) {
    if (error instanceof Failure) return error.code !== Code.Tampered;
    throw error;
  }
}

/** The checkpoint that witnesses have cosigned, of the same log and not larger. A quorum has to cover all rows. */
function openCosigned(files: ExportFiles, { origin, size }: Checkpoint, end: bigint, policy: Policy, report: Report): Checkpoint {
  const note = readNote(files, COSIGNED);
  const cosigned = inPart(COSIGNED, () => openQuietly(note, policy));
  const name = plainName(cosigned.origin);
  if (cosigned.origin !== origin) throw tampered(COSIGNED, `is of ${name}, not of ${plainName(origin)}`);
  if (cosigned.size > size) throw tampered(COSIGNED, `has ${cosigned.size} leaves, the checkpoint ${size}`);
  report.checked.push(`signature of ${name} over the cosigned checkpoint`);
  report.fact("cosigned size", `${cosigned.size}`);
  inPart(COSIGNED, () => checkWitnesses(note, policy, report));
  if (policy.quorum !== undefined && cosigned.size < end) {
    throw inconclusive("witnesses", `have cosigned the first ${cosigned.size} leaves, the rows are of commits up to ${end - 1n}`);
  }
  return cosigned;
}

function openKept(pinned: Uint8Array, policy: Policy, { origin, size }: Checkpoint, report: Report): Checkpoint {
  const kept = openPinned(pinned, policy);
  if (kept.origin !== origin) throw tampered("checkpoint", `is of ${plainName(origin)}, not of ${plainName(kept.origin)}`);
  if (kept.size > size) throw tampered("checkpoint", `has ${size} leaves, the pinned one ${kept.size}: the log was cut`);
  report.checked.push("signature over the pinned checkpoint");
  return kept;
}

/** Y1, the one half: no file but those of the format. */
function checkNames(files: ExportFiles, range: Range, size: bigint): void {
  const paths = files.paths();
  if (paths.length > FILES_MAX) throw malformed("export", `has more than ${FILES_MAX} files`);
  const strange = paths.find((path) => !hasFile(range, path, size));
  if (strange !== undefined) throw malformed(plainName(strange), "is no file of this export");
}

/** Both roots are signed by the keys that the log names last: an old one may have been given up because it was stolen. */
function checkSigners(files: ExportFiles, note: Note, { size }: Checkpoint, log: Log): void {
  const { keys } = log;
  if (keys === undefined) throw tampered("key leaf", "is missing: the log names no keys");
  if (!isSigned(note, keyOf(keys.origin, SHA256_KEY, keys.sha256))) {
    throw tampered("checkpoint", "is not signed by the SHA-256 key that the log names last");
  }
  const blake3Note = readNote(files, BLAKE3_CHECKPOINT);
  const found = inPart(BLAKE3_CHECKPOINT, () => parseCheckpoint(blake3Note.text));
  const key = keyOf(`${keys.origin}/b3`, BLAKE3_KEY, keys.blake3);
  if (!isSigned(blake3Note, key) || found.origin !== key.name) {
    throw tampered(BLAKE3_CHECKPOINT, "is not signed by the BLAKE3 key that the log names last");
  }
  if (found.size !== size || !equal(found.root, log.blake3Root())) {
    throw tampered(BLAKE3_CHECKPOINT, `states another root than that of the ${size} leaves`);
  }
}

const isSigned = (note: Note, key: Key) => signersOf(note, [key]).signers.length > 0;

function describe(range: Range, checkpoint: Checkpoint, { pinned, cosigned }: Known, log: Log, rows: Rows, report: Report): void {
  const { first, end } = range;
  const { size } = checkpoint;
  const origin = plainName(checkpoint.origin);
  report.subject = `commits ${first} to ${end - 1n} of ${origin}, ${rows.count} rows`;
  report.fact("commits", `${first} to ${end - 1n}`);
  report.fact("rows", `${rows.count}`);
  if (pinned) {
    report.fact("pinned size", `${pinned.size}`);
    report.checked.push(`the first ${pinned.size} leaves are those of the pinned checkpoint`);
  }
  if (cosigned) report.checked.push(`the first ${cosigned.size} leaves are those of the cosigned checkpoint`);
  report.checked.push(
    `${size} leaves give every tile and the roots of both trees`,
    `signature of ${origin}/b3 over the BLAKE3 root, with the key that the log names`,
    `${log.keyLeaves} key leaves are signed by the keys they name and replace`,
    `${log.stated} leaves state the roots of both trees at an earlier size`,
    `${rows.count} rows under the row roots of ${rows.commits} commits, recomputed from the fields shown`,
    `the catalog, folded from its rows, under ${rows.commits} schema roots`,
    "values are canonical for their types",
  );
  const notCovered = [
    ...rows.unshown.notCovered(),
    first > 0n && `rows of commits 0 to ${first - 1n}`,
    end < size && `rows of commits ${end} to ${size - 1n}`,
    !rows.hasComparedObjects && "the objects: no commit is in the range or before it",
    log.lost > 0 && `leaves that ${log.lost} incarnation leaves say were lost`,
    cosigned !== undefined && cosigned.size < size && `that witnesses have seen the leaves from ${cosigned.size} on`,
    !pinned && "that the log extends a checkpoint you pinned before: give it with --checkpoint",
    `what was committed after the ${size} leaves`,
  ];
  report.notCovered.push(...notCovered.filter((line) => line !== false));
}
