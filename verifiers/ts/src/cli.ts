#!/usr/bin/env node
/**
 * `shockwave-verify receipt | disclose | consistency | fsck`: reads files, prints the verdict, exits with its code.
 *
 * M1: keys come from --key or --policy, never from what is verified.
 * Never: opens a socket or a server's data folder.
 * Format: docs/formats/verdicts.md.
 */

import { closeSync, openSync, readSync } from "node:fs";
import { parseArgs } from "node:util";
import { folderOf } from "./folder.js";
import {
  conclude,
  malformed,
  type Policy,
  parsePolicy,
  policyOfKeys,
  trimmed,
  type Verdict,
  verifyConsistency,
  verifyDisclosure,
  verifyExport,
  verifyReceipt,
} from "./index.js";

/** Larger than any receipt or proof can be; past it a file is not read. */
const FILE_BYTES_MAX = 64 << 20;
const USAGE = `Usage:
  shockwave-verify receipt FILE (--key VKEY... | --policy FILE)
  shockwave-verify disclose FILE (--key VKEY... | --policy FILE)
  shockwave-verify consistency OLD PROOF (--key VKEY... | --policy FILE)
  shockwave-verify fsck FOLDER [--checkpoint OLD] (--key VKEY... | --policy FILE)

FOLDER is an export, FILE is a receipt or a disclosure, OLD a signed checkpoint kept from before, PROOF the proof from there to a newer one; \`-\` reads standard input.
Exit codes: 0 valid, 1 tampered, 2 malformed or unsupported (or wrong usage), 3 inconclusive.
`;

class WrongUsage extends Error {}

function read(path: string): Uint8Array {
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    const file = path === "-" ? 0 : openSync(path, "r");
    const chunk = new Uint8Array(1 << 20);
    for (let count = 1; count > 0 && length <= FILE_BYTES_MAX; length += count) {
      count = readSync(file, chunk);
      chunks.push(chunk.slice(0, count));
    }
    if (file !== 0) closeSync(file);
  } catch (error) {
    throw malformed(path, `cannot be read: ${error instanceof Error ? error.message : error}`);
  }
  if (length > FILE_BYTES_MAX) throw malformed(path, "is too long to be a receipt, a proof or a policy");
  return Buffer.concat(chunks);
}

const readText = (path: string) => trimmed(read(path));

function run(args: string[]): Verdict {
  const { values, positionals } = parse(args);
  const [command, ...files] = positionals;
  const [one, two] = files;
  const { key: keys = [], policy: policies = [], checkpoint: checkpoints = [] } = values;
  const [file] = policies;
  const [kept] = checkpoints;
  if (checkpoints.length > 1) throw new WrongUsage("--checkpoint is given twice");
  if (kept !== undefined && command !== "fsck") throw new WrongUsage("--checkpoint is of fsck");
  if (policies.length > 1) throw new WrongUsage("--policy is given twice");
  if ((file === undefined) === (keys.length === 0)) throw new WrongUsage("say which keys to believe: --key or --policy");
  const pinned = (): Policy => (file === undefined ? policyOfKeys(keys) : parsePolicy(read(file)));
  // In the order of the other verifiers: the policy, then the files.
  return conclusion(() => {
    const policy = pinned();
    if (command === "receipt" && one !== undefined && files.length === 1) {
      return verifyReceipt(readText(one), () => policy);
    }
    if (command === "disclose" && one !== undefined && files.length === 1) {
      return verifyDisclosure(readText(one), () => policy);
    }
    if (command === "fsck" && one !== undefined && files.length === 1) {
      return verifyExport(folderOf(one), () => policy, kept === undefined ? undefined : readText(kept));
    }
    if (command === "consistency" && one !== undefined && two !== undefined && files.length === 2) {
      const old = readText(one);
      return verifyConsistency(old, readText(two), () => policy);
    }
    throw new WrongUsage("say what to verify: receipt FILE, disclose FILE, consistency OLD PROOF, or fsck FOLDER");
  });
}

function parse(args: string[]) {
  const many = { type: "string", multiple: true } as const;
  const options = { key: many, policy: many, checkpoint: many };
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    throw new WrongUsage(error instanceof Error ? error.message : `${error}`);
  }
}

/** The verdict of `work`, or that of the failure it throws. */
function conclusion(work: () => Verdict): Verdict {
  let verdict: Verdict | undefined;
  const failed = conclude(() => {
    verdict = work();
  });
  return verdict ?? failed;
}

function main(args: string[]): number {
  if (args.includes("--help") || args.includes("-h")) {
    process.stdout.write(USAGE);
    return 0;
  }
  try {
    const verdict = run(args);
    process.stdout.write(verdict.text);
    return verdict.code;
  } catch (error) {
    if (!(error instanceof WrongUsage)) throw error;
    process.stderr.write(`error: ${error.message}\n\n${USAGE}`);
    return 2;
  }
}

process.exitCode = main(process.argv.slice(2));
