/**
 * The checks of a receipt, a disclosure and a consistency proof, in their order; the first failure ends it.
 *
 * Y1: a receipt is valid only if a pinned key signed the checkpoint, the leaf is in it at the index, the leaf belongs to that ledger and
 *     place, the row as shown hashes into the leaf, and its names and types come from the definition under the schema root.
 * Never: takes a key from what it verifies; says VALID with a check not made.
 * Format: docs/formats/receipt.md, docs/formats/cose.md, docs/formats/disclosure.md, docs/formats/sd-jwt.md, docs/formats/checkpoint.md.
 */

import { equal, hex } from "./bytes.js";
import { type Checkpoint, lacksQuorum, ledgerOf, openCheckpoint, openPinned } from "./checkpoint.js";
import { type CoseReceipt, isCose, parseCose, signedBytes } from "./cose.js";
import type { Definition } from "./definition.js";
import { type DisclosedTable, type Disclosure, parseDisclosure } from "./disclosure.js";
import { verify } from "./ed25519.js";
import { SHA256 } from "./hash.js";
import { type Commit, type Leaf, parseLeaf } from "./leaf.js";
import { type Key, SHA256_KEY } from "./note.js";
import type { Policy } from "./policy.js";
import { plainName } from "./quote.js";
import { parseProof, parseReceipt, type Receipt } from "./receipt.js";
import { checkRow, checkRowOf, definitionUnder, locateRow, Unshown } from "./row.js";
import { checkSignature, isSdJwt, openFields, parseSdJwt, type SdJwt } from "./sdjwt.js";
import { timestamp } from "./times.js";
import { extendsLog, rootOfPath } from "./tree.js";
import { conclude, inconclusive, inPart, malformed, Report, tampered, type Verdict } from "./verdict.js";

/** Verifies the bytes of a receipt, a tlog-proof or COSE. `policy` gives the pinned keys; if it throws a [Failure], that is the verdict. */
export function verifyReceipt(receipt: Uint8Array, policy: () => Policy): Verdict {
  return conclude((report) => {
    const pinned = policy();
    if (isCose(receipt)) checkCose(parseCose(receipt), pinned, report);
    else checkReceipt(parseReceipt(receipt), pinned, report);
  });
}

/** Verifies the bytes of a disclosure, text or SD-JWT: named fields of rows, under one checkpoint. */
export function verifyDisclosure(disclosure: Uint8Array, policy: () => Policy): Verdict {
  return conclude((report) => {
    const pinned = policy();
    if (isSdJwt(disclosure)) checkSdJwt(parseSdJwt(disclosure), pinned, report);
    else checkDisclosure(parseDisclosure(disclosure), pinned, report);
  });
}

/** The text in a file, which ends in one newline, an SD-JWT in none: the one that psql puts behind a value is left off. COSE is no text. */
export function trimmed(file: Uint8Array): Uint8Array {
  const isLonger = file.at(-1) === 0x0a && (file.at(-2) === 0x0a || (isSdJwt(file) && file.at(-2) === 0x7e));
  return isLonger && !isCose(file) ? file.subarray(0, -1) : file;
}

/** Verifies that the log of the checkpoint in `proof` extends `pinned`, a signed checkpoint kept from before. Either tree. */
export function verifyConsistency(pinned: Uint8Array, proof: Uint8Array, policy: () => Policy): Verdict {
  return conclude((report) => checkConsistency(pinned, proof, policy(), report));
}

function checkReceipt(receipt: Receipt, policy: Policy, report: Report): void {
  const checkpoint = openCheckpoint(receipt.checkpoint, policy, report);
  const { index, path } = receipt;
  const leaf = leafInLog(receipt.leaf, index, path, checkpoint, ledgerIn(checkpoint), report);
  checkShown(leaf, receipt.row, checkpoint.origin, report);
}

/** The row, if one is shown, of a leaf that stands in the log. */
function checkShown(leaf: Leaf, row: Receipt["row"], origin: string, report: Report): void {
  report.subject = `${leaf.kind} ${leaf.seq} of ${plainName(origin)}`;
  describeLeaf(leaf, report);
  if (row) {
    if (!leaf.commit) throw malformed("receipt", `shows a row of a ${leaf.kind} leaf`);
    checkRow(row.shown, row.definition, leaf.commit, report);
  }
  report.notCovered.push(EXTENDS);
}

