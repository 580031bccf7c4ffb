import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach } from "@jest/globals";
import { type MetricsDeps, type MetricsOptions, MetricsStore } from "../src/index.ts";
import { FakeClock } from "@holdfast/core/testing";

const undo: (() => void)[] = [];

afterEach(() => {
  for (const step of undo.splice(0).toReversed()) step();
});

/** Runs after the test, the last registered first. */
export function after(step: () => void): void {
  undo.push(step);
}

export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-metrics-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A store on a fake clock that writes only when told. */
export function scratchStore(
  options: Partial<MetricsOptions> = {},
  deps: MetricsDeps & { clock?: FakeClock } = {},
): { store: MetricsStore; clock: FakeClock; path: string } {
  const path = options.path ?? join(scratchFolder(), "metrics.sqlite");
  const clock = deps.clock ?? new FakeClock(Date.UTC(2026, 0, 5));
  const store = new MetricsStore({ flushIntervalMs: 0, ...options, path }, { ...deps, clock });
  after(() => store.close());
  return { store, clock, path };
}
