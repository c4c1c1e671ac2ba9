/** Bytes of any kind end in a verdict, never in another error; and thousands of changed vectors end as the others say. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { Code, Failure, parsePolicy } from "../src/index.js";
import { parseCose } from "../src/cose.js";
import { parseDefinition } from "../src/definition.js";
import { parseLeaf } from "../src/leaf.js";
import { parseReceipt } from "../src/receipt.js";
import { formatValue } from "../src/values.js";
import { bytesOf, bytesOfBase64, vectors as every, type Vector, verify } from "./vectors.js";

// What is no text is among the mutations: an export is many files, COSE bytes.
const vectors = every.filter(({ kind }) => kind !== "export" && kind !== "cose");

const seeded = { seed: 1, numRuns: 300 };
const edits = fc.array(fc.tuple(fc.nat(9_999), fc.uint8Array({ maxLength: 3 })), { maxLength: 3 });

function edited(bytes: Uint8Array, changes: [number, Uint8Array][]): Uint8Array {
  let all = [...bytes];
  for (const [at, put] of changes) all.splice(at % (all.length + 1), 1, ...put);
  return Uint8Array.from(all);
}

function failsAtMost(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
  }
}

/** What a verdict says but for cosignatures: a checkpoint without those that no quorum needs is a good one. */
const ofLog = (says: string) => says.split("\n").filter((line) => !line.includes("cosign"));

test("changed vectors", () => {
  const property = fc.property(fc.constantFrom(...vectors), edits, (vector, changes) => {
    const { code, text } = verify(vector, edited(bytesOf(vector.input), changes));
    // A disclosure without some of its rows is a good one of the others.
    if (vector.kind !== "disclosure" && code === Code.Valid && vector.exit_code === Code.Valid) assert.deepEqual(ofLog(text), ofLog(vector.says));
  });
  fc.assert(property, seeded);
});

test("noise", () => {
  const property = fc.property(fc.constantFrom(...vectors), fc.uint8Array({ maxLength: 400 }), (vector, bytes) => {
    assert.notEqual(verify(vector, bytes).code, Code.Valid);
    failsAtMost(() => parsePolicy(bytes));
  });
  fc.assert(property, seeded);
});

test("what stands behind a signature", () => {
  const property = fc.property(fc.constantFrom(...vectors), edits, fc.nat(4_000), (vector, changes, oid) => {
    failsAtMost(() => {
      const { leaf, row } = parseReceipt(bytesOf(vector.input));
      failsAtMost(() => parseLeaf(edited(leaf, changes)));
      if (row === undefined) return;
      failsAtMost(() => parseDefinition(edited(row.definition.bytes, changes)));
      for (const field of row.shown.fields) {
        if (field.kind === "shown") failsAtMost(() => formatValue(oid, edited(field.value, changes)));
      }
    });
  });
  fc.assert(property, seeded);
});

test("cose", () => {
  const coses = every.filter(({ kind }) => kind === "cose");
  const property = fc.property(fc.constantFrom(...coses), edits, (vector, changes) => {
    failsAtMost(() => parseCose(edited(bytesOfBase64(vector.input), changes)));
  });
  fc.assert(property, seeded);
});

const mutations = process.env["SHOCKWAVE_MUTATIONS"];

test("mutations", { skip: mutations === undefined ? "SHOCKWAVE_MUTATIONS names no file" : false }, () => {
  const lines = readFileSync(mutations ?? "", "utf8").split("\n").slice(0, -1);
  for (const vector of lines.map((line): Vector => JSON.parse(line))) {
    const { code, text } = verify(vector);
    assert.equal(text, vector.says, vector.name);
    assert.equal(code, vector.exit_code, vector.name);
  }
});
