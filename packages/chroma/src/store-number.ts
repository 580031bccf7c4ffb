/*
 * Chroma keeps metadata as JSON on its way through, and reads JSON numbers with serde_json's fast
 * path, which rounds twice: the digits to a double, then that divided or multiplied by a power of
 * ten. About one double in six comes back as its neighbour, however it is written.
 * Source: serde_json 1.0, `Deserializer::f64_from_parts`; the contract suite holds it to a real server.
 */

const TEN: readonly number[] = Array.from({ length: 309 }, (_, exponent) =>
  Number(`1e${exponent}`),
);
const EXPONENT_MAX = 308;
/** Chroma's integers are 64 bits wide; what is beyond is a double to it. */
const INTEGER_END = 2 ** 63;

/** JSON text that Chroma reads as exactly this finite number; undefined if there is none. */
export function exactNumberText(value: number): string | undefined {
  if (Number.isInteger(value) && Math.abs(value) < INTEGER_END) return BigInt(value).toString();
  const [digits = "", exponentText] = Math.abs(value).toExponential().split("e");
  const [whole = "", fraction = ""] = digits.split(".");
  const exponent = Number(exponentText) - fraction.length;
  const read = asServerReads(Number(whole + fraction), exponent);
  if (read !== Math.abs(value)) return undefined;
  // Written out, the zeros of a large number would be digits too many for the server.
  return Number.isInteger(value) ? value.toExponential() : JSON.stringify(value);
}

function asServerReads(significand: number, exponent: number): number {
  let value = significand;
  let left = exponent;
  while (left < -EXPONENT_MAX) {
    value /= 1e308;
    left += EXPONENT_MAX;
  }
  const power = TEN[Math.abs(left)] ?? Number.NaN;
  return left < 0 ? value / power : value * power;
}
