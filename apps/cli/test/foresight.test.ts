import { expect, test } from "@jest/globals";
import type { CheckReport, HealthReport } from "@holdfast/recovery";
import { FakeClock } from "@holdfast/core/testing";
import { Foresight } from "../src/monitor/foresight.ts";

function foresight(): Foresight {
  return new Foresight({ watched: "canary", folder: "/", clock: new FakeClock() });
}

let at = 0;
const look = (
  status: "pass" | "fail",
  tookMs: number,
  of: HealthReport["status"] = "healthy",
): HealthReport =>
  ({
    status: of,
    checks: [{ check: "canary", last: { status, tookMs, at: (at += 1) } }],
  }) as HealthReport;

/** What it would warn of next, by its own checks. */
async function warnings(of: Foresight): Promise<string[]> {
  const checks = await Promise.all(
    of.checks
      .filter(({ name }) => name !== "disk")
      .map(async (check) => {
        const last = await check.run({ signal: new AbortController().signal });
        return { check: check.name, last } as CheckReport;
      }),
  );
  return of.warningsOf({ checks } as HealthReport).map(({ line }) => line);
}

test("answers that take longer for good are foreseen, and over when they are not", async () => {
  const seer = foresight();
  for (let n = 0; n < 40; n += 1) seer.see(look("pass", 10 + (n % 3)));
  await expect(warnings(seer)).resolves.toEqual([]);
  for (let n = 0; n < 10; n += 1) seer.see(look("pass", 30));
  await expect(warnings(seer)).resolves.toEqual([
    expect.stringMatching(/^latency: the store takes 30 ms where it took 11 ms$/),
  ]);
  expect(seer.alarming).toBe(true);
  for (let n = 0; n < 80; n += 1) seer.see(look("pass", 10 + (n % 3)));
  await expect(warnings(seer)).resolves.toEqual([]);
});

test("looks that fail now and then are foreseen, until they are trouble that is here", async () => {
  const seer = foresight();
  for (let n = 0; n < 40; n += 1) seer.see(look(n % 3 === 0 ? "fail" : "pass", 10));
  await expect(warnings(seer)).resolves.toEqual([
    expect.stringMatching(/^errors: 3\d % of the looks fail$/),
  ]);
  seer.see(look("fail", 10, "unhealthy"));
  await expect(warnings(seer)).resolves.toEqual([]);
  expect(seer.alarming).toBe(false);
});
