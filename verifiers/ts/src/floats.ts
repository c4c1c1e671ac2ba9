/**
 * The shortest decimal of a float that reads back as the same float.
 *
 * Format: docs/formats/verdicts.md.
 */

/** `value`, which is a float of 32 bits if `isSingle`. */
export function shortest(value: number, isSingle: boolean): string {
  if (!Number.isFinite(value)) return `${value}`;
  if (value === 0) return "0";
  const size = Math.abs(value);
  const sign = value < 0 ? "-" : "";
  const { digits, power } = isSingle ? ofSingle(size) : taken(size.toExponential());
  const low = isSingle ? Math.fround(1e-4) : 1e-4;
  if (low <= size && size < 1e16) return sign + plain(digits, power);
  const point = digits.length > 1 ? "." : "";
  return `${sign}${digits.slice(0, 1)}${point}${digits.slice(1)}e${power}`;
}

interface Decimal {
  /** Significant digits, the first of which stands for units of 10^power. */
  digits: string;
  power: number;
}

function taken(exponential: string): Decimal {
  const [mantissa = "", power = ""] = exponential.split("e");
  return { digits: mantissa.replace(".", ""), power: Number(power) };
}

/** The platform's own is for doubles: tries each number of digits, and the neighbour above, since the gap there may be wider. */
function ofSingle(size: number): Decimal {
  for (let count = 1; ; count++) {
    const below = taken(size.toExponential(count - 1));
    const above = `${BigInt(below.digits) + 1n}`;
    const next = { digits: above, power: below.power + above.length - count };
    for (const { digits, power } of [below, next]) {
      const reads = Math.fround(Number(`${digits}e${power - digits.length + 1}`)) === size;
      if (reads) return { digits: digits.replace(/0+$/, ""), power };
    }
  }
}

function plain(digits: string, power: number): string {
  if (power < 0) return `0.${"0".repeat(-power - 1)}${digits}`;
  const whole = digits.slice(0, power + 1).padEnd(power + 1, "0");
  const fraction = digits.slice(power + 1);
  return fraction === "" ? whole : `${whole}.${fraction}`;
}
