import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readServerRecord } from "@holdfast/chroma";
import { isRunning } from "@holdfast/sqlite";
import { until } from "@holdfast/testkit";
import { keeperStatus } from "../src/keeper/keeper-status.ts";
import { BIN, NODE_OPTIONS, Sandbox } from "./run-cli.ts";

describe("a workspace with a Chroma of its own", () => {
  let sandbox: Sandbox;

  beforeEach(async () => {
    sandbox = new Sandbox();
    sandbox.waitForServer();
    delete sandbox.environment["HOLDFAST_EMBEDDER_PROVIDER"];
    await sandbox.run(["init"]);
  });

  afterEach(async () => {
    await sandbox.run(["server", "stop"]);
    sandbox.remove();
  });

  test("the first add starts it, is stored, and recalled by the next process", async () => {
    const before = await sandbox.run(["server", "status", "--json"]);
    expect(before).toMatchObject({ status: 13, json: { data: { answer: { ok: false } } } });

    const added = await sandbox.run(["memory", "add", "Ada prefers tea", "--json"]);
    expect(added).toMatchObject({ status: 0, json: { data: { durability: "stored" } } });
    const found = await sandbox.run(["memory", "search", "favourite drink", "--json"]);
    expect(found.json.data).toMatchObject({ degraded: false, hits: [{ text: "Ada prefers tea" }] });

    const after = await sandbox.run(["server", "status", "--json"]);
    expect(after).toMatchObject({
      status: 0,
      json: {
        data: { answer: { ok: true }, keeper: { running: true, phase: "ready", pinned: false } },
      },
    });
    const { json } = await sandbox.run(["memory", "status", "--json"]);
    expect(json.data.store.server).toMatchObject({
      running: true,
      pid: after.json.data.server.pid,
    });

    const stopped = await sandbox.run(["server", "stop", "--json"]);
    expect(stopped.json.data).toEqual({ stopped: true });
    expect(isRunning(after.json.data.server.pid)).toBe(false);
    expect(isRunning(after.json.data.keeper.pid)).toBe(false);
    const again = await sandbox.run(["server", "stop"]);
    expect(again).toMatchObject({ status: 0, stdout: "Nothing was running.\n" });
  });

  test("server start pins it, and a killed server comes back by itself", async () => {
    const started = await sandbox.run(["server", "start", "--json"]);
    expect(started.status).toBe(0);
    const { pid } = started.json.data;
    expect((await sandbox.run(["server", "logs"])).stdout).toContain("Connect to Chroma");
    const data = join(sandbox.folder, ".holdfast/chroma");
    process.kill(pid, "SIGKILL");
    await until(
      "the keeper to notice",
      () => readServerRecord(data)?.pid !== pid || keeperStatus(data)?.phase !== "ready",
    );
    // The command waits for the keeper, which restarts it.
    const added = await sandbox.run(["memory", "add", "after the crash", "--json"]);
    expect(added).toMatchObject({ status: 0, json: { data: { durability: "stored" } } });
    const { json } = await sandbox.run(["server", "status", "--json"]);
    expect(json.data).toMatchObject({ answer: { ok: true }, keeper: { pinned: true } });
    expect(json.data.server.pid).not.toBe(pid);
  });
});

test("built-in defaults serve a folder without configuration, whatever lies above their data", async () => {
  const home = new Sandbox();
  const elsewhere = new Sandbox();
  home.waitForServer();
  try {
    writeFileSync(join(home.folder, "holdfast.yaml"), "vector_store: {config: {path: other}}\n");
    const run = (...args: string[]): ReturnType<Sandbox["run"]> =>
      home.run([...args, "--json"], { cwd: elsewhere.folder });
    const added = await run("memory", "add", "kept for the user");
    expect(added.json).toMatchObject({ data: { durability: "stored" }, warnings: [] });
    expect((await run("memory", "status")).json.data.configuration.source).toBe("built-in");
    expect((await run("server", "stop")).json.data.stopped).toBe(true);
  } finally {
    home.remove();
    elsewhere.remove();
  }
});

describe("demo", () => {
  /** Where it sets its stage; other tests may run one of their own. */
  let temporary: string;
  beforeEach(() => void (temporary = mkdtempSync(join(tmpdir(), "holdfast-stages-"))));
  afterEach(() => rmSync(temporary, { recursive: true, force: true }));
  const stages = (): string[] =>
    readdirSync(temporary).filter((name) => name.startsWith("holdfast-demo-"));

  test("proves all of its claims, and leaves nothing", async () => {
    const sandbox = new Sandbox();
    try {
      // Whatever the user's environment states: the demo has a configuration of its own.
      const environment = { TMPDIR: temporary, HOLDFAST_EMBEDDER_PROVIDER: "hash" };
      const { status, stdout } = await sandbox.run(["demo"], { environment });
      expect(stdout).toMatch(/All 14 held, in [\d.]+ (s|min)\./);
      expect(stdout).not.toContain("FAILED");
      expect(status).toBe(0);
      expect(stages()).toEqual([]);
    } finally {
      sandbox.remove();
    }
  });

  test("leaves nothing on Ctrl-C either, and ends with 130", async () => {
    const sandbox = new Sandbox();
    try {
      const child = spawn(process.execPath, [...NODE_OPTIONS, BIN, "demo"], {
        cwd: sandbox.folder,
        env: { ...sandbox.environment, TMPDIR: temporary },
      });
      let text = "";
      const server = await new Promise<number>((resolve, reject) => {
        child.once("error", reject);
        child.once("exit", () => reject(new Error(`it ended early: ${text}`)));
        child.stdout.setEncoding("utf8").on("data", (more: string) => {
          text += more;
          const pid = /pid (\d+)\./.exec(text)?.[1];
          if (pid !== undefined && text.includes("4. Kill")) resolve(Number(pid));
        });
      });
      child.removeAllListeners("exit");
      expect(stages()).toHaveLength(1);
      child.kill("SIGINT");
      const status = await new Promise((resolve) => child.once("exit", resolve));
      expect(status).toBe(130);
      expect(isRunning(server)).toBe(false);
      expect(stages()).toEqual([]);
    } finally {
      sandbox.remove();
    }
  });
});
