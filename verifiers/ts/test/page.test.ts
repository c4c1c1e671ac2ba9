/** The page, opened from disk in a real browser: it says what the program says, and asks no network for anything. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { vectors } from "./vectors.js";

const BROWSER = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
const QUIET = ["--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const skip = existsSync(BROWSER) ? false : `there is no ${BROWSER}`;
const folder = mkdtempSync(join(tmpdir(), "shockwave-page-"));
const file = join(folder, "verify.html");
const requests: string[] = [];
const faults: string[] = [];
let browser: Browser | undefined;

before(async () => {
  if (skip !== false) return;
  const built = spawnSync(process.execPath, [join(import.meta.dirname, "../../page/build.mjs"), file], { encoding: "utf8" });
  assert.equal(built.status, 0, built.stderr);
  browser = await chromium.launch({ executablePath: BROWSER, args: ["--no-sandbox", ...QUIET] });
});

after(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true });
});

async function open(): Promise<Page> {
  assert.ok(browser);
  const page = await browser.newPage();
  page.on("request", (request) => requests.push(request.url()));
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("console", (message) => faults.push(message.text()));
  await page.goto(pathToFileURL(file).href);
  return page;
}

async function shown(page: Page): Promise<string> {
  await page.waitForSelector("#result:not([hidden])");
  const [name, subject] = [await page.textContent("#name"), await page.textContent("#subject")];
  const items = (id: string) => page.$$eval(`#${id} li`, (lines) => lines.map((line) => line.textContent));
  const checked = await items("checked");
  const notCovered = await items("notCovered");
  return JSON.stringify([`${name}: ${subject}`, ...checked, ...notCovered]);
}

/** The lines of the text that the page shows as it is. */
function expected(says: string): string {
  const [first = "", ...rest] = says.split("\n");
  return JSON.stringify([first, ...rest.filter((line) => line.startsWith("  - ")).map((line) => line.slice(4))]);
}

const CHOSEN = ["valid-row", "valid-row-of-texts", "valid-key-leaf", "row-value-changed", "text-empty", "policy-without-logs", "valid-consistency", "log-rolled-back", "valid-cosigned-by-groups-of-groups", "cosigned-by-one-of-three", "valid-disclosure", "disclosure-value-changed", "valid-sd-jwt", "sd-jwt-value-changed", "valid-cose-row"];

for (const vector of vectors.filter(({ name }) => CHOSEN.includes(name))) {
  test(`page: ${vector.name}`, { skip }, async () => {
    const page = await open();
    await page.fill("#keys", vector.policy);
    const encoding = vector.kind === "cose" ? "base64" : "utf8";
    const files = [{ name: "input", text: vector.input }];
    if (vector.pinned !== undefined) files.push({ name: "kept", text: vector.pinned });
    const given = files.map(({ name, text }) => ({ name, mimeType: "text/plain", buffer: Buffer.from(text, encoding) }));
    await page.setInputFiles("#file", given);
    assert.equal(await shown(page), expected(vector.says));
    const disclosed = await page.$$eval("#disclosed .row td:last-child", (cells) => cells.map((cell) => cell.textContent));
    if (["valid-disclosure", "valid-sd-jwt"].includes(vector.name)) assert.deepEqual(disclosed.slice(0, 4), ["(hidden)", '"Ada"', "(hidden)", "(hidden)"]);
    else assert.deepEqual(disclosed, []);
    assert.equal(await page.isVisible("svg"), /leaf at index/.test(vector.says));
    await page.close();
  });
}

test("page: a file that is dropped", { skip }, async () => {
  const vector = vectors.find(({ name }) => name === "valid-row");
  assert.ok(vector);
  const page = await open();
  await page.fill("#keys", vector.policy.split("\n")[0]?.slice(4) ?? "");
  await page.evaluate((text) => {
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([text], "receipt.txt"));
    document.dispatchEvent(new DragEvent("drop", { dataTransfer }));
  }, vector.input);
  assert.equal(await shown(page), expected(vector.says));
  // The page's own policy refuses even what a script would ask for.
  const refused = await page.evaluate(() => fetch("http://127.0.0.1:9/").then(() => false, () => true));
  assert.ok(refused);
  await page.close();
});

test("page: no request and no fault", { skip }, () => {
  const own = pathToFileURL(file).href;
  assert.deepEqual([...new Set(requests)], [own]);
  assert.deepEqual(faults.filter((fault) => !fault.includes("127.0.0.1:9")), []);
});
