/**
 * Names of tiles, entry bundles and files of rows.
 *
 * Format: docs/formats/tiles.md, docs/formats/export.md.
 */

export const TILE_WIDTH = 256n;
export const TILE_BYTES_MAX = 8192;
export const TILE_LEVELS = 8;

export type TileKind = number | "entries";

/** Groups of three digits, all but the last with an `x` before. */
function numberPath(number: bigint): string {
  const digits = (part: bigint) => `${part % 1000n}`.padStart(3, "0");
  const groups = [digits(number)];
  for (let rest = number / 1000n; rest > 0n; rest /= 1000n) groups.unshift(`x${digits(rest)}`);
  return groups.join("/");
}

/** The file of hashes of a level, or of entries, in a log of `size` leaves, if it has one. */
export function tilePath(kind: TileKind, number: bigint, size: bigint): string | undefined {
  const places = kind === "entries" ? size : size >> BigInt(8 * kind);
  const left = places - TILE_WIDTH * number;
  if (left <= 0n) return undefined;
  return `tile/${kind}/${numberPath(number)}${left < TILE_WIDTH ? `.p/${left}` : ""}`;
}

export const rowsPath = (number: bigint) => `rows/${numberPath(number)}`;

/** True if a log of this size has this tile. The BLAKE3 tree has no entries of its own. */
export function isTile(path: string, size: bigint): boolean {
  const found = /^(b3\/)?tile\/(entries|[0-7])\/((?:x[0-9]{3}\/)*[0-9]{3})(?:\.p\/.*)?$/.exec(path);
  if (found === null) return false;
  const [, tree = "", name, groups = ""] = found;
  if (name === "entries" && tree !== "") return false;
  const own = tilePath(name === "entries" ? name : Number(name), numberOf(groups), size);
  return own !== undefined && tree + own === path;
}

export function isRows(path: string, first: bigint, end: bigint): boolean {
  const found = /^rows\/((?:x[0-9]{3}\/)*[0-9]{3})$/.exec(path);
  if (found === null) return false;
  const number = numberOf(found[1] ?? "");
  return number >= first && number < end && rowsPath(number) === path;
}

const numberOf = (groups: string) => BigInt(groups.replaceAll(/[/x]/g, ""));
