import { expect } from "@jest/globals";
import { keyTests } from "./key-tests.ts";

keyTests("enabled", {
  "": async (bench) => {
    bench.configureDead("enabled: false");
    const { status, json } = await bench.run("memory", "add", "kept nowhere");
    expect([status, json.error.code]).toEqual([13, "MEMORY_DISABLED"]);
    expect((await bench.run("memory", "search", "x")).json.error.code).toBe("MEMORY_DISABLED");
    const verdict = (await bench.run("memory", "status")).json.data.verdict;
    expect(verdict.cause).toContain("switched off");
    bench.configureDead("enabled: true");
    expect((await bench.run("memory", "list")).json.data.total).toBe(0);
    expect((await bench.run("memory", "add", "kept")).json.ok).toBe(true);
  },
});
