/** Numbers as C's printf writes them with `%.<precision>g`, which is how lua-cjson writes them. */

/** `value` (finite) with at most `precision` significant digits (1 to 16), without trailing zeros. */
export function formatNumber(value: number, precision: number): string {
  const size = Math.abs(value);
  if (size >= 1e-4 && size < 1e15 && precision < 16) {
    // The shortest text that reads back as `value` is the rounded one too, as long as it has no more digits.
    const shortest = String(value);
    if (shortest.length <= precision) return shortest;
  }
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";

  const [mantissa, power] = roundHalfEven(value, precision).split("e") as [string, string];
  const exponent = Number(power);
  if (exponent < -4 || exponent >= precision) {
    const digits = Math.abs(exponent).toString().padStart(2, "0");
    return `${withoutZeros(mantissa)}e${exponent < 0 ? "-" : "+"}${digits}`;
  }
  const sign = value < 0 ? "-" : "";
  const digits = mantissa.replace(/[-.]/g, "");
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${withoutZeros(`.${digits}`).slice(1)}`;
  return withoutZeros(`${sign}${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`);
}

/** Without zeros, and a point, at the end of a text with a point. */
function withoutZeros(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "").replace(/\.$/, "") : text;
}

/** `d.ddde±x` with `precision` digits. JavaScript rounds ties away from zero, C to the even digit. */
function roundHalfEven(value: number, precision: number): string {
  const rounded = value.toExponential(precision - 1);
  // A double has at most 767 significant digits, but one that ends in a tie at this place far fewer.
  const exact = value.toExponential(60);
  const [mantissa, power] = exact.split("e") as [string, string];
  const sign = value < 0 ? 1 : 0;
  const kept = sign + (precision === 1 ? 1 : precision + 1);
  const rest = mantissa.slice(kept).replace(".", "");
  if (!/^50*$/.test(rest)) return rounded;
  const last = Number(mantissa[kept - 1]);
  return last % 2 === 0 ? `${mantissa.slice(0, kept)}e${power}` : rounded;
}
