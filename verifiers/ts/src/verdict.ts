/**
 * What a verification ends with: one of four verdicts, and the text that says it.
 *
 * Format: docs/formats/verdicts.md.
 */

export enum Code {
  Valid,
  Tampered,
  Malformed,
  Inconclusive,
}

const NAMES = ["VALID", "TAMPERED", "MALFORMED", "INCONCLUSIVE"] as const;

/** Ends a verification: `what` was looked at, and `why` it does not hold. */
export class Failure extends Error {
  constructor(
    readonly code: Code,
    readonly what: string,
    readonly why: string,
  ) {
    super(`${what}: ${why}`);
  }
}

export const tampered = (what: string, why: string) => new Failure(Code.Tampered, what, why);
export const malformed = (what: string, why: string) => new Failure(Code.Malformed, what, why);
export const inconclusive = (what: string, why: string) => new Failure(Code.Inconclusive, what, why);

/** What fails in `work` says where it is: in which of two checkpoints, in which row of a disclosure. */
export function inPart<T>(place: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof Failure ? new Failure(error.code, `${place}: ${error.what}`, error.why) : error;
  }
}

/** A hash on the way from a row to a signature, and the siblings met on the way to the next. */
export interface Step {
  title: string;
  hash: string;
  siblings: { hash: string; side: "left" | "right" }[];
}

/** What has been found true so far. */
export class Report {
  subject = "";
  readonly facts: [string, string][] = [];
  readonly row: [string, string][] = [];
  /** Of a disclosure: its rows, each with facts and fields of its own. */
  readonly disclosed: Report[] = [];
  readonly checked: string[] = [];
  readonly notCovered: string[] = [];
  /** From the row to the row root, and from the leaf to the root of the log: of each what has been followed. */
  readonly path: { row: Step[]; log: Step[] } = { row: [], log: [] };

  fact(name: string, value: string): void {
    this.facts.push([name, value]);
  }
}

export interface Verdict {
  code: Code;
  /** As the command line prints it. */
  text: string;
  /** In one word. */
  name: string;
  /** What failed; absent if valid. */
  failure?: { what: string; why: string };
  report: Report;
}

export function valid(report: Report): Verdict {
  const lines = [`VALID: ${report.subject}`, ...pairs(report.facts, ":")];
  if (report.row.length > 0) lines.push("row", ...pairs(report.row, " ="));
  for (const one of report.disclosed) lines.push(one.subject, ...pairs(one.facts, ":"), ...pairs(one.row, " ="));
  lines.push(...titled("checked", report.checked), ...titled("not covered", report.notCovered));
  return { code: Code.Valid, text: joined(lines), name: NAMES[Code.Valid], report };
}

export function failed(failure: Failure, report: Report): Verdict {
  const { code, what, why } = failure;
  const name = NAMES[code];
  const lines = [`${name}: ${what}: ${why}`, ...titled("checked before that", report.checked)];
  return { code, text: joined(lines), name, failure: { what, why }, report };
}

/** Runs `check`, and gives its verdict. Anything but a [Failure] is a fault of this program and is thrown. */
export function conclude(check: (report: Report) => void): Verdict {
  const report = new Report();
  try {
    check(report);
  } catch (error) {
    if (error instanceof Failure) return failed(error, report);
    throw error;
  }
  return valid(report);
}

const length = (text: string) => [...text].length;

function pairs(of: [string, string][], mark: string): string[] {
  const width = Math.max(0, ...of.map(([name]) => length(name)));
  return of.map(([name, value]) => `  ${name}${" ".repeat(width - length(name))}${mark} ${value}`);
}

const titled = (title: string, lines: string[]) => (lines.length > 0 ? [title, ...lines.map((line) => `  - ${line}`)] : []);

const joined = (lines: string[]) => lines.map((line) => `${line}\n`).join("");
