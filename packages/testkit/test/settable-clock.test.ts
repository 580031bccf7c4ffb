import { spawnSync } from "node:child_process";
import { describe, expect, test } from "@jest/globals";
import { clockObstacle, settableClock } from "@holdfast/testkit";

const obstacle = clockObstacle();
const withLibrary = obstacle === undefined ? describe : describe.skip;

withLibrary(`a settable clock (${obstacle ?? "libfaketime"})`, () => {
  test("is what a process reads, and its monotonic one goes on", () => {
    using clock = settableClock();
    const script = "console.log(Date.now(), Number(process.hrtime.bigint()) / 1e6)";
    const read = (): number[] =>
      spawnSync(process.execPath, ["-e", script], {
        encoding: "utf8",
        env: { ...process.env, ...clock.environment },
      })
        .stdout.split(" ")
        .map(Number);
    const [first = 0, monotonic = 0] = read();
    clock.jump(-86_400_000);
    const [back = 0] = read();
    clock.jump(2 * 86_400_000);
    const [ahead = 0, later = 0] = read();
    const elapsed = later - monotonic;
    expect(elapsed).toBeGreaterThan(0);
    expect(back).toBeLessThan(first - 86_400_000 + elapsed);
    expect(ahead).toBeGreaterThanOrEqual(first + 86_400_000);
    expect(ahead).toBeLessThan(first + 86_400_000 + elapsed + 1_000);
  });
});
