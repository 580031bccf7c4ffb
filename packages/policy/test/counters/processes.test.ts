import { expect, test } from "@jest/globals";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startFixture } from "@holdfast/testkit";

const FIXTURE = new URL("../fixtures/one-limit.ts", import.meta.url);

test("four processes that share limits admit exactly as many as they allow", async () => {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-policy-"));
  const all = ["a", "b", "c", "d"].map((name) =>
    startFixture(FIXTURE, [join(folder, "policy.db"), name, "60"]),
  );
  try {
    for (const each of all) expect(await each.nextLine()).toBe("ready");
    for (const each of all) each.send("go");
    const counts = await Promise.all(
      all.map(async (each) => JSON.parse(await each.nextLine()) as Record<string, number>),
    );
    const sum = (key: string): number =>
      counts.reduce((total, count) => total + (count[key] ?? 0), 0);
    expect({ shared: sum("shared"), few: sum("few"), faults: sum("faults") }).toEqual({
      shared: 100,
      few: 7,
      faults: 0,
    });
  } finally {
    await Promise.all(all.map((each) => each.stop()));
    rmSync(folder, { recursive: true, force: true });
  }
}, 120_000);
