import { spawn } from "node:child_process";
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  realpathSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { directoryChecks, statePathsOf } from "@holdfast/chroma";
import { loadConfig } from "@holdfast/config";
import { systemClock } from "@holdfast/core";
import type { LoggedBackup, MemoryStatus } from "@holdfast/memory";
import { type CheckResult, type HealthCheck, runChecks } from "@holdfast/recovery";
import { KernelLock, startTimeOf } from "@holdfast/sqlite";
import { StoreError } from "@holdfast/store";
import { InMemoryVectorStore, type StoreOperation } from "@holdfast/store/testing";
import { healthChecks } from "../../src/health/health-checks.ts";
import { KeeperDatabase } from "../../src/keeper/keeper-database.ts";
import { type Parts, wire } from "../../src/wire.ts";
import { workspaceOf } from "../../src/workspace.ts";
import { deadPort } from "../dead-port.ts";

const DAY_MS = 24 * 3_600_000;
const EMBEDDER = { provider: "p", model: "m", dimension: 2 };

/** A workspace in which every check passes, and what can be broken about it. */
interface Stage {
  parts: Parts;
  store: InMemoryVectorStore;
  status: MemoryStatus;
  backups: LoggedBackup[];
  target: { host: string; port: number; ssl: boolean };
  folder: string;
  data: string;
  database: KeeperDatabase;
  /** Undone at the end, the last first. */
  cleanup: (() => void)[];
}

let stage: Stage;
beforeEach(async () => {
  stage = await healthy();
});
afterEach(async () => {
  for (const undo of stage.cleanup.toReversed()) undo();
  await stage.parts.close();
  rmSync(stage.folder, { recursive: true, force: true });
});

async function healthy(): Promise<Stage> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "holdfast-checks-")));
  const data = join(folder, "data");
  const file = join(folder, "holdfast.yaml");
  mkdirSync(data);
  writeFileSync(
    file,
    `vector_store: {config: {persist_directory: data}}
environment: production
health: {timeout: 10, services: {mine: {command: [test, -d, "${data}"]}}}
`,
  );
  const environment = { environment: {}, workingDirectory: folder, userDataDirectory: folder };
  const workspace = workspaceOf(loadConfig({ file, ...environment }));
  const store = new InMemoryVectorStore();
  const wired = await wire(workspace, {
    readSecret: () => "",
    endpoint: () => Promise.reject(new Error("not asked")),
    background: false,
  });
  const status = structuredClone(wired.memory.status());
  const memory = Object.assign(Object.create(wired.memory) as typeof wired.memory, {
    status: () => status,
    list: () => ({ memories: [], total: 3 }),
  });
  const embedder = {
    ...wired.embedder,
    identity: () => Promise.resolve(EMBEDDER),
    embed: () => Promise.resolve([new Float32Array([1, 2])]),
  };
  const heartbeat = createServer((_request, response) => response.end("{}"));
  await new Promise<void>((resolve) => heartbeat.listen(0, "127.0.0.1", resolve));
  const { port } = heartbeat.address() as AddressInfo;
  const database = keep(data);
  const backup = join(folder, "backup.hfb");
  writeFileSync(backup, "");
  const made: Stage = {
    parts: { ...wired, memory, embedder, store },
    store,
    status,
    backups: [{ path: backup, madeAt: Date.now(), memories: 3, partial: null } as LoggedBackup],
    target: { host: "127.0.0.1", port, ssl: false },
    folder,
    data,
    database: database.database,
    cleanup: [() => heartbeat.close(), () => heartbeat.closeAllConnections(), database.end],
  };
  await fill(made, 3);
  return made;
}

/** This process plays keeper and server. */
function keep(data: string): { database: KeeperDatabase; end: () => void } {
  const { stateDirectory, keeperLock } = statePathsOf(data);
  mkdirSync(stateDirectory, { recursive: true });
  const lock = KernelLock.tryAcquire(keeperLock);
  const database = KeeperDatabase.open(stateDirectory);
  database.begin(process.pid, undefined);
  database.setPhase("ready", "all checks pass");
  record(data);
  return {
    database,
    end: () => {
      database.close();
      lock?.release();
    },
  };
}

function record(data: string, more: object = {}): void {
  writeFileSync(
    statePathsOf(data).serverRecord,
    JSON.stringify({
      pid: process.pid,
      processStart: startTimeOf(process.pid),
      host: "127.0.0.1",
      port: 1,
      build: { name: "chroma", version: "1.0.0" },
      incarnation: "i",
      startedAt: Date.now(),
      startedUpMs: systemClock.monotonic(),
      ready: true,
      ...more,
    }),
  );
}

