/**
 * Text from a receipt, spelled so that it cannot repaint a terminal.
 *
 * Format: docs/formats/verdicts.md.
 */

/** First and last code point of each run of control and formatting characters. */
const ESCAPED: readonly [number, number][] = [
  [0x00, 0x1f],
  [0x7f, 0x9f],
  [0xad, 0xad],
  [0x61c, 0x61c],
  [0x180e, 0x180e],
  [0x200b, 0x200f],
  [0x2028, 0x202e],
  [0x2060, 0x206f],
  [0xfeff, 0xfeff],
  [0xfff0, 0xfffb],
  [0x1bca0, 0x1bca3],
  [0x1d173, 0x1d17a],
  [0xe0000, 0xe0fff],
];
const SHORT: ReadonlyMap<string, string> = new Map([
  ['"', '\\"'],
  ["\\", "\\\\"],
  ["\n", "\\n"],
  ["\t", "\\t"],
  ["\r", "\\r"],
]);

export const codeOf = (char: string) => char.codePointAt(0) ?? 0;

function isEscaped(char: string): boolean {
  const code = codeOf(char);
  return ESCAPED.some(([first, last]) => first <= code && code <= last);
}

function spelled(char: string): string {
  return SHORT.get(char) ?? (isEscaped(char) ? `\\u{${codeOf(char).toString(16)}}` : char);
}

export const escape = (text: string) => Array.from(text, spelled).join("");

export const quote = (text: string) => `"${escape(text)}"`;

const isPlain = (char: string) => (codeOf(char) < 0x80 ? /[A-Za-z0-9_\-./% ]/.test(char) : !isEscaped(char));

/** A name as it stands if it is plain, else in quotes. */
export const plainName = (name: string) => (name !== "" && [...name].every(isPlain) ? name : quote(name));
