import { statfs } from "node:fs/promises";
import { type Clock, formatDuration } from "@holdfast/core";
import {
  type CheckOutcome,
  DiskForecast,
  ErrorRate,
  type HealthCheck,
  type HealthReport,
  LatencyDrift,
} from "@holdfast/recovery";

const HORIZON_MS = 24 * 3_600_000;
const FREE_BYTES_MIN = 256 * 1024 * 1024;
const NOTHING_YET: CheckOutcome = { status: "pass", message: "nothing is foreseen" };

/** The checks that foresee trouble: they warn, and change no status. */
export const FORESEEING: readonly string[] = ["latency", "errors", "disk"];

export interface ForesightDeps {
  /** Whose durations and outcomes are looked at. */
  watched: string;
  /** On the disk that may fill up. */
  folder: string;
  clock: Clock;
}

/** Tells what is about to go wrong, from what the looks of the past have found. */
export class Foresight {
  readonly #deps: ForesightDeps;
  readonly #drift = new LatencyDrift();
  #errors = new ErrorRate();
  readonly #disk = new DiskForecast();
  #latency = NOTHING_YET;
  #rate = NOTHING_YET;
  #seenAt = 0;

  constructor(deps: ForesightDeps) {
    this.#deps = deps;
  }

  get checks(): HealthCheck[] {
    const check = (name: string, run: HealthCheck["run"]): HealthCheck => ({
      name,
      service: "foresight",
      // What may happen has not happened yet.
      severity: "none",
      run,
    });
    return [
      check("latency", () => this.#latency),
      check("errors", () => this.#rate),
      check("disk", () => this.#lookAtDisk()),
    ];
  }

  /** Whether to look again soon although all is well. */
  get alarming(): boolean {
    return this.#latency.status === "warn" || this.#rate.status === "warn";
  }

  /** Takes what a round has found; it is told with the next one. */
  see({ status, checks }: HealthReport): void {
    if (status === "offline" || status === "unhealthy") {
      // What is here is no longer foreseen, and foretells nothing of the store once it is repaired.
      this.#errors = new ErrorRate();
      this.#rate = NOTHING_YET;
      return;
    }
    const seen = checks.find(({ check }) => check === this.#deps.watched)?.last;
    if (seen === undefined || seen.at === this.#seenAt) return;
    this.#seenAt = seen.at;
    const failed = seen.status === "fail";
    const { alarming, rate } = this.#errors.add(failed);
    this.#rate = alarming
      ? { status: "warn", message: `${Math.round(rate * 100)} % of the looks fail` }
      : NOTHING_YET;
    if (failed) return;
    const { alarming: drifting, baselineMs = 0, recentMs } = this.#drift.add(seen.tookMs);
    this.#latency = drifting
      ? {
          status: "warn",
          message: `the store takes ${formatDuration(recentMs)} where it took ${formatDuration(baselineMs)}`,
          evidence: { recentMs, baselineMs },
        }
      : NOTHING_YET;
  }

  /** What a round warns of, a line each. */
  warningsOf({ checks }: HealthReport): { check: string; line: string }[] {
    return checks
      .filter(({ check, last }) => FORESEEING.includes(check) && last.status === "warn")
      .map(({ check, last }) => ({ check, line: `${check}: ${last.message}` }));
  }

  async #lookAtDisk(): Promise<CheckOutcome> {
    const { folder, clock } = this.#deps;
    const { bavail, bsize } = await statfs(folder);
    const free = bavail * bsize;
    const forecast = this.#disk.add(clock.monotonic(), free);
    const evidence = { free, fullInMs: finite(forecast?.fullInMs) };
    const left = `${Math.round(free / 1024 / 1024)} MiB are free`;
    if (free < FREE_BYTES_MIN) return { status: "warn", message: left, evidence };
    if (forecast === undefined || forecast.fullInMsMin > HORIZON_MS) {
      return { status: "pass", message: left, evidence };
    }
    const soon = formatDuration(forecast.fullInMsMin);
    return { status: "warn", message: `${left}, and the disk may be full in ${soon}`, evidence };
  }
}

function finite(value: number | undefined): number | null {
  return value === undefined || !Number.isFinite(value) ? null : Math.round(value);
}
