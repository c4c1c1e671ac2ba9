/**
 * An SD-JWT (RFC 9901) that carries a disclosure, taken apart and not yet believed; and the opening of its fields.
 *
 * J1: there is one spelling of header, payload and each opening; openings may be left out and reordered.
 * J2: an opening counts only for a field of the row whose digests name it, with salt and value that give the field's commitment.
 * Format: docs/formats/sd-jwt.md.
 */

import { sha256 } from "@noble/hashes/sha2.js";
import { ascii, decoded, encoded, equal, hex } from "./bytes.js";
import { type Definition, parseDefinition } from "./definition.js";
import { type DisclosedTable, type Disclosure, parseDisclosure } from "./disclosure.js";
import { verify } from "./ed25519.js";
import { SHA256_KEY } from "./note.js";
import type { Policy } from "./policy.js";
import { plainName } from "./quote.js";
import { type Field, RECEIPT_BYTES_MAX, type Row } from "./receipt.js";
import { commitment } from "./row.js";
import { base64url, bytesOf, JsonReader, OtherSpelling, type Value } from "./sdjson.js";
import { inconclusive, inPart, malformed, tampered } from "./verdict.js";

/** What opens one field: a «disclosure» of RFC 9901. */
interface Opening {
  /** SHA-256 of its base64url, in hex. */
  digest: string;
  salt: Uint8Array;
  column: string;
  value: Value;
}

export interface SdJwt {
  signed: Uint8Array;
  keyId: string;
  issuer: string;
  /** Of each row the digests in hex of what may open its fields. */
  digests: string[][];
  disclosure: Disclosure;
  signature: Uint8Array;
  openings: Opening[];
}

/** Whether bytes are meant as an SD-JWT. */
export const isSdJwt = (bytes: Uint8Array) => bytes[0] === 0x65 && bytes[1] === 0x79 && bytes[2] === 0x4a;

const HEADER = /^\{"alg":"EdDSA","kid":"([0-9a-f]{8})","typ":"shockwave-disclosure\+sd-jwt"\}$/;

export function parseSdJwt(bytes: Uint8Array): SdJwt {
  const what = "SD-JWT";
  if (bytes.length > RECEIPT_BYTES_MAX) throw malformed(what, "is longer than 16 MiB");
  const text = decoded(bytes);
  if (text === undefined || !/^[A-Za-z0-9_.~-]*$/.test(text)) {
    throw malformed(what, "has a character that is none of base64url, point and tilde");
  }
  if (!text.endsWith("~")) throw malformed(what, "does not end with a tilde; a key binding is not supported");
  const [jwt, ...parts] = text.slice(0, -1).split("~");
  const [header, payload, encodedSignature, ...more] = (jwt ?? "").split(".");
  if (header === undefined || payload === undefined || encodedSignature === undefined || more.length > 0) {
    throw malformed(what, "does not begin with header, payload and signature");
  }
  const keyId = readHeader(header);
  const { issuer, claim, digests } = readPayload(payload);
  const signature = unbase64url("SD-JWT signature", encodedSignature);
  if (signature.length !== 64) throw malformed("SD-JWT signature", `has ${signature.length} bytes, not 64`);
  const openings = readOpenings(parts);
  const disclosure = parseDisclosure(encoded(claim));
  const rows = tablesOf(disclosure).flatMap((table) => table.rows);
  if (rows.some(({ fields }) => fields.some(({ kind }) => kind === "null" || kind === "shown"))) {
    throw malformed("SD-JWT payload", "shows a field itself");
  }
  if (rows.length !== digests.length) {
    throw malformed("SD-JWT payload", `shows ${rows.length} rows and lists digests of ${digests.length}`);
  }
  return { signed: ascii(`${header}.${payload}`), keyId, issuer, digests, disclosure, signature, openings };
}

const tablesOf = ({ commits }: Disclosure): DisclosedTable[] => commits.flatMap(({ tables }) => tables);

function unbase64url(what: string, text: string): Uint8Array {
  const bytes = base64url(text);
  if (bytes === undefined) throw malformed(what, "is not canonical base64url");
  return bytes;
}

function readHeader(base64: string): string {
  const what = "SD-JWT header";
  const found = HEADER.exec(decoded(unbase64url(what, base64)) ?? "");
  if (found?.[1] === undefined) throw malformed(what, "is not that of EdDSA, a key id and a disclosure");
  return found[1];
}

/** What `read` finds in JSON in its one spelling. */
function spelling<T>(what: string, base64: string, otherwise: string, read: (json: JsonReader) => T): T {
  const text = decoded(unbase64url(what, base64));
  try {
    if (text === undefined) throw new OtherSpelling();
    const json = new JsonReader(text);
    const found = read(json);
    json.end();
    return found;
  } catch (error) {
    throw error instanceof OtherSpelling ? malformed(what, otherwise) : error;
  }
}

