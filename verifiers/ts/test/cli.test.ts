/** The program: files, standard input, pinned keys, exit codes. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { vectors, writeExport } from "./vectors.js";

const folder = mkdtempSync(join(tmpdir(), "shockwave-verify-"));
after(() => rmSync(folder, { recursive: true }));

function vector(name: string) {
  const found = vectors.find((one) => one.name === name);
  assert.ok(found, name);
  return found;
}

function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

const row = vector("valid-row");
const policy = file("policy", row.policy);
const receipt = file("receipt", row.input);
const keys = row.policy.split("\n").slice(0, 2).map((line) => line.slice(4));

function run(args: string[], input = "") {
  const program = join(import.meta.dirname, "../src/cli.js");
  const { status, stdout } = spawnSync(process.execPath, [program, ...args], { input, encoding: "utf8" });
  return { status, stdout };
}

const ends = (name: string) => ({ status: vector(name).exit_code, stdout: vector(name).says });

test("receipt by policy and by keys", () => {
  assert.deepEqual(run(["receipt", receipt, "--policy", policy]), ends("valid-row"));
  assert.deepEqual(run(["receipt", `--key=${keys[0]}`, receipt]), ends("valid-row"));
  assert.deepEqual(run(["receipt", receipt, ...keys.flatMap((key) => ["--key", key])]), ends("valid-row"));
});

test("standard input and the newline of psql", () => {
  assert.deepEqual(run(["receipt", "-", "--policy", policy], `${row.input}\n`), ends("valid-row"));
});

test("disclosure", () => {
  for (const name of ["valid-disclosure", "disclosure-value-changed"]) {
    assert.deepEqual(run(["disclose", file("disclosure", vector(name).input), "--policy", policy]), ends(name));
  }
});

test("consistency", () => {
  for (const name of ["valid-consistency", "log-rolled-back"]) {
    const { pinned = "", input } = vector(name);
    assert.deepEqual(run(["consistency", file("old", pinned), file("new", input), "--policy", policy]), ends(name));
  }
});

test("export", () => {
  for (const name of ["valid-export", "valid-export-pinned", "export-value-changed"]) {
    const { input, pinned, policy: text } = vector(name);
    const exported = mkdtempSync(join(folder, "export-"));
    writeExport(input, exported);
    const kept = pinned === undefined ? [] : ["--checkpoint", file("kept", pinned)];
    assert.deepEqual(run(["fsck", exported, ...kept, "--policy", file("export-policy", text)]), ends(name));
  }
});

test("wrong usage", () => {
  const both = ["--key", keys[0] ?? "", "--policy", policy];
  for (const args of [[], ["receipt"], ["receipt", receipt], ["receipt", receipt, ...both], ["consistency", receipt, "--policy", policy]]) {
    assert.equal(run(args).status, 2, args.join(" "));
  }
});

test("what cannot be read", () => {
  const { status, stdout } = run(["receipt", folder, "--policy", policy]);
  assert.equal(status, 2);
  assert.match(stdout, /cannot be read/);
  const says = "MALFORMED: verifier key: is not <name>+<key id>+<base64>\n";
  assert.deepEqual(run(["receipt", receipt, "--key", "no+key"]), { status: 2, stdout: says });
});
