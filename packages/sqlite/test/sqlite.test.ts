import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import {
  Database,
  isKnownDead,
  KernelLock,
  Lease,
  LEASE_MIGRATION,
  ownIdentity,
} from "@holdfast/sqlite";

const NOTE = "CREATE TABLE note (text TEXT NOT NULL) STRICT";
let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "holdfast-sqlite-"));
  path = join(folder, "deep", "test.db");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("without a checkpoint on closing, what was written stays in the WAL, and is there", () => {
  const walLength = (): number => statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  const write = (options: { checkpointOnClose?: boolean }): void => {
    using db = Database.open(path, { migrations: [NOTE], ...options });
    db.prepare("INSERT INTO note VALUES ('x')").run();
  };
  write({});
  expect(walLength()).toBe(0);
  write({ checkpointOnClose: false });
  const first = walLength();
  expect(first).toBeGreaterThan(0);
  write({ checkpointOnClose: false });
  expect(walLength()).toBeGreaterThan(first);
  write({});
  expect(walLength()).toBe(0);
  using db = Database.open(path, { migrations: [NOTE] });
  expect(db.prepare("SELECT count(*) AS n FROM note").get()).toMatchObject({ n: 4 });
});

/** A process that runs `script` with the file as argument, until killed. */
async function holder(
  script: string,
): Promise<{ kill: (signal: NodeJS.Signals) => Promise<void>; pid: number }> {
  const child = spawn(process.execPath, ["-e", script, path], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  return {
    pid: child.pid as number,
    kill: async (signal) => {
      const exit = once(child, "exit");
      child.kill(signal);
      await exit;
    },
  };
}

describe("Database", () => {
  test("creates private files, and migrates once", () => {
    using first = Database.open(path, { migrations: [NOTE] });
    first.raw.exec("INSERT INTO note VALUES ('kept')");
    using second = Database.open(path, {
      migrations: [NOTE, "ALTER TABLE note ADD COLUMN at INTEGER"],
    });
    expect(second.prepare("SELECT text, at FROM note").all()).toEqual([
      expect.objectContaining({ text: "kept", at: null }),
    ]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, "deep")).mode & 0o777).toBe(0o700);
  });

  test("refuses a file that a newer release wrote", () => {
    Database.open(path, { migrations: [NOTE, "CREATE TABLE later (x INTEGER)"] }).close();
    expect(() => Database.open(path, { migrations: [NOTE] })).toThrow(
      expect.objectContaining({ code: "SQLITE_TOO_NEW" }),
    );
  });

  test("a failing transaction leaves nothing behind", () => {
    using db = Database.open(path, { migrations: [NOTE] });
    expect(() =>
      db.transaction(() => {
        db.raw.exec("INSERT INTO note VALUES ('half')");
        throw new Error("stop");
      }),
    ).toThrow("stop");
    expect(db.prepare("SELECT count(*) AS n FROM note").get()).toMatchObject({ n: 0 });
  });

  test("says that another process holds the database", () => {
    using db = Database.open(path, { migrations: [NOTE], busyTimeoutMs: 0 });
    using other = Database.open(path, { migrations: [NOTE] });
    other.raw.exec("BEGIN IMMEDIATE");
    expect(() => db.transaction(() => undefined)).toThrow(
      expect.objectContaining({ code: "SQLITE_BUSY", retryable: true, path }),
    );
  });

  // SQLite waits for nobody when it is to turn a new file to WAL: one of two that opened it at once failed.
  test("waits for who is just making the same file", async () => {
    const makes = `const { DatabaseSync } = require("node:sqlite"); const { mkdirSync } = require("node:fs");
      const path = process.argv[1]; mkdirSync(require("node:path").dirname(path), { recursive: true });
      const db = new DatabaseSync(path); db.exec("BEGIN IMMEDIATE"); console.log("held");
      setTimeout(() => db.exec("ROLLBACK"), 500); setInterval(() => db, 1000);`;
    const maker = await holder(makes);
    using db = Database.open(path, { migrations: [NOTE], busyTimeoutMs: 30_000 });
    expect(db.prepare("PRAGMA journal_mode").get()).toMatchObject({ journal_mode: "wal" });
    await maker.kill("SIGKILL");
  });

  test("says that a file is where its folder belongs", () => {
    writeFileSync(join(folder, "deep"), "in the way");
    expect(() => Database.open(path, { migrations: [NOTE] })).toThrow(
      expect.objectContaining({ code: "SQLITE_CANTOPEN", path, hint: expect.any(String) }),
    );
  });

  test("names a damaged file, whether by its header or by its pages", () => {
    const garbled = join(folder, "garbled.db");
    writeFileSync(garbled, "this is no database, but long enough to be taken for one".repeat(40));
    expect(() => Database.open(garbled, { migrations: [NOTE] })).toThrow(
      expect.objectContaining({ code: "SQLITE_CORRUPT", path: garbled }),
    );
    const db = Database.open(path, { migrations: [NOTE] });
    db.raw.exec("INSERT INTO note VALUES ('x')");
    db.close();
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.fill(0x5a, 4_096, 4_200));
    expect(() => Database.open(path, { migrations: [NOTE], quickCheck: true })).toThrow(
      expect.objectContaining({ code: "SQLITE_CORRUPT" }),
    );
  });

  test("secure deletion and a checkpoint leave no readable byte", () => {
    using db = Database.open(path, { migrations: [NOTE], secureDelete: true });
    db.prepare("INSERT INTO note VALUES (?)").run("the-password-is-swordfish");
    db.prepare("DELETE FROM note").run();
    expect(db.checkpoint()).toBe(true);
    expect(readFileSync(path).includes("swordfish")).toBe(false);
    expect(readFileSync(`${path}-wal`).includes("swordfish")).toBe(false);
  });
});

