/**
 * The shared vectors. Format: docs/formats/vectors.md.
 */

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { folderOf } from "../src/folder.js";
import { type Policy, parsePolicy, type Verdict, verifyConsistency, verifyDisclosure, verifyExport, verifyReceipt } from "../src/index.js";

export interface Vector {
  name: string;
  kind: "receipt" | "disclosure" | "consistency" | "export" | "cose";
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

/** No Buffer, whose slices share its bytes. */
export const bytesOfBase64 = (text: string) => Uint8Array.from(Buffer.from(text, "base64"));

export function verify(vector: Vector, input: Uint8Array = bytesOf(vector.input)): Verdict {
  const policy = () => parsePolicy(bytesOf(vector.policy));
  if (vector.kind === "cose") return verifyReceipt(bytesOfBase64(new TextDecoder().decode(input)), policy);
  if (vector.kind === "export") return verifyFiles(vector, input, policy);
  if (vector.kind === "disclosure") return verifyDisclosure(input, policy);
  return vector.pinned === undefined ? verifyReceipt(input, policy) : verifyConsistency(bytesOf(vector.pinned), input, policy);
}

/** Writes the files of an export: the input is a JSON object with base64 in it. */
export function writeExport(input: string, folder: string): void {
  for (const [path, content] of Object.entries<string>(JSON.parse(input))) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), Buffer.from(content, "base64"));
  }
}

function verifyFiles(vector: Vector, input: Uint8Array, policy: () => Policy): Verdict {
  const folder = mkdtempSync(join(tmpdir(), "shockwave-export-"));
  try {
    writeExport(new TextDecoder().decode(input), folder);
    return verifyExport(folderOf(folder), policy, vector.pinned === undefined ? undefined : bytesOf(vector.pinned));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
