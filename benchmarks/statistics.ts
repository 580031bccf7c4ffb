/** The value below which `fraction` of `values` lie: the nearest rank. */
export function quantile(values: readonly number[], fraction: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil(sorted.length * fraction) - 1)] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Times two ways of doing the same, in turn, so that a busy machine slows both alike. */
export async function interleaved(
  rounds: number,
  callsPerRound: number,
  ours: (call: number) => Promise<unknown>,
  theirs: (call: number) => Promise<unknown>,
): Promise<Interleaved> {
  const result: Interleaved = { ours: [], theirs: [] };
  let call = 0;
  for (let round = 0; round <= rounds; round += 1) {
    const times = { ours: [] as number[], theirs: [] as number[] };
    for (let turn = 0; turn < callsPerRound; turn += 1, call += 1) {
      // Who goes first alternates: the second finds the server's caches warm.
      const first = turn % 2 === 0 ? ours : theirs;
      const second = turn % 2 === 0 ? theirs : ours;
      const [one, other] = [await timed(first, call), await timed(second, call)];
      times.ours.push(turn % 2 === 0 ? one : other);
      times.theirs.push(turn % 2 === 0 ? other : one);
    }
    // The first round warms up.
    if (round === 0) continue;
    result.ours.push(times.ours);
    result.theirs.push(times.theirs);
  }
  return result;
}

/** Milliseconds of each call, by round. */
export interface Interleaved {
  ours: number[][];
  theirs: number[][];
}

/** The median, over the rounds, of the ratio of the two sides' quantiles. */
export function ratioAt(times: Interleaved, fraction: number): number {
  return median(
    times.ours.map(
      (round, index) => quantile(round, fraction) / quantile(times.theirs[index] ?? [], fraction),
    ),
  );
}

/** `0.50 / 0.40 ms` at a quantile of all calls. */
export function figuresAt(times: Interleaved, fraction: number): string {
  const of = (rounds: number[][]): string => quantile(rounds.flat(), fraction).toFixed(2);
  return `${of(times.ours)} / ${of(times.theirs)} ms`;
}

async function timed(work: (call: number) => Promise<unknown>, call: number): Promise<number> {
  const started = performance.now();
  await work(call);
  return performance.now() - started;
}
