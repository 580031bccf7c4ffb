import { HoldfastError } from "./holdfast-error.ts";

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/**
 * Milliseconds of a duration as people write it: a number, in a string as well, means seconds,
 * unless a unit says otherwise: `250ms`, `30s`, `5m`, `2h`, `7d`.
 * @throws HoldfastError `DURATION_INVALID` for anything else, negative and infinite ones included.
 */
export function durationMs(value: number | string): number {
  const ms = typeof value === "number" ? value * 1_000 : writtenMs(value);
  if (ms !== undefined && Number.isFinite(ms) && ms >= 0) return ms;
  const said = typeof value === "number" ? String(value) : JSON.stringify(value);
  throw new HoldfastError(`Not a duration: ${said}`, {
    code: "DURATION_INVALID",
    hint: 'Write seconds (30) or a number with a unit: "250ms", "30s", "5m", "2h", "7d".',
  });
}

function writtenMs(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?$/.exec(text.trim());
  return match === null ? undefined : Number(match[1]) * (UNIT_MS[match[2] ?? "s"] ?? 1_000);
}

/** A duration for people: `850 ms`, `12 s`, `5 min`, `3 h`, `4 d`; rounded to what matters. */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 90_000) return `${ms < 10_000 ? Math.round(ms / 100) / 10 : Math.round(ms / 1_000)} s`;
  if (ms < 5_400_000) return `${Math.round(ms / 60_000)} min`;
  if (ms < 129_600_000) return `${Math.round(ms / 3_600_000)} h`;
  return `${Math.round(ms / 86_400_000)} d`;
}
