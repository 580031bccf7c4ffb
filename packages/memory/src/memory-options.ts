import type { OutboxBounds } from "./acceptance.ts";
import type { TimeLimits } from "./store-access.ts";

export interface MemoryOptions {
  /** Where `memory.db`, the outbox and the mirror, lives; created 0700. Never inside the store's own directory. */
  stateDirectory: string;
  /** Default `memories`. */
  collection?: string;
  outbox?: Partial<OutboxBounds>;
  limits?: Partial<TimeLimits>;
  /** How long a write waits for `stored` by default, in milliseconds. Default 10 s. */
  waitMs?: number;
  /** How long a drainer that falls silent keeps other processes out, in milliseconds. Default 10 s. */
  leaseMs?: number;
  /** Records a request to the store at most. Default 1000. */
  batchRecordsMax?: number;
  /** Apply queued writes in the background of this process. Default true. */
  background?: boolean;
}

/** The defaults of {@link MemoryOptions}, in its units. */
export const MEMORY_DEFAULTS: {
  collection: string;
  outbox: OutboxBounds;
  limits: TimeLimits;
  waitMs: number;
  leaseMs: number;
  batchRecordsMax: number;
  background: boolean;
} = {
  collection: "memories",
  outbox: {
    recordsMax: 100_000,
    bytesMax: 256 * 1024 * 1024,
    keptRecordsMax: 100_000,
    keptBytesMax: 64 * 1024 * 1024,
  },
  limits: { readMs: 10_000, writeMs: 30_000 },
  waitMs: 10_000,
  leaseMs: 10_000,
  batchRecordsMax: 1_000,
  background: true,
};

/** All of {@link MemoryOptions}. */
export type ResolvedOptions = typeof MEMORY_DEFAULTS & { stateDirectory: string };

/** setTimeout's own limit: a longer delay would fire at once. */
const TIMER_MS_MAX = 2_147_483_647;

type Check = (value: unknown) => string | undefined;

const text =
  (what: string): Check =>
  (value) =>
    typeof value === "string" && value !== "" ? undefined : what;
const whole =
  (min: number): Check =>
  (value) =>
    Number.isSafeInteger(value) && (value as number) >= min
      ? undefined
      : `a whole number of at least ${min}`;
const time =
  (min: number): Check =>
  (value) =>
    typeof value === "number" && value >= min && value <= TIMER_MS_MAX
      ? undefined
      : `a number from ${min} to ${TIMER_MS_MAX}`;

const CHECKS: Readonly<Record<string, Check>> = {
  stateDirectory: text("a path"),
  collection: text("a name"),
  "outbox.recordsMax": whole(1),
  "outbox.bytesMax": whole(1),
  "outbox.keptRecordsMax": whole(0),
  "outbox.keptBytesMax": whole(0),
  "limits.readMs": time(0),
  "limits.writeMs": time(0),
  waitMs: time(0),
  leaseMs: time(1),
  batchRecordsMax: whole(1),
  background: (value) => (typeof value === "boolean" ? undefined : "true or false"),
};

/** Fills in the defaults. @throws TypeError for an option that there is not, or not with that value. */
export function resolveOptions(options: MemoryOptions): ResolvedOptions {
  const { outbox = {}, limits = {}, ...rest } = options;
  const resolved = {
    ...MEMORY_DEFAULTS,
    ...given(rest),
    stateDirectory: options.stateDirectory,
    outbox: { ...MEMORY_DEFAULTS.outbox, ...given(outbox) },
    limits: { ...MEMORY_DEFAULTS.limits, ...given(limits) },
  };
  for (const [name, value] of Object.entries(flat(resolved))) {
    const check = CHECKS[name];
    if (check === undefined) throw new TypeError(`There is no option ${name}`);
    const wanted = check(value);
    if (wanted !== undefined) throw new TypeError(`${name} must be ${wanted}, not ${shown(value)}`);
  }
  return resolved;
}

/** An option that is undefined is as good as none. */
function given<T extends object>(options: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}

function flat({ outbox, limits, ...rest }: ResolvedOptions): Record<string, unknown> {
  const under = (name: string, options: object): [string, unknown][] =>
    Object.entries(options).map(([key, value]) => [`${name}.${key}`, value]);
  return {
    ...rest,
    ...Object.fromEntries([...under("outbox", outbox), ...under("limits", limits)]),
  };
}

const shown = (value: unknown): string =>
  typeof value === "string" ? JSON.stringify(value) : String(value);
