import { expect, test } from "@jest/globals";
import * as fc from "fast-check";
import { seededRandom } from "@holdfast/core";
import { FakeClock } from "@holdfast/core/testing";
import { RestartPolicy } from "../src/index.ts";

test("property: within any window it allows no more attempts than its intensity", () => {
  expect(() =>
    fc.assert(
      fc.property(
        fc.array(fc.record({ waitMs: fc.nat(20_000), ranMs: fc.nat(120_000) }), {
          maxLength: 60,
        }),
        fc.integer({ min: 1, max: 6 }),
        fc.nat(),
        (crashes, attemptsMax, seed) => {
          const windowMs = 50_000;
          let nowMs = 0;
          const clock = {
            now: () => nowMs,
            monotonic: () => nowMs,
            sleep: () => Promise.resolve(),
          };
          const policy = new RestartPolicy(
            { attemptsMax, windowMs },
            { clock, random: seededRandom(seed) },
          );
          const made: number[] = [];
          for (const { waitMs, ranMs } of crashes) {
            nowMs += waitMs;
            const { action, waitMs: backoffMs, attempt } = policy.crashed(ranMs);
            const ceiling = Math.min(10_000, 250 * 2 ** (attempt - 1));
            if (backoffMs < 0 || backoffMs > ceiling) return false;
            if (action !== "give-up") made.push(nowMs);
            if (made.filter((at) => nowMs - at < windowMs).length > attemptsMax) return false;
          }
          return true;
        },
      ),
    ),
  ).not.toThrow();
});

test("a crash after a long life is no part of a row", () => {
  const clock = new FakeClock();
  const policy = new RestartPolicy({}, { clock, random: seededRandom(1) });
  const actions = [10, 3_600_000, 10].map((ranMs) => policy.crashed(ranMs).action);
  expect(actions).toEqual(["restart", "restart", "recover"]);
});
