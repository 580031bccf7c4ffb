const BARS = "▁▂▃▄▅▆▇█";

/** One character for each value, by its share of the largest; a blank where there is none. */
export function sparkline(values: readonly (number | null)[]): string {
  const most = Math.max(0, ...values.map((value) => value ?? 0));
  return values
    .map((value) => {
      if (value === null || value <= 0) return value === null ? " " : BARS.charAt(0);
      return BARS.charAt(Math.min(BARS.length - 1, Math.floor((value / most) * BARS.length)));
    })
    .join("");
}
