/**
 * The page an auditor opens from disk: drop a receipt or a disclosure, type the pinned key, read the verdict.
 *
 * P1: what came out of a file is put into the page as text only.
 * Never: reaches a network (the page's own policy forbids it) or keeps anything.
 */

import {
  conclude,
  isSdJwt,
  malformed,
  type Policy,
  parsePolicy,
  policyOfKeys,
  type Report,
  trimmed,
  type Verdict,
  verifyConsistency,
  verifyDisclosure,
  verifyReceipt,
} from "../src/index.js";
import { draw } from "./drawing.js";

const FILE_BYTES_MAX = 64 << 20;

interface Given {
  name: string;
  bytes: Uint8Array;
}

let files: Given[] = [];

function element<T extends Element = HTMLElement>(id: string): T {
  const found = document.querySelector<T>(`#${id}`);
  if (!found) throw new Error(`the page has no #${id}`);
  return found;
}

/** Keys, or a policy file if there is a quorum line. */
function pinned(text: string): Policy {
  if (/^\s*quorum\s/m.test(text)) return parsePolicy(new TextEncoder().encode(text.trim()));
  return policyOfKeys(text.split("\n").filter((line) => line.trim() !== ""));
}

const startsWith = (bytes: Uint8Array, text: string) => [...text].every((char, i) => bytes[i] === char.charCodeAt(0));

function verdictOf(keys: string): Verdict | undefined {
  const policy = () => pinned(keys);
  const [first, ...more] = files;
  if (first === undefined || keys.trim() === "") return undefined;
  const proof = files.find(({ bytes }) => startsWith(bytes, "old "));
  if (proof && files.length === 1) return undefined;
  if (proof && files.length === 2) {
    const old = files.find((file) => file !== proof);
    return verifyConsistency(old?.bytes ?? new Uint8Array(), proof.bytes, policy);
  }
  if (more.length > 0) {
    return conclude(() => {
      throw malformed("files", "are neither one receipt or disclosure nor a proof and the checkpoint kept from before");
    });
  }
  if (isSdJwt(first.bytes) || startsWith(first.bytes, "shockwave-disclosure@")) return verifyDisclosure(first.bytes, policy);
  return verifyReceipt(first.bytes, policy);
}

function fill(id: string, lines: readonly Node[]): void {
  const section = element(id);
  section.hidden = lines.length === 0;
  section.querySelector("table, ul")?.replaceChildren(...lines);
}

function tableRow([name, value]: readonly [string, string]): Node {
  const row = document.createElement("tr");
  for (const text of [name, value]) row.insertCell().textContent = text;
  return row;
}

/** A row of a disclosure: its fields, and what is known of it. */
function disclosedRow({ subject, facts, row }: Report): Node {
  const section = document.createElement("section");
  const title = document.createElement("h2");
  title.textContent = subject;
  const [fields, known] = [document.createElement("table"), document.createElement("table")];
  fields.className = "row";
  fields.append(...row.map(tableRow));
  known.append(...facts.map(tableRow));
  section.append(title, fields, known);
  return section;
}

function item(text: string): Node {
  const line = document.createElement("li");
  line.textContent = text;
  return line;
}

function show(): void {
  const verdict = verdictOf(element<HTMLTextAreaElement>("keys").value);
  describeFiles();
  element("result").hidden = verdict === undefined;
  if (verdict === undefined) return;
  const { report, failure, name } = verdict;
  element("result").style.setProperty("--verdict", `var(--${name.toLowerCase()})`);
  element("name").textContent = name;
  element("subject").textContent = failure ? `${failure.what}: ${failure.why}` : report.subject;
  // What was gathered before a failure proves nothing yet.
  fill("row", failure ? [] : report.row.map(tableRow));
  element("disclosed").replaceChildren(...(failure ? [] : report.disclosed.map(disclosedRow)));
  fill("facts", failure ? [] : report.facts.map(tableRow));
  element("checkedTitle").textContent = failure ? "Checked before that" : "Checked";
  fill("checked", report.checked.map(item));
  fill("notCovered", failure ? [] : report.notCovered.map(item));
  const drawing = draw(verdict);
  element("path").hidden = drawing === undefined;
  if (drawing) element("drawing").replaceChildren(drawing);
}

function describeFiles(): void {
  const drop = element("drop");
  drop.classList.toggle("full", files.length > 0);
  const text = element("dropped");
  if (files.length === 0) return;
  text.textContent = files.map(({ name, bytes }) => `${name}, ${bytes.length.toLocaleString("en")} bytes`).join(" · ");
  const isProofAlone = files.length === 1 && files.some(({ bytes }) => startsWith(bytes, "old "));
  const hint = document.createElement("small");
  hint.textContent = isProofAlone
    ? "A consistency proof. Drop the signed checkpoint that you kept, too."
    : element<HTMLTextAreaElement>("keys").value.trim() === ""
      ? "Now the key."
      : "Drop another to begin anew.";
  text.append(hint);
}

async function take(list: FileList | null): Promise<void> {
  const taken = await Promise.all([...(list ?? [])].filter((file) => file.size <= FILE_BYTES_MAX).map(read));
  const waits = files.length === 1 && taken.length === 1 && files.some(({ bytes }) => startsWith(bytes, "old "));
  files = waits ? [...files, ...taken] : taken;
  show();
}

const read = async (file: File): Promise<Given> => ({ name: file.name, bytes: trimmed(new Uint8Array(await file.arrayBuffer())) });

function listen(): void {
  const drop = element("drop");
  element("keys").addEventListener("input", show);
  element<HTMLInputElement>("file").addEventListener("change", ({ target }) => take((target as HTMLInputElement).files));
  for (const name of ["dragover", "drop"]) document.addEventListener(name, (event) => event.preventDefault());
  document.addEventListener("dragover", () => drop.classList.add("over"));
  document.addEventListener("dragleave", () => drop.classList.remove("over"));
  document.addEventListener("drop", (event) => {
    drop.classList.remove("over");
    void take(event.dataTransfer?.files ?? null);
  });
}

listen();
