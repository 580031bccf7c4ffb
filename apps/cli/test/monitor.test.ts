import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readServerRecord } from "@holdfast/chroma";
import { startChroma } from "@holdfast/testkit";
import { deadPort } from "./dead-port.ts";
import { MonitorProcess } from "./monitor-process.ts";
import { Sandbox } from "./run-cli.ts";

// A real Chroma, on a machine that may be busy: how long it takes is not what is tested.
jest.setTimeout(180_000);

let sandbox: Sandbox;
beforeEach(() => {
  sandbox = new Sandbox();
});
afterEach(async () => {
  await sandbox.run(["server", "stop"]);
  sandbox.remove();
});

function configure(text: string): void {
  writeFileSync(join(sandbox.folder, "holdfast.yaml"), text);
}

interface LogLine {
  msg: string;
  level: number;
  check?: string;
}

/** What the monitor of a store elsewhere has written, a JSON object a line. */
function logLines(): LogLine[] {
  const { folder } = sandbox;
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
  const log = files.find((file) => file.endsWith("monitor.log")) ?? "";
  const lines = readFileSync(join(folder, log), "utf8").trim().split("\n");
  return lines.map((line) => JSON.parse(line) as LogLine);
}

const MANAGED = "vector_store: {config: {persist_directory: data}}\n";
const serverPid = (): number => readServerRecord(join(sandbox.folder, "data"))?.pid ?? 0;
const isServed = (): boolean => readServerRecord(join(sandbox.folder, "data"))?.ready === true;

describe("over a managed store", () => {
  test("it starts the server, sees its death, has it healed unasked, and the outbox drained", async () => {
    configure(MANAGED);
    await using monitor = new MonitorProcess(sandbox);
    await monitor.event("status", ({ to }) => to === "healthy");
    const pid = serverPid();
    const before = monitor.events.length;
    process.kill(pid, "SIGKILL");
    await monitor.event("exit");
    // At once: not by the next look, which is 30 s away.
    const types = monitor.events.slice(before).map(({ type }) => type);
    expect(types.slice(0, types.indexOf("exit"))).not.toContain("checked");
    const queued = await sandbox.run(["memory", "add", "written meanwhile", "--json"]);
    expect(queued.status).toBe(0);
    expect(await monitor.event("recovered")).toMatchObject({ by: "restart" });
    expect(serverPid()).not.toBe(pid);
    for (;;) {
      const { json } = await sandbox.run(["memory", "status", "--json"]);
      const { accepted, stored } = json.data.memory.ledger;
      expect(accepted).toBe(1);
      if (stored === 1) break;
    }
    expect(await monitor.stop()).toBe(130);
  });

  test("a killed keeper is replaced, and the server is adopted", async () => {
    configure(MANAGED);
    await using monitor = new MonitorProcess(sandbox, ["--interval", "1"]);
    await monitor.event("status", ({ to }) => to === "healthy");
    const pid = serverPid();
    const { json } = await sandbox.run(["server", "status", "--json"]);
    process.kill(json.data.keeper.pid as number, "SIGKILL");
    const exit = await monitor.event("exit");
    expect(exit.exit.how).toContain("keeper");
    await monitor.event("recovered");
    const { json: after } = await sandbox.run(["server", "status", "--json"]);
    expect(after.data.keeper.running).toBe(true);
    expect(after.data.keeper.pid).not.toBe(json.data.keeper.pid);
    expect(serverPid()).toBe(pid);
  });

  test("a hung server that its keeper replaces has not ended; one that ended is told with its signal", async () => {
    configure(`${MANAGED}health: {interval: 300ms}\n`);
    await using monitor = new MonitorProcess(sandbox, ["--interval", "60"]);
    await monitor.event("status", ({ to }) => to === "healthy");
    const hung = serverPid();
    process.kill(hung, "SIGSTOP");
    const isReplaced = (): true | undefined =>
      ![0, hung].includes(serverPid()) && isServed() ? true : undefined;
    await monitor.until(isReplaced);
    process.kill(serverPid(), "SIGKILL");
    await monitor.event("exit");
    const exits = monitor.events.filter(({ type }) => type === "exit");
    expect(exits.map(({ exit }) => exit.how)).toEqual(["Chroma ended by SIGKILL"]);
  });

  test("with --no-recover it starts nothing", async () => {
    configure(MANAGED);
    const { status, stdout } = await sandbox.run(["memory", "monitor", "--once", "--no-recover"]);
    expect(status).toBe(13);
    expect(stdout).toContain("offline");
    expect(serverPid()).toBe(0);
  });
});