function checkCose(receipt: CoseReceipt, policy: Policy, report: Report): void {
  const leaf = parseLeaf(receipt.leaf);
  const key = signerOf(receipt, leaf, policy, report);
  const { index, size } = receipt;
  const origin = plainName(key.name);
  report.checked.push(`signature of ${origin} over the root, with a pinned key (strict Ed25519)`);
  if (policy.quorum !== undefined) throw lacksQuorum(policy.quorum, "a COSE receipt bears none");
  report.fact("ledger", origin);
  report.fact("tree size, as stated", `${size}`);
  report.notCovered.push("cosignatures: the policy asks for none", "the size of the tree: the signature is over its root alone");
  report.checked.push(`leaf at index ${index} of ${size} (SHA-256 tree)`);
  if (leaf.seq !== index) throw tampered("leaf", `says it is at ${leaf.seq}, but is at ${index}`);
  report.checked.push("ledger id and position in the leaf");
  checkShown(leaf, receipt.row, key.name, report);
}

/** The key that signed the root, of those pinned for the ledger that the leaf names. */
function signerOf({ index, size, path, leaf: bytes, signature }: CoseReceipt, { ledger }: Leaf, policy: Policy, report: Report): Key {
  if (index >= size) throw tampered("index", `${index} is not below the tree's size ${size}`);
  const hash = SHA256.leaf(bytes);
  const found = rootOfPath(SHA256.node, hash, index, size, path);
  if (found === undefined) throw tampered("path to the root", `is none from the leaf at ${index} in a tree of ${size}`);
  const keys = policy.logs.filter(({ name, type }) => type === SHA256_KEY && ledgerOf(name) === ledger);
  if (keys.length === 0) throw inconclusive("authenticity", `the policy pins no key for the ledger ${ledger}`);
  const key = keys.find((one) => verify(one.public, signedBytes(found.root), signature));
  if (key === undefined) throw tampered("signature", "by a pinned key of the ledger is not over the root that leaf and path lead to");
  report.path.log.push({ title: `leaf ${index} of ${size} in the log`, hash: hex(hash), siblings: found.siblings });
  report.path.log.push({ title: "root of the log, signed", hash: hex(found.root), siblings: [] });
  return key;
}

const EXTENDS = "that the log extends a checkpoint you pinned before: verify consistency";

/** The id of the ledger whose SHA-256 tree a checkpoint is of. */
function ledgerIn({ origin }: Checkpoint): string {
  const ledger = ledgerOf(origin);
  if (ledger === undefined) throw malformed("checkpoint", "of a receipt has an origin that is no ledger's SHA-256 tree");
  return ledger;
}

/** The leaf, once it is known to stand in the signed log, in this ledger and at this place. */
function leafInLog(
  bytes: Uint8Array,
  index: bigint,
  path: Uint8Array[],
  { size, root }: Checkpoint,
  ledger: string,
  report: Report,
): Leaf {
  if (index >= size) throw tampered("index", `${index} is not below the checkpoint's size ${size}`);
  const hash = SHA256.leaf(bytes);
  const found = rootOfPath(SHA256.node, hash, index, size, path);
  if (found === undefined || !equal(found.root, root)) {
    throw tampered("path to the root", `does not lead from the leaf at ${index} to the signed root`);
  }
  report.path.log.push({ title: `leaf ${index} of ${size} in the log`, hash: hex(hash), siblings: found.siblings });
  report.path.log.push({ title: "root of the log, in the checkpoint", hash: hex(root), siblings: [] });
  report.checked.push(`leaf at index ${index} of ${size} (SHA-256 tree)`);
  const leaf = parseLeaf(bytes);
  if (leaf.ledger !== ledger) throw tampered("leaf", "belongs to another ledger than the checkpoint");
  if (leaf.seq !== index) throw tampered("leaf", `says it is at ${leaf.seq}, but is at ${index}`);
  report.checked.push("ledger id and position in the leaf");
  return leaf;
}

function describeLeaf({ kind, seq, timeMicros, commit }: Leaf, report: Report): void {
  report.fact("leaf", `${kind} at ${seq}`);
  report.fact("time, by the server's clock", timestamp(timeMicros, "+00"));
  if (!commit) return;
  report.fact("actor", commit.actor === "" ? "(none)" : plainName(commit.actor));
  report.fact("rows in the commit", `${commit.rows}`);
}

