/**
 * Text from a receipt, spelled so that it cannot repaint a terminal.
 *
 * Format: docs/formats/verdicts.md.
 */

/** Control and formatting characters, and the two that escape and end a text. */
const ESCAPED =
  /["\\\u{0}-\u{1f}\u{7f}-\u{9f}\u{ad}\u{61c}\u{180e}\u{200b}-\u{200f}\u{2028}-\u{202e}\u{2060}-\u{206f}\u{feff}\u{fff0}-\u{fffb}\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]/gu;
/** What a name may hold besides characters beyond ASCII. */
const PLAIN = /^[A-Za-z0-9_\-./% \u{80}-\u{10ffff}]+$/u;
const SHORT: ReadonlyMap<string, string> = new Map([
  ['"', '\\"'],
  ["\\", "\\\\"],
  ["\n", "\\n"],
  ["\t", "\\t"],
  ["\r", "\\r"],
]);

export const codeOf = (char: string) => char.codePointAt(0) ?? 0;

const spelled = (char: string) => SHORT.get(char) ?? `\\u{${codeOf(char).toString(16)}}`;

export const escape = (text: string) => text.replace(ESCAPED, spelled);

export const quote = (text: string) => `"${escape(text)}"`;

/** A name as it stands if it is plain, else in quotes. */
export const plainName = (name: string) => (PLAIN.test(name) && escape(name) === name ? name : quote(name));
