import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { clockObstacle, type SettableClock, settableClock } from "@holdfast/testkit";
import { MonitorProcess } from "../monitor-process.ts";
import { Sandbox } from "../run-cli.ts";

// A real Chroma, on a machine that may be busy: how long it takes is not what is tested.
jest.setTimeout(240_000);

const DAY_MS = 86_400_000;
const LOOKS = 5;
/** As many as it takes to open the breaker of reads, each with a search. */
const QUEUED = 6;
const obstacle = clockObstacle();

let sandbox: Sandbox;
let clock: SettableClock;
beforeEach(() => {
  sandbox = new Sandbox();
  clock = settableClock();
  Object.assign(sandbox.environment, clock.environment);
  writeFileSync(
    join(sandbox.folder, "holdfast.yaml"),
    "vector_store: {config: {persist_directory: data}}\n",
  );
});
afterEach(async () => {
  await sandbox.run(["server", "stop"]);
  sandbox.remove();
  clock[Symbol.dispose]();
});

// oxlint-disable-next-line typescript/no-explicit-any -- tests look into every shape
async function answer(...args: string[]): Promise<any> {
  const { json } = await sandbox.run([...args, "--json"]);
  return json.data;
}

/** Each look of a monitor from now on, `LOOKS` of them. */
async function looksOf(monitor: MonitorProcess): Promise<{ type: string }[]> {
  const from = monitor.events.length;
  const since = (): { type: string }[] => monitor.events.slice(from);
  await monitor.until(() =>
    since().filter(({ type }) => type === "checked").length > LOOKS ? true : undefined,
  );
  return since();
}

(obstacle === undefined ? describe : describe.skip).each([
  ["ahead", DAY_MS],
  ["back", -DAY_MS],
])(`the machine's clock jumps a day %s (${obstacle ?? "libfaketime"})`, (_where, jumpMs) => {
  test("under a keeper and its monitor: nothing turns red, and nobody is ended", async () => {
    await using monitor = new MonitorProcess(sandbox, ["--interval", "500ms"]);
    await monitor.event("status", ({ to }) => to === "healthy");
    await answer("memory", "add", "before the jump");
    const before = await answer("server", "status");
    expect(before.keeper).toMatchObject({ running: true, users: 1 });
    clock.jump(jumpMs);
    const seen = await looksOf(monitor);
    expect(seen.filter(({ type }) => type !== "checked")).toEqual([]);
    expect(await answer("memory", "add", "after the jump")).toMatchObject({ durability: "stored" });
    const after = await answer("server", "status");
    expect(after.keeper).toMatchObject({ pid: before.keeper.pid, running: true, users: 1 });
    expect(after.server.pid).toBe(before.server.pid);
    const { verdict, memory } = await answer("memory", "status");
    expect(verdict.status).toBe("healthy");
    expect(memory.ledger).toMatchObject({ accepted: 2, stored: 2, residual: 0 });
  });

  test("while the store is down, writes wait and the breaker is open: all of it is made good", async () => {
    await using monitor = new MonitorProcess(sandbox, ["--interval", "500ms"]);
    await monitor.event("status", ({ to }) => to === "healthy");
    await answer("memory", "add", "memory 0");
    const { keeper, server } = await answer("server", "status");
    // While the keeper stands still, nobody heals.
    process.kill(keeper.pid as number, "SIGSTOP");
    process.kill(server.pid as number, "SIGKILL");
    for (let n = 1; n <= QUEUED; n += 1) {
      expect(await answer("memory", "add", `memory ${n}`)).toMatchObject({ durability: "queued" });
      expect(await answer("memory", "search", "memory")).toMatchObject({ degraded: true });
    }
    const down = await answer("memory", "status");
    expect(down.memory.outbox).toMatchObject({ records: QUEUED });
    expect(down.memory.breaker.operations.read.state).toBe("open");
    clock.jump(jumpMs);
    process.kill(keeper.pid as number, "SIGCONT");
    await monitor.until(() =>
      monitor.events.some(({ type }) => type === "recovered") ? true : undefined,
    );
    let status = await answer("memory", "status");
    const isMadeGood = (): boolean =>
      status.memory.ledger.stored > QUEUED &&
      status.memory.breaker.operations.read.state === "closed";
    for (; !isMadeGood(); status = await answer("memory", "status"));
    const all = { accepted: QUEUED + 1, stored: QUEUED + 1, dead: 0, residual: 0 };
    expect(status.memory.ledger).toMatchObject(all);
    const found = await answer("memory", "search", "memory", "--limit", "20");
    expect(found).toMatchObject({ degraded: false });
    expect(found.hits).toHaveLength(QUEUED + 1);
    expect((await answer("server", "status")).keeper.pid).toBe(keeper.pid);
  });
});