function readPayload(base64: string): { issuer: string; claim: string; digests: string[][] } {
  const what = "SD-JWT payload";
  const otherwise = "is not of iss, _sd_alg, shockwave and rows in their one spelling";
  const { issuer, claim, rows } = spelling(what, base64, otherwise, (json) => {
    json.need('{"iss":');
    const issuer = json.string();
    json.need(',"_sd_alg":"sha-256","shockwave":');
    const claim = json.string();
    json.need(',"rows":[');
    return { issuer, claim, rows: list(json, () => readRow(json)) };
  });
  if (rows.some((row) => row.some(({ text }, i) => i > 0 && (row[i - 1]?.text ?? "") >= text))) {
    throw malformed(what, "has a row whose digests do not rise");
  }
  const digests = rows.map((row) => row.map(({ digest }) => digest));
  const all = digests.flat();
  if (new Set(all).size < all.length) throw malformed(what, "has one digest in two rows");
  return { issuer, claim, digests };
}

/** One or more, up to the end of the list and of the object that it ends. */
function list<T>(json: JsonReader, read: () => T): T[] {
  const found = [read()];
  while (!json.eat("]}")) {
    json.need(",");
    found.push(read());
  }
  return found;
}

function readRow(json: JsonReader): { text: string; digest: string }[] {
  if (json.eat("{}")) return [];
  json.need('{"_sd":[');
  return list(json, () => {
    const text = json.string();
    const bytes = base64url(text);
    if (bytes?.length !== 32) throw new OtherSpelling();
    return { text, digest: hex(bytes) };
  });
}

function readOpenings(parts: string[]): Opening[] {
  const seen = new Set<string>();
  return parts.map((part, i) => {
    const what = `SD-JWT disclosure ${i + 1}`;
    const opened = spelling(what, part, "is not of salt, name and value in their one spelling", (json) => {
      json.need("[");
      const salt = json.bytes(16);
      json.need(",");
      const column = json.string();
      json.need(",");
      const value = json.value();
      json.need("]");
      return { salt, column, value };
    });
    const digest = hex(sha256(ascii(part)));
    if (seen.has(digest)) throw malformed(what, "is there twice");
    seen.add(digest);
    return { digest, ...opened };
  });
}

/** The key is one that the policy pins for the ledger that the token says has issued it. */
export function checkSignature({ issuer, keyId, signed, signature }: SdJwt, policy: Policy): void {
  const name = plainName(issuer);
  const keys = policy.logs.filter((key) => key.type === SHA256_KEY && key.name === issuer);
  if (keys.length === 0) throw inconclusive("authenticity", `the policy pins no key for ${name}`);
  const key = keys.find(({ id }) => hex(id) === keyId);
  if (key === undefined) throw tampered("signature", `is by key ${keyId}, which is not pinned for ${name}`);
  if (!verify(key.public, signed, signature)) throw tampered("signature", `of pinned key ${name} does not verify over the SD-JWT`);
}

/** Puts what the openings say into the rows of the disclosure. A definition is read once. */
export function openFields({ disclosure, digests, openings }: SdJwt): void {
  const rows = tablesOf(disclosure).flatMap((table) => table.rows.map((row) => ({ row, table })));
  const places = new Map(digests.flatMap((row, place) => row.map((digest): [string, number] => [digest, place])));
  const definitions = new Map<DisclosedTable, Definition>();
  openings.forEach((opening, i) => {
    const what = `SD-JWT disclosure ${i + 1}`;
    const found = rows[places.get(opening.digest) ?? -1];
    if (found === undefined) throw tampered(what, "has no digest in the payload");
    const { row, table } = found;
    const definition = definitions.get(table) ?? inPart(what, () => parseDefinition(table.definition.bytes));
    definitions.set(table, definition);
    openField(row, definition, opening, what);
  });
}

function openField(row: Row, { columns }: Definition, { column: name, salt, value }: Opening, what: string): void {
  const shown = plainName(name);
  const at = columns.findIndex((one) => one.name === name);
  const [column, field] = [columns[at], row.fields[at]];
  if (column === undefined || field === undefined) throw tampered(what, `is of column ${shown}, which its row has not`);
  if (field.kind !== "hidden") throw tampered(what, `is of column ${shown}, which is not hidden`);
  const bytes = value.kind === "null" ? undefined : bytesOf(column.oid, value);
  if (value.kind !== "null" && bytes === undefined) throw malformed(what, `is not as a value of column ${shown} is written`);
  const opened: Field = bytes === undefined ? { kind: "null", salt } : { kind: "shown", salt, value: bytes };
  if (!equal(commitment(opened, column), field.commitment)) throw tampered(what, `does not open the commitment of column ${shown}`);
  row.fields[at] = opened;
}
