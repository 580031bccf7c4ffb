import type { MirrorPort } from "../strategies/recovery-ports.ts";

type Comparison = Awaited<ReturnType<MirrorPort["compare"]>>;

/**
 * Compares the store with the mirror. A memory that is written meanwhile may be read before and
 * looked up after: what differs is compared again, and counts only if it still does.
 */
export async function compareTwice(
  memory: Pick<MirrorPort, "compare">,
  signal: AbortSignal,
): Promise<Comparison> {
  const first = await memory.compare({ signal });
  if (first.equal) return first;
  const second = await memory.compare({ signal });
  const before = new Set([...first.missing, ...first.different]);
  const missing = second.missing.filter((id) => before.has(id));
  const different = second.different.filter((id) => before.has(id));
  return { ...second, missing, different, equal: missing.length + different.length === 0 };
}
