/** What others wrote reads our SD-JWTs: `@sd-jwt/core`, with the whole of RFC 9901, over Node's own Ed25519 and SHA-256. */

import assert from "node:assert/strict";
import { createHash, createPublicKey, verify as ed25519 } from "node:crypto";
import { test } from "node:test";
import { SDJwtInstance } from "@sd-jwt/core";
import { parsePolicy, verifyDisclosure } from "../src/index.js";
import { bytesOf, type Vector, vectors } from "./vectors.js";

const hasher = (data: string | ArrayBuffer, _algorithm: string) =>
  Uint8Array.from(
    createHash("sha256")
      .update(typeof data === "string" ? data : Buffer.from(data))
      .digest(),
  );

/** SubjectPublicKeyInfo of Ed25519, before its 32 bytes. */
const PREFIX = Buffer.from("302a300506032b6570032100", "hex");

/** The SHA-256 key of a policy, as anybody's tool takes it. */
function publicKey(policy: string) {
  const base64 = policy.split("\n")[0]?.split("+").slice(2).join("+") ?? "";
  return createPublicKey({ key: Buffer.concat([PREFIX, Buffer.from(base64, "base64").subarray(1)]), format: "der", type: "spki" });
}

function tool(policy: string): SDJwtInstance<Record<string, unknown>> {
  const key = publicKey(policy);
  return new SDJwtInstance({
    hasher,
    hashAlg: "sha-256",
    verifier: (data, signature) => ed25519(null, Buffer.from(data), key, Buffer.from(signature, "base64url")),
  });
}

/** What a token says, once the tool has verified it. */
async function claims(policy: string, input: string): Promise<Record<string, unknown>> {
  const { payload } = await tool(policy).verify(input);
  return payload as Record<string, unknown>;
}

const named = (name: string): Vector => vectors.find((vector) => vector.name === name) ?? assert.fail(name);

const ofSdJwts = (verdict: string) => vectors.filter(({ input, ...vector }) => input.startsWith("eyJ") && vector.verdict === verdict);

test("a public tool takes what is valid, and shows the fields that we show", async () => {
  const found = ofSdJwts("valid");
  assert.ok(found.length > 8);
  for (const { name, policy, input } of found) {
    assert.match(String((await claims(policy, input))["iss"]), /^shop\//, name);
  }
  const { policy, input } = named("valid-sd-jwt");
  const remark = "a remark that does not fit into one block of the hash function at all";
  assert.deepEqual((await claims(policy, input))["rows"], [{ customer: "Ada" }, { id: 9, remark }, { day: 5 }, { paid: true }]);
});

test("a public tool leaves fields out, and what is left is valid for us", async () => {
  const { policy, input } = named("valid-sd-jwt");
  const presented = await tool(policy).present(input, { rows: { 1: { id: true } } });
  assert.deepEqual((await claims(policy, presented))["rows"], [{}, { id: 9 }, {}, {}]);
  const verdict = verifyDisclosure(bytesOf(presented), () => parsePolicy(bytesOf(policy)));
  assert.equal(verdict.code, 0, verdict.text);
  assert.match(verdict.text, /1 SD-JWT disclosures/);
});

test("what a public tool reads of a whole row is what SQL says", async () => {
  const { policy, input } = named("valid-sd-jwt-of-a-whole-row");
  assert.deepEqual((await claims(policy, input))["rows"], [{ id: 7, customer: "Ada", paid: true, remark: null }]);
});

test("a public tool refuses what is tampered with above the commitments", async () => {
  const names = ["sd-jwt-signature-changed", "sd-jwt-signature-of-zeros", "sd-jwt-signature-of-the-checkpoint", "sd-jwt-payload-changed"];
  for (const { name, policy, input } of names.map(named)) {
    await assert.rejects(async () => tool(policy).verify(input), name);
  }
  // Openings that no digest names count for nothing there; they are not shown.
  for (const name of ["sd-jwt-value-changed", "sd-jwt-opening-made-up"]) {
    const { policy, input } = named(name);
    const shown = await claims(policy, input).then((all) => JSON.stringify(all["rows"]), () => "");
    assert.ok(!shown.includes("Eve") && !shown.includes('"customer":"Ada","paid"'), name);
  }
});
