/** Writes the page as one file that loads nothing: `node page/build.mjs [FILE]`. */

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { buildSync } from "esbuild";

const here = import.meta.dirname;
const target = process.argv[2] ?? join(here, "../dist/verify.html");
const { outputFiles } = buildSync({
  entryPoints: [join(here, "page.ts")],
  bundle: true,
  format: "iife",
  target: "es2022",
  minify: true,
  charset: "utf8",
  legalComments: "inline",
  write: false,
});
const script = outputFiles[0].text.trim().replaceAll("</script", "<\\/script");
const hash = createHash("sha256").update(script).digest("base64");
// No address is allowed at all, and no script but this very one.
const policy = `default-src 'none'; script-src 'sha256-${hash}'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'`;
const html = readFileSync(join(here, "page.html"), "utf8")
  .replace("<!-- csp -->", () => `<meta http-equiv="Content-Security-Policy" content="${policy}">`)
  .replace("<!-- script -->", () => `<script>${script}</script>`);
mkdirSync(dirname(target), { recursive: true });
writeFileSync(target, html);
console.log(`${target}: ${html.length} bytes`);