function checkDisclosure(disclosure: Disclosure, policy: Policy, report: Report): void {
  checkCommits(disclosure, openCheckpoint(disclosure.checkpoint, policy, report), report);
}

function checkSdJwt(token: SdJwt, policy: Policy, report: Report): void {
  checkSignature(token, policy);
  const issuer = plainName(token.issuer);
  report.checked.push(`signature of ${issuer} over the SD-JWT, with a pinned key (strict Ed25519)`);
  const checkpoint = openCheckpoint(token.disclosure.checkpoint, policy, report);
  if (checkpoint.origin !== token.issuer) {
    throw tampered("issuer", `${issuer} is not the ledger of the checkpoint, ${plainName(checkpoint.origin)}`);
  }
  openFields(token);
  const count = token.openings.length;
  report.checked.push(`${count} SD-JWT disclosures, each with its digest in the payload and the commitment of its field`);
  checkCommits(token.disclosure, checkpoint, report);
}

/** All that stands under a checkpoint that was opened. */
function checkCommits({ commits }: Disclosure, checkpoint: Checkpoint, report: Report): void {
  const ledger = ledgerIn(checkpoint);
  let tables = 0;
  const unshown = new Unshown();
  for (const { index, leaf: bytes, path, tables: shown } of commits) {
    const leaf = inPart(`commit ${index}`, () => {
      const found = leafInLog(bytes, index, path, checkpoint, ledger, new Report());
      if (!found.commit) throw malformed("disclosure", `shows a row of a ${found.kind} leaf`);
      return { ...found, commit: found.commit };
    });
    for (const table of shown) checkTable(table, leaf, report, unshown);
    tables += shown.length;
  }
  const rows = report.disclosed.length;
  report.checked.push(
    `${commits.length} leaves in the log of ${checkpoint.size} (SHA-256 tree), with ledger id and position`,
    `${tables} table definitions under the schema roots of their commits`,
    `${rows} rows under the row roots of their commits, recomputed from the fields shown`,
    "values are canonical for their types",
  );
  report.fact("commits", `${commits.length}`);
  report.fact("rows", `${rows}`);
  report.subject = `${rows} rows of ${commits.length} commits of ${plainName(checkpoint.origin)}`;
  report.notCovered.push(...unshown.notCovered(), "whether a later commit updated or deleted these rows", EXTENDS);
}

/** Checks rows of one table in one commit and counts fields that are not shown. The definition is read once. */
function checkTable({ definition: part, rows }: DisclosedTable, leaf: Leaf & { commit: Commit }, report: Report, unshown: Unshown): void {
  let definition: Definition | undefined;
  for (const row of rows) {
    const ofRow = new Report();
    ofRow.subject = `commit ${leaf.seq}`;
    inPart(`commit ${leaf.seq}, row ${row.index}`, () => {
      const place = locateRow(row, leaf.commit);
      definition ??= definitionUnder(part, place.span.relation, leaf.commit);
      describeLeaf(leaf, ofRow);
      checkRowOf(row, definition, place, leaf.commit, ofRow);
    });
    unshown.count(row);
    report.disclosed.push(ofRow);
  }
}

function checkConsistency(pinned: Uint8Array, bytes: Uint8Array, policy: Policy, report: Report): void {
  const old = openPinned(pinned, policy);
  const proof = parseProof(bytes);
  const next = openCheckpoint(proof.checkpoint, policy, report);
  const origin = plainName(next.origin);
  report.checked.push("signature over the pinned checkpoint");
  if (old.origin !== next.origin) throw tampered("new checkpoint", `is of ${origin}, not of ${plainName(old.origin)}`);
  if (next.size < old.size) {
    throw tampered("new checkpoint", `has ${next.size} leaves, the pinned one ${old.size}: the log was cut`);
  }
  if (proof.oldSize !== old.size) {
    throw malformed("consistency proof", `starts at size ${proof.oldSize}, the pinned checkpoint is at ${old.size}`);
  }
  if (!extendsLog(next.tree, old, next, proof.path)) {
    const why = `the log at size ${next.size} does not extend the pinned log at size ${old.size}: history was rewritten`;
    throw tampered("consistency", why);
  }
  report.checked.push(`the first ${old.size} leaves are the same in both (${next.tree.name} tree)`);
  report.fact("pinned size", `${old.size}`);
  report.subject = `${origin} at size ${next.size} extends the pinned checkpoint at size ${old.size}`;
  report.notCovered.push("what the leaves say");
}
