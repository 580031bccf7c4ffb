import { globSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const LIBRARY = globSync("/usr/lib{,64,/*-linux-*}/faketime/libfaketime.so.1")[0];

/** Why a test that sets the clock of processes cannot run here; undefined when it can. */
export function clockObstacle(): string | undefined {
  return LIBRARY === undefined ? "wants libfaketime (Debian's package faketime)" : undefined;
}

/** The wall clock of whatever process is started with `environment`, and of its children. */
export interface SettableClock extends Disposable {
  readonly environment: Readonly<Record<string, string>>;
  /** By how many milliseconds it differs from the machine's; 0 at first. */
  readonly offsetMs: number;
  /** Sets it, for all of them at once, as an administrator or NTP does. */
  jump(byMs: number): void;
}

/**
 * Real processes whose wall clock a test can set while they run; their monotonic one goes on. With
 * `inherited` they are all those that this process starts until disposal; itself it keeps its own.
 */
export function settableClock({ inherited = false }: { inherited?: boolean } = {}): SettableClock {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-clock-"));
  const file = join(folder, "offset");
  let offsetMs = 0;
  const write = (): void => {
    // By renaming: a process may read it at any moment.
    writeFileSync(`${file}.new`, `${offsetMs < 0 ? "" : "+"}${offsetMs / 1_000}s\n`);
    renameSync(`${file}.new`, file);
  };
  write();
  const environment = {
    LD_PRELOAD: LIBRARY ?? "",
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: "1",
    FAKETIME_DONT_FAKE_MONOTONIC: "1",
  };
  const before = { ...process.env };
  if (inherited) Object.assign(process.env, environment);
  return {
    environment,
    get offsetMs() {
      return offsetMs;
    },
    jump(byMs) {
      offsetMs += byMs;
      write();
    },
    [Symbol.dispose]: () => {
      for (const name of inherited ? Object.keys(environment) : []) {
        if (before[name] === undefined) delete process.env[name];
        else process.env[name] = before[name];
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
