import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deadPort } from "./dead-port.ts";
import { type CliResult, Sandbox } from "./run-cli.ts";

let user: Sandbox;
beforeEach(() => {
  user = new Sandbox();
});
afterEach(async () => {
  await user.run(["server", "stop"]);
  user.remove();
});

const memory = (...args: string[]): Promise<CliResult> => user.run(["memory", ...args, "--json"]);
const inState = (file: string): string => join(user.folder, ".holdfast/chroma.holdfast", file);

async function workspace(): Promise<void> {
  await user.run(["init"]);
  expect(await memory("add", "tea is at four")).toMatchObject({ status: 0 });
}

function serverPid(): number {
  return (JSON.parse(readFileSync(inState("server.json"), "utf8")) as { pid: number }).pid;
}

test("a healthy store is left alone, its server included, and the plan says so", async () => {
  await workspace();
  const pid = serverPid();
  expect(await memory("recover", "--dry-run")).toMatchObject({
    status: 0,
    json: { ok: true, data: { healthy: true, steps: [] } },
  });
  expect(await memory("recover")).toMatchObject({
    status: 0,
    json: { data: { outcome: "healthy" } },
  });
  expect(serverPid()).toBe(pid);
}, 240_000);

test("--force --test-after starts anew, tests all four parts, and leaves the server served", async () => {
  await workspace();
  await user.run(["server", "start"]);
  const pid = serverPid();
  const planned = await user.run(["memory", "recover", "--force", "--dry-run"]);
  expect(planned.stdout).toContain("To run it: holdfast memory recover --force\n");
  const { status, json } = await memory("recover", "--force", "--test-after");
  expect({ status, outcome: json.data.outcome }).toEqual({ status: 0, outcome: "recovered" });
  // What the plan shows is what is run, all of it.
  const steps = json.data.incident.steps as { state: string; planned: { title: string } }[];
  expect(steps.map(({ state }) => state)).toEqual(["repaired", "repaired"]);
  for (const { planned: step } of steps) expect(planned.stdout).toContain(step.title);
  const parts = json.data.selfTest.parts as { name: string; passed: boolean; message: string }[];
  expect(parts.map(({ name, passed }) => [name, passed])).toEqual([
    ["connectivity", true],
    ["add-and-retrieve", true],
    ["breaker", true],
    ["recovery", true],
  ]);
  expect(serverPid()).not.toBe(pid);
  expect((await memory("search", "tea")).json.data).toMatchObject({ degraded: false });
  // It was to run until it is stopped, and was left to stop when nobody uses it.
  const { keeper } = (await user.run(["server", "status", "--json"])).json.data;
  expect(keeper).toMatchObject({ running: true, pinned: true });
}, 240_000);

test("a lost SQLite is told, planned, repaired from the mirror, and kept until it is pruned", async () => {
  await workspace();
  await user.run(["server", "stop"]);
  const file = join(user.folder, ".holdfast/chroma/chroma.sqlite3");
  rmSync(file);
  const plan = await memory("recover", "--dry-run");
  expect(plan).toMatchObject({ status: 3, json: { data: { healthy: false } } });
  expect(plan.json.data.steps[0].step).toMatchObject({
    action: "move-aside-and-rebuild",
    risk: "low",
  });
  const { status, json } = await memory("recover");
  expect({ status, outcome: json.data.outcome }).toEqual({ status: 0, outcome: "recovered" });
  expect((await memory("search", "tea")).json.data).toMatchObject({
    degraded: false,
    hits: [expect.objectContaining({ text: "tea is at four" })],
  });

  const [entry] = (await memory("quarantine", "list")).json.data.entries;
  expect(entry.reason).toContain("missing or empty beside index folders");
  expect(await memory("quarantine", "prune")).toMatchObject({ status: 2 });
  expect(await memory("quarantine", "prune", entry.name)).toMatchObject({
    status: 2,
    json: { error: { code: "CONFIRMATION_NEEDED" } },
  });
  expect(await memory("quarantine", "prune", "nothing", "--yes")).toMatchObject({ status: 2 });
  expect(
    (await memory("quarantine", "prune", "--older-than", "1d", "--yes")).json.data.pruned,
  ).toEqual([]);
  expect((await memory("quarantine", "prune", entry.name, "--yes")).json.data.pruned).toEqual([
    entry.name,
  ]);
  expect((await memory("quarantine", "list")).json.data.entries).toEqual([]);
}, 240_000);

test("a store elsewhere that nobody can restart from here is no success, and says what to do", async () => {
  const text = `vector_store: {config: {host: 127.0.0.1, port: ${await deadPort()}}}\n`;
  writeFileSync(join(user.folder, "holdfast.yaml"), text);
  const { status, json } = await memory("recover");
  expect(status).toBe(1);
  expect(json.data).toMatchObject({
    outcome: "refused",
    hint: expect.stringContaining("whether Chroma runs there"),
  });
}, 120_000);

test("of several at once each recovers or is told to wait, and one server serves at the end", async () => {
  await workspace();
  process.kill(serverPid(), "SIGKILL");
  const asked = await Promise.all([
    memory("recover", "--force"),
    memory("recover", "--force"),
    memory("recover"),
  ]);
  for (const { status, json, stderr } of asked) {
    const code: unknown = json.ok === true ? json.data.outcome : json.error.code;
    const ends = status === 11 ? /^(RECOVERY_BUSY|SERVER_LOCKED)$/ : /^(recovered|healthy)$/;
    expect({ status, code, stderr }).toEqual({ status, code: expect.stringMatching(ends), stderr });
    expect([0, 11]).toContain(status);
  }
  expect(asked.some(({ status }) => status === 0)).toBe(true);
  const { incidents } = (await memory("incidents")).json.data as { incidents: { state: string }[] };
  expect(incidents.map(({ state }) => state)).not.toContain("running");
  expect((await memory("search", "tea")).json.data).toMatchObject({
    degraded: false,
    hits: [expect.objectContaining({ text: "tea is at four" })],
  });
  const health = await user.run(["health", "--service", "chroma", "--json"]);
  const [chroma] = health.json.data.services as { checks: { check: string; status: string }[] }[];
  expect(chroma?.checks).toContainEqual(
    expect.objectContaining({ check: "one-server", status: "pass" }),
  );
}, 240_000);
