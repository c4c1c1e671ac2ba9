/**
 * Dates, times and intervals, as Postgres prints them.
 *
 * Format: docs/formats/verdicts.md.
 */

export const MICROS_A_DAY = 86_400_000_000n;
const MICROS_A_SECOND = 1_000_000n;

/** µs since 1970-01-01. */
export function timestamp(micros: bigint, zone: string): string {
  if (micros === 2n ** 63n - 1n) return "infinity";
  if (micros === -(2n ** 63n)) return "-infinity";
  const [days, rest] = divided(micros, MICROS_A_DAY);
  return withEra(days, ` ${clock(rest)}${zone}`);
}

/** Days since 1970-01-01. */
export function date(days: bigint): string {
  if (days === 2n ** 31n - 1n) return "infinity";
  if (days === -(2n ** 31n)) return "-infinity";
  return withEra(days, "");
}

const two = (number: bigint) => `${number}`.padStart(2, "0");

/** `04:05:06.789` */
export function clock(micros: bigint): string {
  const [seconds, fraction] = [micros / MICROS_A_SECOND, micros % MICROS_A_SECOND];
  const text = `${two(seconds / 3600n)}:${two((seconds / 60n) % 60n)}:${two(seconds % 60n)}`;
  return fraction === 0n ? text : `${text}.${`${fraction}`.padStart(6, "0").replace(/0+$/, "")}`;
}

/** `1 year 2 mons -3 days +04:05:06.789` */
export function interval(months: bigint, days: bigint, micros: bigint): string {
  const parts: string[] = [];
  let isBefore = false;
  const units: [bigint, string][] = [
    [months / 12n, "year"],
    [months % 12n, "mon"],
    [days, "day"],
  ];
  for (const [count, unit] of units) {
    if (count === 0n) continue;
    parts.push(`${isBefore && count > 0n ? "+" : ""}${count} ${unit}${count === 1n ? "" : "s"}`);
    isBefore = count < 0n;
  }
  if (micros !== 0n || parts.length === 0) {
    const sign = micros < 0n ? "-" : isBefore ? "+" : "";
    parts.push(sign + clock(micros < 0n ? -micros : micros));
  }
  return parts.join(" ");
}

function withEra(days: bigint, suffix: string): string {
  const { year, month, day } = civil(days);
  const spelled = (number: bigint) => `${`${number}`.padStart(4, "0")}-${two(month)}-${two(day)}${suffix}`;
  return year > 0n ? spelled(year) : `${spelled(1n - year)} BC`;
}

/** Proleptic Gregorian; years are counted from 1 March, so that the leap day is the last of its year; an era is 400 years. */
function civil(days: bigint): { year: bigint; month: bigint; day: bigint } {
  const [era, dayOfEra] = divided(days + 719_468n, 146_097n);
  const yearOfEra = (dayOfEra - dayOfEra / 1460n + dayOfEra / 36_524n - dayOfEra / 146_096n) / 365n;
  const dayOfYear = dayOfEra - (365n * yearOfEra + yearOfEra / 4n - yearOfEra / 100n);
  const fromMarch = (5n * dayOfYear + 2n) / 153n;
  const day = dayOfYear - (153n * fromMarch + 2n) / 5n + 1n;
  const year = era * 400n + yearOfEra;
  return fromMarch < 10n ? { year, month: fromMarch + 3n, day } : { year: year + 1n, month: fromMarch - 9n, day };
}

/** Towards −∞. */
function divided(a: bigint, b: bigint): [bigint, bigint] {
  const rest = ((a % b) + b) % b;
  return [(a - rest) / b, rest];
}
