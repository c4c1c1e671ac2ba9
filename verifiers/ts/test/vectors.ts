/**
 * The shared vectors. Format: docs/formats/vectors.md.
 */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parsePolicy, type Verdict, verifyConsistency, verifyDisclosure, verifyReceipt } from "../src/index.js";

export interface Vector {
  name: string;
  kind: "receipt" | "disclosure" | "consistency";
  policy: string;
  pinned?: string;
  input: string;
  verdict: string;
  exit_code: number;
  reason: string;
  says: string;
}

const FOLDER = process.env["SHOCKWAVE_VECTORS"] ?? join(import.meta.dirname, "../../../../receipts/tests/vectors");

export const vectors: Vector[] = readdirSync(FOLDER)
  .filter((name) => name.endsWith(".json"))
  .map((name) => JSON.parse(readFileSync(join(FOLDER, name), "utf8")));

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

export function verify(vector: Vector, input: Uint8Array = bytesOf(vector.input)): Verdict {
  const policy = () => parsePolicy(bytesOf(vector.policy));
  if (vector.kind === "disclosure") return verifyDisclosure(input, policy);
  return vector.pinned === undefined ? verifyReceipt(input, policy) : verifyConsistency(bytesOf(vector.pinned), input, policy);
}
