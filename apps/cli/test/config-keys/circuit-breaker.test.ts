import { expect } from "@jest/globals";
import { createServer } from "node:net";
import { type Bench, keyTests } from "./key-tests.ts";

keyTests("circuit_breaker", {
  enabled: async (bench) => {
    bench.configureDead("circuit_breaker: {enabled: false, failure_threshold: 1}");
    expect(await breakerAfterSearches(bench, 2)).toMatchObject({ state: "closed", enabled: false });
  },
  failure_threshold: async (bench) => {
    bench.configureDead("circuit_breaker: {failure_threshold: 2}");
    expect(await breakerAfterSearches(bench, 2)).toMatchObject({ state: "open" });
  },
  recovery_timeout: async (bench) => {
    bench.configureDead("circuit_breaker: {failure_threshold: 1, recovery_timeout: 1h}");
    const { retryAfterMs } = await breakerAfterSearches(bench, 1);
    expect(retryAfterMs).toBeGreaterThan(3_000_000);
  },
  success_threshold: async (bench) => {
    bench.configureDead("circuit_breaker: {success_threshold: 7}");
    expect(await breakerAfterSearches(bench, 0)).toMatchObject({
      evidence: { successThreshold: 7 },
    });
  },
  timeout: async (bench) => {
    const server = createServer((socket) => socket.on("error", () => undefined));
    const port = await bench.listen(server);
    const config = `vector_store: {config: {host: 127.0.0.1, port: ${port}}}`;
    bench.configure(`${config}\ncircuit_breaker: {timeout: 321ms}`);
    expect((await bench.run("memory", "search", "x")).json.data.reason).toContain("321 ms");
  },
});

async function breakerAfterSearches(
  bench: Bench,
  searches: number,
): Promise<{ retryAfterMs: number; state: string }> {
  for (let n = 0; n < searches; n += 1) await bench.run("memory", "search", "x");
  return (await bench.run("memory", "status")).json.data.memory.breaker.operations.read;
}