describe("KernelLock", () => {
  const HOLD = `const { DatabaseSync } = require("node:sqlite"); const { mkdirSync } = require("node:fs");
    const path = process.argv[1]; mkdirSync(require("node:path").dirname(path), { recursive: true });
    const db = new DatabaseSync(path); db.exec("BEGIN EXCLUSIVE"); console.log("held"); setInterval(() => db, 1000);`;

  test("says why its file cannot be made", () => {
    writeFileSync(join(folder, "deep"), "in the way");
    expect(() => KernelLock.tryAcquire(path)).toThrow(
      expect.objectContaining({ code: "SQLITE_CANTOPEN", path }),
    );
  });

  test("admits one holder, and the next after release", () => {
    const first = KernelLock.tryAcquire(path);
    expect(first).toBeDefined();
    expect(KernelLock.tryAcquire(path)).toBeUndefined();
    expect(KernelLock.isHeld(path)).toBe(true);
    first?.release();
    first?.release();
    using second = KernelLock.tryAcquire(path);
    expect(second).toBeDefined();
  });

  test("knows when it no longer keeps others out, its file having been moved or deleted", () => {
    using lock = KernelLock.tryAcquire(path);
    expect(lock?.isInPlace()).toBe(true);
    renameSync(join(folder, "deep"), join(folder, "away"));
    expect(lock?.isInPlace()).toBe(false);
    using other = KernelLock.tryAcquire(path);
    expect([lock?.isInPlace(), other?.isInPlace()]).toEqual([false, true]);
    other?.release();
    expect(other?.isInPlace()).toBe(false);
  });

  test("needs no room on the disk: it keeps nothing beside its file", () => {
    using lock = KernelLock.tryAcquire(path);
    expect(lock).toBeDefined();
    expect(readdirSync(join(folder, "deep"))).toEqual(["test.db"]);
    expect(statSync(path).size).toBe(0);
  });

  test("is held by a stopped process, and free once that is killed", async () => {
    const other = await holder(HOLD);
    process.kill(other.pid, "SIGSTOP");
    expect(KernelLock.tryAcquire(path)).toBeUndefined();
    await other.kill("SIGKILL");
    using lock = KernelLock.tryAcquire(path);
    expect(lock).toBeDefined();
  });
});

describe("Lease", () => {
  test("passes on at expiry, and says whose it was; the old holder can do nothing more", () => {
    using db = Database.open(path, { migrations: [LEASE_MIGRATION] });
    const lease = new Lease(db, "drain");
    const first = lease.tryAcquire(1_000, 500);
    expect(first).toMatchObject({ expiresAt: 1_500, expiredToken: undefined });
    expect(lease.tryAcquire(1_499, 500)).toBeUndefined();
    const second = lease.tryAcquire(1_500, 500);
    expect(second?.expiredToken).toBe(first?.token);
    expect(lease.renew(first?.token as string, 1_600, 500)).toBe(false);
    lease.release(first?.token as string);
    expect(lease.isHeldBy(second?.token as string)).toBe(true);
    expect(lease.renew(second?.token as string, 1_600, 500)).toBe(true);
    lease.release(second?.token as string);
    expect(lease.tryAcquire(1_601, 500)).toMatchObject({ expiredToken: undefined });
  });

  test("does not wait for a holder that is dead", () => {
    using db = Database.open(path, { migrations: [LEASE_MIGRATION] });
    const lease = new Lease(db, "drain");
    lease.tryAcquire(0, 60_000);
    const [host, namespace] = JSON.parse(ownIdentity()) as string[];
    const dead = JSON.stringify([host, namespace, 4_194_304 + 1, "1"]);
    db.prepare("UPDATE lease SET holder = ?").run(dead);
    expect(lease.tryAcquire(1, 500)).toBeDefined();
  });

  test("of the longest kind is not passed on to who asked before it was given", () => {
    using db = Database.open(path, { migrations: [LEASE_MIGRATION] });
    const lease = new Lease(db, "drain");
    lease.tryAcquire(10_000.5, 3_600_000);
    expect(lease.tryAcquire(9_000, 500)).toBeUndefined();
  });

  test("does not wait for one that was given before the machine started anew", () => {
    using db = Database.open(path, { migrations: [LEASE_MIGRATION] });
    const lease = new Lease(db, "drain");
    // Its holder cannot be seen from here, as from another container.
    lease.tryAcquire(1e9, 60_000);
    db.prepare("UPDATE lease SET holder = ?").run(JSON.stringify(["elsewhere", "", 1, "1"]));
    expect(lease.tryAcquire(5_000.5, 60_000)).toMatchObject({ expiresAt: 65_001 });
  });
});

test("a process is dead when its PID is free or another's, and unknown when it is elsewhere", () => {
  const [host, namespace, pid, start] = JSON.parse(ownIdentity()) as [
    string,
    string,
    number,
    string,
  ];
  expect(isKnownDead(ownIdentity())).toBe(false);
  expect(isKnownDead(JSON.stringify([host, namespace, pid, `${start}0`]))).toBe(
    process.platform === "linux",
  );
  expect(isKnownDead(JSON.stringify(["elsewhere", namespace, 4_194_305, "1"]))).toBe(false);
});
