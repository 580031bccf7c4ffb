import { writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { describe, expect, jest, test } from "@jest/globals";
import { MetricsStore } from "../src/index.ts";
import { Child } from "./child.ts";
import { after, scratchFolder } from "./scratch.ts";

// It starts two dozen processes, and a busy machine needs seconds for each.
jest.setTimeout(300_000);

function runsIn(path: string): number {
  using store = new MetricsStore({ path, flushIntervalMs: 0 });
  const runs = store.totals().operations.map(({ histogram }) => histogram.count);
  return runs.reduce((sum, count) => sum + count, 0);
}

function integrity(path: string): unknown {
  const db = new DatabaseSync(path);
  try {
    return db.prepare("PRAGMA integrity_check").get();
  } finally {
    db.close();
  }
}

describe("the host's exit", () => {
  test.each([
    ["end", 0, ""],
    ["end-with-code", 4, ""],
    ["exit", 3, ""],
    ["throw", 1, "the host's own failure"],
  ])("%s: the buffer is written and the code stays %i", async (behaviour, code, stderr) => {
    const path = join(scratchFolder(), "metrics.sqlite");
    const ended = await new Child("host.ts", path, behaviour).ended;
    expect(ended).toMatchObject({ code, signal: null });
    expect(ended.stderr).toContain(stderr);
    expect(runsIn(path)).toBe(1);
  });

  test("a running flush timer does not keep the host alive", async () => {
    const path = join(scratchFolder(), "metrics.sqlite");
    const ended = await new Child("host.ts", path, "end", "3600000").ended;
    expect(ended).toMatchObject({ code: 0, signal: null });
  });

  test("a file that cannot be written changes neither code nor output", async () => {
    const folder = scratchFolder();
    const ended = await new Child("host.ts", folder, "end-with-code").ended;
    expect(ended).toEqual({ code: 4, signal: null, stderr: "" });
  });
});

describe("signals", () => {
  test.each(["SIGTERM", "SIGINT"] as const)("%s ends the host as ever", async (signal) => {
    const path = join(scratchFolder(), "metrics.sqlite");
    const host = new Child("host.ts", path, "wait");
    await host.printed(1);
    host.process.kill(signal);
    expect(await host.ended).toMatchObject({ code: null, signal });
    expect(runsIn(path)).toBe(1);
  });

  test("the host's own handler decides", async () => {
    const path = join(scratchFolder(), "metrics.sqlite");
    const host = new Child("host.ts", path, "handle");
    await host.printed(1);
    host.process.kill("SIGTERM");
    expect(await host.ended).toMatchObject({ code: 7, signal: null });
    expect(runsIn(path)).toBe(1);
  });

  test("a host that lives on is flushed again at the next signal", async () => {
    const path = join(scratchFolder(), "metrics.sqlite");
    const host = new Child("host.ts", path, "live-on");
    await host.printed(1);
    host.process.kill("SIGTERM");
    await host.printed(2);
    expect(runsIn(path)).toBe(1);
    host.process.kill("SIGTERM");
    await host.printed(3);
    expect(runsIn(path)).toBe(2);
    host.process.kill("SIGKILL");
    await host.ended;
  });

  test("a library that ends the process only when it listens alone still does", async () => {
    const path = join(scratchFolder(), "metrics.sqlite");
    const host = new Child("host.ts", path, "count-listeners");
    await host.printed(1);
    host.process.kill("SIGTERM");
    expect(await host.ended).toMatchObject({ code: null, signal: "SIGTERM" });
    expect(runsIn(path)).toBe(1);
  });

  test("listeners are there only while something may have to be written", () => {
    const path = join(scratchFolder(), "metrics.sqlite");
    const listeners = (): number =>
      process.listenerCount("exit") +
      process.listenerCount("SIGTERM") +
      process.listenerCount("SIGINT");
    const before = listeners();
    const stores = [new MetricsStore({ path }), new MetricsStore({ path })];
    after(() => {
      for (const store of stores) store.close();
    });
    expect(listeners()).toBe(before);
    for (const store of stores) store.record("run", "success", 1);
    expect(listeners()).toBe(before + 3);
    for (const store of stores) store.close();
    expect(listeners()).toBe(before);
  });
});

describe("several processes", () => {
  test("that write at once lose nothing", async () => {
    const path = join(scratchFolder(), "metrics.sqlite");
    const writers = [1, 2, 3, 4].map((n) => new Child("writer.ts", path, "25", `run-${n % 2}`));
    for (const writer of writers) {
      expect(await writer.ended).toMatchObject({ code: 0, stderr: "" });
    }
    expect(runsIn(path)).toBe(4 * 25 * 100);
    using store = new MetricsStore({ path });
    expect(store.events({ kinds: ["round"], since: "1h" })).toHaveLength(4 * 25);
  });

  test("that all find the file damaged set it aside once, and lose nothing", async () => {
    const path = join(scratchFolder(), "metrics.sqlite");
    writeFileSync(path, "not a database ".repeat(900));
    const writers = [1, 2, 3, 4].map(() => new Child("writer.ts", path, "10"));
    for (const writer of writers) {
      expect(await writer.ended).toMatchObject({ code: 0, stderr: "" });
    }
    expect(runsIn(path)).toBe(4 * 10 * 100);
    using store = new MetricsStore({ path });
    expect(store.status().setAside).toHaveLength(1);
    expect(store.events({ kinds: ["metrics.set-aside"] })).toHaveLength(1);
  });

  test("killed with -9 in the middle of writing lose no more than their buffers", async () => {
    const path = join(scratchFolder(), "metrics.sqlite");
    let least = 0;
    let most = 0;
    for (let cycle = 0; cycle < 4; cycle += 1) {
      const writers = [1, 2, 3].map(() => new Child("writer.ts", path));
      await Promise.all(writers.map((writer) => writer.printed(3 + cycle)));
      for (const writer of writers) writer.process.kill("SIGKILL");
      for (const writer of writers) {
        expect(await writer.ended).toMatchObject({ signal: "SIGKILL" });
        const safe = Number(writer.lines.at(-1));
        least += safe;
        // The kill may come between the commit and its announcement.
        most += safe + 100;
      }
      expect(integrity(path)).toEqual({ integrity_check: "ok" });
    }
    const found = runsIn(path);
    expect(found).toBeGreaterThanOrEqual(least);
    expect(found).toBeLessThanOrEqual(most);
    using store = new MetricsStore({ path });
    expect(store.status().setAside).toEqual([]);
  });
});