async function fill({ store, status }: Stage, count: number): Promise<void> {
  const collection = await store.createCollection({
    name: status.collection,
    embedder: EMBEDDER,
  });
  await collection.upsert(
    Array.from({ length: count }, (_, index) => ({
      id: `m${index}`,
      document: "text",
      metadata: { user: "ada" },
      embedding: new Float32Array([1, index + 1]),
    })),
  );
  Object.assign(status, { mirrored: count });
  Object.assign(status.ledger, { accepted: count, stored: count });
}

function checks({ parts, backups, target }: Stage): HealthCheck[] {
  return healthChecks(parts, {
    backups,
    target: () => Promise.resolve(target),
    refusal: () => undefined,
  });
}

async function resultOf(name: string, of: HealthCheck[] = checks(stage)): Promise<CheckResult> {
  const named = of.filter((check) => check.name === name);
  // A busy machine is no fault: the checks' own limits come first.
  const [result] = await runChecks(named, { timeoutMs: 60_000 });
  if (result === undefined) throw new Error(`there is no check ${name}`);
  return result;
}

/** The store fails every call of one kind. */
function failing(operation: StoreOperation, message: string): (of: Stage) => void {
  const fails = (point: { operation: StoreOperation }): void => {
    if (point.operation === operation) throw new StoreError(message, { code: "STORE_UNAVAILABLE" });
  };
  return ({ store }) => store.setFaults(fails);
}

/** The fault that each check claims to watch, and what the user is told of it. */
const FAULTS: Record<string, [fault: (of: Stage) => unknown, told: RegExp]> = {
  mirror: [
    ({ parts }) =>
      Object.assign(parts.memory, {
        list: () => {
          throw new Error("database disk image is malformed");
        },
      }),
    /malformed/,
  ],
  embedder: [
    ({ parts }) =>
      Object.assign(parts.embedder, {
        embed: () => Promise.resolve([new Float32Array([Number.NaN, 1])]),
      }),
    /p made 2 numbers|not 2/,
  ],
  ledger: [({ status }) => Object.assign(status.ledger, { residual: 2 }), /2 accepted writes/],
  waiting: [
    ({ status }) => Object.assign(status.outbox, { records: 4, oldestAgeMs: 6 * 60_000 }),
    /waiting for up to 6 min: 4 writes/,
  ],
  breaker: [({ parts }) => parts.breaker.forceOpen("maintenance"), /is open/],
  process: [({ data }) => rmSync(statePathsOf(data).serverRecord), /no server runs/],
  "crash-loop": [
    ({ data }) => {
      const [at, upMs] = [Date.now(), systemClock.monotonic()];
      const exit = { at, upMs, code: null, signal: "SIGSEGV", ranMs: 900, ready: true };
      const file = join(statePathsOf(data).stateDirectory, "exits.json");
      writeFileSync(file, JSON.stringify({ exits: [exit, exit] }));
    },
    /ended 2 times .*SIGSEGV/,
  ],
  "server-files": [
    ({ data, cleanup }) => {
      const file = join(data, "chroma.sqlite3");
      const opened = openSync(file, "w+");
      cleanup.push(() => closeSync(opened));
      unlinkSync(file);
    },
    /removed or replaced/,
  ],
  "one-server": [
    ({ data, cleanup }) => {
      const opened = openSync(join(data, "chroma.sqlite3"), "w+");
      const stranger = spawn("sleep", ["600"], { stdio: [opened, "ignore", "ignore"] });
      closeSync(opened);
      cleanup.push(() => stranger.kill());
    },
    /open for writing: \d+/,
  ],
  keeper: [
    ({ data }) => {
      const monotonic = (): number => systemClock.monotonic() - 91_000;
      const clock = { ...systemClock, monotonic };
      using earlier = KeeperDatabase.open(statePathsOf(data).stateDirectory, clock);
      earlier.setPhase("ready", "all checks pass");
    },
    /stands still/,
  ],
  foreseen: [
    ({ database }) => database.setForeseen(["disk: 300 MiB are free, and it may be full in 4 h"]),
    /may be full in 4 h/,
  ],
  dns: [({ target }) => Object.assign(target, { host: "holdfast.invalid" }), /is not known/],
  tcp: [async ({ target }) => Object.assign(target, { port: await deadPort() }), /ECONNREFUSED/],
  heartbeat: [
    async ({ target, cleanup }) => {
      const proxy = createServer((_request, response) => response.writeHead(502).end());
      await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
      cleanup.push(() => proxy.close());
      Object.assign(target, { port: (proxy.address() as AddressInfo).port });
    },
    /answers 502/,
  ],
  place: [({ store }) => store.setFaults(() => new Promise(() => undefined)), /No answer within/],
  collection: [
    ({ store, status }) => store.deleteCollection(status.collection),
    /is gone, with 3 records/,
  ],
  embeddings: [
    ({ store, status }) => {
      for (const each of store.raw(status.collection).records.values()) each.embedding.fill(0);
    },
    /without a usable vector/,
  ],
  "filtered-query": [failing("query", "Error finding id"), /Error finding id/],
  canary: [failing("upsert", "attempt to write a readonly database"), /readonly/],
  "data-directory": [
    ({ data }) => {
      rmSync(data, { recursive: true });
      writeFileSync(data, "");
    },
    /cannot be written/,
  ],
  "disk-space": [() => undefined, /MiB are free/],
  persistence: [
    ({ data }) => writeFileSync(join(data, "chroma.sqlite3"), "x".repeat(8_192)),
    /not a database|magic|SQLite/i,
  ],
  "last-backup": [({ backups }) => rmSync(backups[0]?.path ?? ""), /not there any more/],
  rules: [
    ({ folder }) => {
      mkdirSync(join(folder, "policies"), { recursive: true });
      writeFileSync(join(folder, "policies/broken.yaml"), "name: [");
    },
    /broken\.yaml/,
  ],
  mine: [({ data }) => rmSync(data, { recursive: true }), /exit code 1/],
};

