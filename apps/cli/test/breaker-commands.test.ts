import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { startChroma } from "@holdfast/testkit";
import { deadPort } from "./dead-port.ts";
import { Sandbox } from "./run-cli.ts";

let sandbox: Sandbox;
beforeEach(() => void (sandbox = new Sandbox()));
afterEach(() => sandbox.remove());

function configure(port: number, more = ""): void {
  const text = `vector_store: {config: {host: 127.0.0.1, port: ${port}}}\n${more}\n`;
  writeFileSync(join(sandbox.folder, "holdfast.yaml"), text);
}

test("an order of one process decides for the next ones, until a reset, on a real store", async () => {
  await using chroma = await startChroma();
  configure(chroma.port);
  await sandbox.run(["memory", "add", "Ada prefers tea"]);

  const why = "moving the database";
  const order = ["memory", "breaker", "open", "--operation", "write", "--reason", why];
  const opened = await sandbox.run([...order, "--json"]);
  expect(opened).toMatchObject({
    status: 0,
    json: {
      schema: "holdfast/memory-breaker-open/v1",
      data: { operation: "write", state: "open", forced: { mode: "open", reason: why } },
      warnings: [],
    },
  });

  const added = await sandbox.run(["memory", "add", "Grace likes cats", "--json"]);
  expect(added).toMatchObject({ status: 0, json: { data: { durability: "queued" } } });
  expect(added.json.data.reason).toContain(`forced open: ${why}`);
  const found = await sandbox.run(["memory", "search", "tea", "--json"]);
  expect(found.json.data).toMatchObject({ degraded: false, hits: [{ text: "Ada prefers tea" }] });

  const status = await sandbox.run(["memory", "status"]);
  expect(status.stdout).toMatch(
    /^degraded: the breaker \(write\) is open: forced open: moving the database\nnext: holdfast memory breaker reset\n/,
  );
  expect(status.stdout).toMatch(/breaker +write open since .*\n +only a reset lifts this order\n/);

  const reset = await sandbox.run(["memory", "breaker", "reset", "--reason", "moved"]);
  expect(reset).toMatchObject({ status: 0, stderr: "" });
  expect(reset.stdout).toMatch(/^write closed since .*: reset: moved\n/m);
  const retried = await sandbox.run(["memory", "outbox", "retry", "--json"]);
  expect(retried.json.data).toMatchObject({ stored: 1, queued: 0 });

  const { json } = await sandbox.run(["memory", "stats", "--json"]);
  // An order is no trip.
  expect(json.data.metrics.breaker).toMatchObject({ trips: 0, orders: 1 });
});

test("without --operation an order is for all of them", async () => {
  configure(await deadPort());
  await sandbox.run(["memory", "breaker", "open"]);
  const { json } = await sandbox.run(["memory", "breaker", "explain", "--json"]);
  expect(json.data).toMatchObject({
    state: "open",
    forced: { reason: "ordered by hand" },
    operations: { read: { state: "open" }, write: { state: "open" } },
  });
  const { stdout } = await sandbox.run(["memory", "breaker", "explain"]);
  expect(stdout).toMatch(/lifts this order: holdfast memory breaker reset --operation write\n/);
  const searched = await sandbox.run(["memory", "search", "tea", "--json"]);
  expect(searched.json.data).toMatchObject({ degraded: true });
  expect(searched.json.data.reason).toContain("forced open: ordered by hand");
});

test("closed by order it lets every call through, and says until when", async () => {
  configure(await deadPort(), "circuit_breaker: {failure_threshold: 1}");
  const closed = await sandbox.run(["memory", "breaker", "close", "--operation", "read"]);
  expect(closed).toMatchObject({ status: 0 });
  expect(closed.stderr).toContain("holdfast memory breaker reset");
  for (let n = 0; n < 3; n += 1) await sandbox.run(["memory", "search", "tea"]);
  const { json } = await sandbox.run(["memory", "breaker", "explain", "--json"]);
  expect(json.data.operations.read).toMatchObject({ state: "closed", forced: { mode: "closed" } });
});

test("explain gives state, reasons, evidence and what comes next", async () => {
  configure(await deadPort(), "circuit_breaker: {failure_threshold: 2, recovery_timeout: 1h}");
  for (let n = 0; n < 2; n += 1) await sandbox.run(["memory", "search", "tea"]);
  const all = await sandbox.run(["memory", "breaker", "explain"]);
  expect(all).toMatchObject({ status: 0, stderr: "" });
  expect(all.stdout).toMatch(/^read open since \S+ \S+ \(.*\): 2 failures in a row/);
  expect(all.stdout).toMatch(/\n {2}next +in .* the next call runs as a probe; next probe at 2/);
  expect(all.stdout.match(/STORE_UNAVAILABLE openCollection/g)?.length).toBeGreaterThanOrEqual(2);
  expect(all.stdout).toMatch(/\nwrite closed: it has not opened yet\n/);
  const one = await sandbox.run(["memory", "breaker", "explain", "--operation", "write"]);
  expect(one.stdout).not.toContain("read");
});

test("switched off by the configuration, it warns that an order decides nothing", async () => {
  configure(await deadPort(), "circuit_breaker: {enabled: false}");
  const { status, json } = await sandbox.run(["memory", "breaker", "open", "--json"]);
  expect({ status, warnings: json.warnings }).toEqual({
    status: 0,
    warnings: [expect.stringContaining("circuit_breaker.enabled is false")],
  });
});

describe("a wrong order changes nothing, exit 2", () => {
  test.each([
    [["open", "--operation", "nope"], "read, write"],
    [["reset", "--operation", "__proto__"], "read, write"],
    [["explain", "--operation", ""], "read, write"],
    [["open", "--reason", " "], "1 to 500 characters"],
    [["close", "--reason", "x".repeat(501)], "1 to 500 characters"],
    [["explain", "--reason", "x"], "unknown option"],
    [["shut"], "unknown command"],
  ])("%j", async (words, told) => {
    configure(await deadPort());
    const { status, json } = await sandbox.run(["memory", "breaker", ...words, "--json"]);
    expect({ status, json }).toMatchObject({
      status: 2,
      json: { ok: false, error: { code: "USAGE" } },
    });
    expect(`${json.error.message} ${json.error.hint}`).toContain(told);
    const { json: after } = await sandbox.run(["memory", "breaker", "explain", "--json"]);
    expect(after.data).toMatchObject({ state: "closed", forced: null, generation: 0 });
  });
});
