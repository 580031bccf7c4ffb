import { spawnSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
  closeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "@jest/globals";
import type { MetricsStore } from "../src/index.ts";
import { after, scratchFolder, scratchStore } from "./scratch.ts";

function runs(store: MetricsStore): number {
  return store.totals().operations.reduce((sum, { histogram }) => sum + histogram.count, 0);
}

/** Writes garbage over the file from `fromByte` on, as a failing disk might. */
function damage(path: string, fromByte: number): void {
  const bytes = statSync(path).size - fromByte;
  const file = openSync(path, "r+");
  writeSync(file, new Uint8Array(bytes).fill(0xa5), 0, bytes, fromByte);
  closeSync(file);
}

describe("a damaged file", () => {
  test.each([
    [
      "that never was a database",
      (path: string) => writeFileSync(path, "not a database ".repeat(900)),
    ],
    ["whose pages are garbage", (path: string) => damage(path, 100)],
    ["that was cut off", (path: string) => truncateSync(path, 4_096)],
  ])("%s is set aside, said, and begun anew", (_what, harm) => {
    const path = join(scratchFolder(), "metrics.sqlite");
    const before = scratchStore({ path }).store;
    for (let at = 0; at < 200; at += 1) before.record(`operation-${at}`, "success", at);
    before.close();
    harm(path);
    const harmed = readFileSync(path);

    const warnings: string[] = [];
    const logger = { warn: (_fields: unknown, message: string) => warnings.push(message) };
    const { store, clock } = scratchStore({ path }, { logger });
    store.record("search", "success", 1);
    expect(store.flush()).toBe(true);
    const { setAside, state, lastError } = store.status();
    expect(state).toBe("ok");
    expect(lastError?.code).toBe("SQLITE_CORRUPT");
    expect(setAside).toHaveLength(1);
    expect(readFileSync(setAside[0] ?? "")).toEqual(harmed);
    expect(warnings).toEqual([expect.stringContaining(setAside[0] ?? "?")]);
    expect(runs(store)).toBe(1);
    store.close();

    const later = scratchStore({ path }, { clock }).store;
    expect(later.events({ kinds: ["metrics.set-aside"] })[0]?.data).toEqual({
      movedTo: setAside[0],
    });
    expect(later.summary().status.setAside).toEqual(setAside);
  });

  test.each([
    ["histogram", "UPDATE bucket SET histogram = x'07ff'"],
    ["event", "UPDATE event SET data = '{'"],
    ["label", "UPDATE series SET labels = '[' WHERE kind = 'counter'"],
  ])("with a damaged %s, found when it is read, is set aside too", (_what, harm) => {
    const { store, clock, path } = scratchStore();
    store.record("search", "success", 1);
    store.event("deployment", "v1");
    store.count("hits", 1, { a: "b" });
    store.close();
    const raw = new DatabaseSync(path);
    raw.exec(harm);
    raw.close();
    const reader = scratchStore({ path }, { clock }).store;
    const summary = reader.summary();
    expect(summary.overall.total).toBe(0);
    expect(summary.status.setAside).toHaveLength(1);
    expect(summary.status.lastError?.code).toBe("METRICS_DAMAGED");
  });

  test("with a damaged histogram, found when it is written, is set aside too", () => {
    const { store, clock, path } = scratchStore();
    store.record("search", "success", 1);
    store.close();
    const raw = new DatabaseSync(path);
    raw.exec("UPDATE bucket SET histogram = x'07ff'");
    raw.close();
    const writer = scratchStore({ path }, { clock }).store;
    writer.record("search", "success", 1);
    expect(writer.flush()).toBe(true);
    expect(writer.summary().overall.total).toBe(1);
    expect(writer.status().setAside).toHaveLength(1);
  });

  test("used by two: one sets it aside, the other follows, and neither harms the new file", () => {
    const { store: one, clock, path } = scratchStore();
    const two = scratchStore({ path }, { clock }).store;
    for (const store of [one, two]) {
      store.record("search", "success", 1);
      store.flush();
    }
    damage(path, 0);
    rmSync(`${path}-wal`);
    const three = scratchStore({ path }, { clock }).store;
    three.record("search", "success", 1);
    expect(three.flush()).toBe(true);
    for (const store of [one, two, three]) {
      store.record("search", "success", 1);
      expect(store.flush()).toBe(true);
      store.close();
    }
    const later = scratchStore({ path }, { clock }).store;
    expect(runs(later)).toBe(4);
    expect(later.status().setAside).toHaveLength(1);
  });

  test("again and again: the three newest copies are kept", () => {
    const { store: first, clock, path } = scratchStore();
    first.record("search", "success", 1);
    first.close();
    for (let at = 0; at < 5; at += 1) {
      writeFileSync(path, `damage number ${at} `.repeat(400));
      const store = scratchStore({ path }, { clock }).store;
      store.record("search", "success", 1);
      expect(store.flush()).toBe(true);
      store.close();
      renameSync(
        store.status().setAside.at(-1) ?? "",
        `${path}.damaged-2026-01-0${at + 1}T00-00-00.000Z`,
      );
    }
    const kept = readdirSync(join(path, "..")).filter((name) => name.includes(".damaged-"));
    expect(kept.toSorted().map((name) => name.slice(-15, -14))).toEqual(["3", "4", "5"]);
  });
});

describe("a file that cannot be written", () => {
  test("records wait in memory, are read from there, and are written once it can be", () => {
    const folder = scratchFolder();
    const path = join(folder, "metrics.sqlite");
    mkdirSync(path);
    const warnings: string[] = [];
    const logger = { warn: (_fields: unknown, message: string) => warnings.push(message) };
    const { store } = scratchStore({ path }, { logger });
    store.record("search", "success", 1);
    expect(store.flush()).toBe(false);
    expect(store.flush()).toBe(false);
    expect(store.status()).toMatchObject({ state: "failing", dropped: 0 });
    expect(store.status().lastError?.code).toBe("SQLITE_CANTOPEN");
    expect(warnings).toHaveLength(1);
    expect(() => store.summary()).toThrow(expect.objectContaining({ code: "SQLITE_CANTOPEN" }));
    rmSync(path, { recursive: true });
    store.record("search", "success", 2);
    expect(store.flush()).toBe(true);
    expect(store.status().state).toBe("ok");
    expect(runs(store)).toBe(2);
  });

  // Asking how it fares threw the system's error.
  test("nor is anything lost while its folder is a file", () => {
    const folder = join(scratchFolder(), "state");
    writeFileSync(folder, "");
    const { store } = scratchStore({ path: join(folder, "metrics.sqlite") });
    store.record("search", "success", 1);
    expect(store.flush()).toBe(false);
    const { status, overall } = store.summary();
    expect(overall.total).toBe(1);
    expect(status).toMatchObject({ state: "failing", dropped: 0, setAside: [], sizeBytes: 0 });
    expect(status.lastError?.code).toBe("SQLITE_CANTOPEN");
    rmSync(folder);
    expect(store.flush()).toBe(true);
    expect(runs(store)).toBe(1);
  });

  test("what waits is bounded, and what is dropped is counted", () => {
    const path = join(scratchFolder(), "metrics.sqlite");
    mkdirSync(path);
    const { store, clock } = scratchStore({ path });
    for (let at = 0; at < 4_500; at += 1) {
      store.record("search", "success", 1);
      store.event("noise", "n");
      clock.pass(10_000);
    }
    store.flush();
    rmSync(path, { recursive: true });
    expect(store.flush()).toBe(true);
    const events = store.events({ since: new Date(0) }).length;
    expect(events).toBe(1_000);
    expect(runs(store)).toBeGreaterThanOrEqual(4_000);
    expect(runs(store) + events + store.status().dropped).toBe(9_000);
  });

  test("a file of a newer release is left as it is", () => {
    const { store, path } = scratchStore();
    store.record("search", "success", 1);
    store.close();
    const raw = new DatabaseSync(path);
    raw.exec("PRAGMA user_version = 99");
    raw.close();
    const later = scratchStore({ path }).store;
    later.record("search", "success", 1);
    expect(later.flush()).toBe(false);
    expect(later.status()).toMatchObject({ state: "failing", setAside: [] });
    expect(later.status().lastError?.code).toBe("SQLITE_TOO_NEW");
  });

  test("a file held by another process delays, and loses nothing", () => {
    const { store, clock, path } = scratchStore();
    store.record("search", "success", 1);
    store.flush();
    const holder = new DatabaseSync(path);
    after(() => holder.close());
    holder.exec("BEGIN IMMEDIATE");
    const other = scratchStore({ path }, { clock }).store;
    other.record("search", "success", 1);
    expect(other.flush()).toBe(false);
    expect(other.status().lastError?.code).toBe("SQLITE_BUSY");
    // Still readable, with what waits.
    expect(other.summary().overall.total).toBe(2);
    holder.exec("ROLLBACK");
    expect(other.flush()).toBe(true);
    expect(runs(store)).toBe(2);
  });

  test("a file deleted under a running process is begun anew", () => {
    const { store, path } = scratchStore();
    store.record("search", "success", 1);
    store.flush();
    for (const suffix of ["", "-wal", "-shm"]) rmSync(`${path}${suffix}`, { force: true });
    store.record("search", "success", 1);
    expect(store.flush()).toBe(true);
    expect(runs(store)).toBe(1);
  });
});

const probe = mountSmallDisk();
probe?.unmount();
if (probe === undefined) {
  process.stderr.write("Mounting a tmpfs is refused, so the full disk is skipped: run as root\n");
}
const whenMountable = probe === undefined ? describe.skip : describe;

whenMountable("a full disk (a small tmpfs, where mounting is allowed)", () => {
  test("nothing is half-written or damaged, and all is there once there is room", () => {
    const disk = mountSmallDisk() ?? { folder: "", unmount: () => undefined };
    after(disk.unmount);
    const path = join(disk.folder, "metrics.sqlite");
    const { store, clock } = scratchStore({ path });
    store.record("search", "success", 1);
    expect(store.flush()).toBe(true);
    const filler = join(disk.folder, "filler");
    const fd = openSync(filler, "w");
    const fill = (): void => {
      for (;;) writeSync(fd, new Uint8Array(4_096));
    };
    expect(fill).toThrow(expect.objectContaining({ code: "ENOSPC" }));
    closeSync(fd);
    let recorded = 1;
    for (let at = 0; at < 600; at += 1) {
      store.record(`operation-${at}`, "success", at);
      recorded += 1;
    }
    expect(store.flush()).toBe(false);
    expect(["SQLITE_FULL", "SQLITE_IOERR"]).toContain(store.status().lastError?.code);
    expect(store.status()).toMatchObject({ state: "failing", dropped: 0, setAside: [] });
    expect(runs(store)).toBe(recorded);
    rmSync(filler);
    expect(store.flush()).toBe(true);
    store.close();
    const later = scratchStore({ path }, { clock }).store;
    expect(runs(later)).toBe(recorded);
    later.close();
    const raw = new DatabaseSync(path);
    after(() => raw.close());
    expect(raw.prepare("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
  });
});

/** A mounted file system of 2 MB, or undefined where mounting is refused. */
function mountSmallDisk(): { folder: string; unmount: () => void } | undefined {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-disk-"));
  const mount = spawnSync("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", folder]);
  const unmount = (): void => {
    spawnSync("umount", [folder]);
    rmSync(folder, { recursive: true });
  };
  if (mount.status === 0) return { folder, unmount };
  rmSync(folder, { recursive: true });
  return undefined;
}