test("every check has a fault here that turns it red", () => {
  const names = checks(stage).map(({ name }) => name);
  expect(names.toSorted()).toEqual(Object.keys(FAULTS).toSorted());
});

test.each(Object.keys(FAULTS))("%s: green, and red under its fault", async (name) => {
  await expect(resultOf(name)).resolves.toMatchObject({ status: "pass" });
  const [fault, told] = FAULTS[name] ?? [];
  await fault?.(stage);
  // A machine whose disk is full is not at hand: the limit is moved instead.
  const full = { freeBytesMin: Number.MAX_SAFE_INTEGER };
  const of = name === "disk-space" ? directoryChecks(stage.data, full) : checks(stage);
  const result = await resultOf(name, of);
  expect(result.status).toMatch(/^(fail|warn)$/);
  expect(result.message).toMatch(told ?? /^$/);
});

test.each<[string, (of: Stage) => unknown, RegExp]>([
  [
    "ledger",
    ({ status }) =>
      Object.assign(status, { salvaged: { at: 1, file: "aside/memory.db", lost: ["m7"] } }),
    /damaged and set aside; not given back so far: m7/,
  ],
  [
    "ledger",
    ({ status }) => Object.assign(status.ledger, { dead: 1 }),
    /the store refused 1 write$/,
  ],
  ["keeper", ({ database }) => database.setPhase("degraded", "given up: x"), /given up/],
  ["last-backup", ({ backups }) => void backups.pop(), /no backup yet/],
  [
    "last-backup",
    ({ backups }) => Object.assign(backups[0] ?? {}, { madeAt: Date.now() - 8 * DAY_MS }),
    /8 d/,
  ],
  [
    "collection",
    ({ store, status }) => {
      store.raw(status.collection).records.delete("m1");
    },
    /holds 2 records, and 3 were stored/,
  ],
])("%s is red under another fault too", async (name, fault, told) => {
  await fault(stage);
  const result = await resultOf(name);
  expect(result.status).toMatch(/^(fail|warn)$/);
  expect(result.message).toMatch(told);
});

test("a server that has run for longer than a minute is in no crash loop", async () => {
  await FAULTS["crash-loop"]?.[0](stage);
  record(stage.data, { startedUpMs: systemClock.monotonic() - 61_000 });
  await expect(resultOf("crash-loop")).resolves.toMatchObject({ status: "pass" });
});

test.each([
  ["back", -DAY_MS],
  ["ahead", DAY_MS],
])("a clock that is set %s hides no crash loop", async (_, jumpMs) => {
  await FAULTS["crash-loop"]?.[0](stage);
  record(stage.data);
  const real = Date.now;
  Date.now = () => real() + jumpMs;
  try {
    await expect(resultOf("crash-loop")).resolves.toMatchObject({ status: "fail" });
  } finally {
    Date.now = real;
  }
});
