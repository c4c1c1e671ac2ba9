/**
 * A receipt as COSE (RFC 9942), taken apart and not yet believed.
 *
 * X1: there is one spelling, that of deterministic CBOR.
 * X2: the root is not in it: it is computed from leaf and path, and the signature is over that.
 * Format: docs/formats/cose.md.
 */

import { ascii, concat, equal, PATH_MAX, Reader } from "./bytes.js";
import { RECEIPT_BYTES_MAX, type Receipt, readExtra } from "./receipt.js";

/** {1: EdDSA, 395: RFC 9162 with SHA-256} */
const PROTECTED = Uint8Array.of(0xa2, 0x01, 0x27, 0x19, 0x01, 0x8b, 0x01);
const TAG = 0xd2;
/** Tag 18, an array of four, the protected header, a map of two that begins with one inclusion proof. */
const BEFORE_PROOF = concat(Uint8Array.of(TAG, 0x84, 0x47), PROTECTED, Uint8Array.of(0xa2, 0x19, 0x01, 0x8c, 0xa1, 0x20, 0x81));
const BEFORE_EXTRA = Uint8Array.of(0x3a, 0x00, 0x01, 0x11, 0x6f);
/** No payload, and a signature of 64 bytes. */
const BEFORE_SIGNATURE = Uint8Array.of(0xf6, 0x58, 0x40);
const [UNSIGNED, BYTES, ARRAY] = [0, 2, 4];

export interface CoseReceipt extends Omit<Receipt, "checkpoint"> {
  size: bigint;
  signature: Uint8Array;
}

export const isCose = (bytes: Uint8Array) => bytes[0] === TAG;

/** The Sig_structure of RFC 9052 with this protected header, no external data, and the root for payload. */
export const signedBytes = (root: Uint8Array) =>
  concat(ascii("\x84\x6aSignature1\x47"), PROTECTED, Uint8Array.of(0x40, 0x58, 0x20), root);

export function parseCose(bytes: Uint8Array): CoseReceipt {
  const read = new Reader(bytes, "COSE receipt");
  const expect = (expected: Uint8Array, why: string) => {
    if (!equal(read.take(expected.length), expected)) throw read.fail(why);
  };
  if (bytes.length > RECEIPT_BYTES_MAX) throw read.fail("is longer than 16 MiB");
  expect(BEFORE_PROOF, "does not begin with EdDSA, the tree of RFC 9162 and one inclusion proof");
  const proof = byteString(read);
  expect(BEFORE_EXTRA, "does not go on with label -70000");
  const extra = byteString(read);
  expect(BEFORE_SIGNATURE, "does not end without payload and with a signature of 64 bytes");
  const signature = read.take(64);
  read.end();
  return { ...readProof(proof), ...readExtra(extra), signature };
}

function readProof(bytes: Uint8Array): { size: bigint; index: bigint; path: Uint8Array[] } {
  const read = new Reader(bytes, "COSE inclusion proof");
  if (read.u8() !== 0x83) throw read.fail("is not of size, index and path");
  const [size, index, count] = [head(read, UNSIGNED), head(read, UNSIGNED), head(read, ARRAY)];
  if (count > BigInt(PATH_MAX)) throw read.fail(`a path of ${count} hashes, at most ${PATH_MAX}`);
  const path = Array.from({ length: Number(count) }, () => {
    const found = byteString(read);
    if (found.length !== 32) throw read.fail(`has a hash of ${found.length} bytes`);
    return found;
  });
  read.end();
  return { size, index, path };
}

function byteString(read: Reader): Uint8Array {
  const length = head(read, BYTES);
  if (length > BigInt(RECEIPT_BYTES_MAX)) throw read.fail("has a byte string of more than 16 MiB");
  return read.take(Number(length));
}

/** The number in the head of an item of this major type, in its shortest form. */
function head(read: Reader, major: number): bigint {
  const first = read.u8();
  const short = first & 0x1f;
  let [number, least] = [BigInt(short), 0n];
  if (short >= 24 && short <= 27) {
    const width = 1 << (short - 24);
    number = read.take(width).reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
    least = width === 1 ? 24n : 1n << BigInt(4 * width);
  }
  if (first >> 5 !== major || short > 27 || number < least) throw read.fail(`has no item of type ${major} in its shortest form`);
  return number;
}