describe("over a server elsewhere", () => {
  test("a collection that is gone is made anew from the mirror, unasked, and the log tells", async () => {
    await using chroma = await startChroma();
    configure(`vector_store: {config: {host: 127.0.0.1, port: ${chroma.port}}}\n`);
    for (const text of ["tea is at four", "the rope is in the left locker"])
      await sandbox.run(["memory", "add", text]);
    await using monitor = new MonitorProcess(sandbox, ["--interval", "500ms"]);
    await monitor.event("status", ({ to }) => to === "healthy");
    const place = "tenants/default_tenant/databases/default_database/collections/memories";
    await fetch(`http://127.0.0.1:${chroma.port}/api/v2/${place}`, { method: "DELETE" });
    expect(await monitor.event("recovered")).toMatchObject({
      by: { outcome: "recovered", incident: { state: "recovered" } },
    });
    const found = await sandbox.run(["memory", "search", "tea", "--json"]);
    expect(found.json.data).toMatchObject({
      degraded: false,
      hits: expect.arrayContaining([expect.objectContaining({ text: "tea is at four" })]),
    });
    await monitor.stop();
    const lines = logLines();
    // The first look may have been under way when it went, and say so in Chroma's words.
    const isGone = expect.stringContaining("is gone, with 2 records");
    const last = expect.objectContaining({ status: "fail", message: isGone });
    expect(lines).toContainEqual(expect.objectContaining({ check: "collection", level: 40, last }));
    expect(lines.map(({ msg }) => msg)).toEqual(expect.arrayContaining(["decided", "recovered"]));
  });

  test("a dead one is started again by the command that the configuration states", async () => {
    const port = await deadPort();
    const started = join(sandbox.folder, "started");
    configure(
      `vector_store: {config: {host: 127.0.0.1, port: ${port}}}
recovery: {restart_command: [touch, "${started}"]}
`,
    );
    const { status } = await sandbox.run(["memory", "monitor", "--once"]);
    expect({ status, started: existsSync(started) }).toEqual({ status: 13, started: true });
  });

  test("one look at a dead one: 13, what is wrong, what to do, and an incident", async () => {
    configure("vector_store: {config: {host: 127.0.0.1, port: 9}}\n");
    const { status, stdout } = await sandbox.run(["memory", "monitor", "--once"]);
    expect(status).toBe(13);
    expect(stdout).toContain("offline");
    expect(stdout).toContain("given up");
    const { json } = await sandbox.run(["memory", "incidents", "--json"]);
    expect(json.data.incidents).toMatchObject([{ state: "refused", service: "store" }]);
    const [{ id }] = json.data.incidents;
    const shown = await sandbox.run(["memory", "incidents", id]);
    expect(shown.stdout).toContain("because   ");
    const none = await sandbox.run(["memory", "incidents", "nope"]);
    expect(none.status).toBe(1);
    expect(none.stderr).toContain("holdfast memory incidents");
  });
});

test("it goes on under a configuration that is deployed meanwhile", async () => {
  const settings = "health: {interval: 1s}\n";
  configure(`environment: staging\n${MANAGED}`);
  await sandbox.run(["memory", "deploy", "holdfast.yaml", "--env", "staging"]);
  await using monitor = new MonitorProcess(sandbox, ["--env", "staging"]);
  await monitor.event("status", ({ to }) => to === "healthy");
  configure(`environment: staging\n${MANAGED}${settings}`);
  const deployed = await sandbox.run(["memory", "deploy", "holdfast.yaml", "--env", "staging"]);
  expect(deployed.status).toBe(0);
  await monitor.until(() => (/has changed/.test(monitor.stderr) ? true : undefined));
  // Five looks in the time that fewer than four take at the default interval.
  const seen = monitor.events.length;
  await monitor.until(() => {
    const looks = monitor.events.slice(seen).filter(({ type }) => type === "checked");
    return looks.length >= 5 ? true : undefined;
  });
  expect(await monitor.stop()).toBe(130);
});
