import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { KeeperDatabase } from "../../src/keeper/keeper-database.ts";

let folder: string;
let database: KeeperDatabase;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "holdfast-keeper-db-"));
  database = KeeperDatabase.open(folder);
  database.begin(1, "start", 1_000);
});

afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true, force: true });
});

test("a keeper is idle only after the whole time without users", () => {
  expect(database.drainIfIdle(1_999, 1_000)).toBe(false);
  expect(database.drainIfIdle(2_000, 1_000)).toBe(true);
});

test("a user keeps it, for as long as the row is renewed", () => {
  expect(database.use("a", 7, 1_500, 100)).toBe(true);
  expect(database.use("a", 7, 5_000, 100)).toBe(true);
  expect(database.users(5_099)).toBe(1);
  expect(database.drainIfIdle(5_999, 1_000)).toBe(false);
  // Killed users do not leave; their row expires, and the idle time runs from there.
  expect(database.users(5_100)).toBe(0);
  expect(database.drainIfIdle(6_099, 1_000)).toBe(false);
  expect(database.drainIfIdle(6_100, 1_000)).toBe(true);
});

test("the idle time runs from when the last user left", () => {
  database.use("a", 7, 1_500, 60_000);
  database.leave("a", 3_000);
  expect(database.drainIfIdle(3_999, 1_000)).toBe(false);
  expect(database.drainIfIdle(4_000, 1_000)).toBe(true);
});

test("nobody attaches to a draining keeper, and everybody to the next one", () => {
  expect(database.drainIfIdle(9_000, 1_000)).toBe(true);
  expect(database.use("a", 7, 9_001, 100)).toBe(false);
  database.begin(2, undefined, 9_002);
  expect(database.use("a", 7, 9_003, 100)).toBe(true);
});

test("a pinned keeper is never idle, until it is told to stop", () => {
  database.pin(true);
  expect(database.drainIfIdle(1e12, 1)).toBe(false);
  database.drain();
  expect(database.read()).toMatchObject({ pinned: false, draining: true });
});

test("what made a keeper give up is kept, and forgotten by the next one", () => {
  const failure = { code: "HEAL_REFUSED", message: "no", hint: undefined, at: 5 };
  database.end(2_000, failure);
  expect(database.read()).toMatchObject({ phase: "stopped", failure: { code: "HEAL_REFUSED" } });
  database.begin(2, undefined, 3_000);
  expect(database.read().failure).toBeUndefined();
});

test("two processes see one state", () => {
  using other = KeeperDatabase.open(folder);
  other.pin(true);
  database.setPhase("ready", "well", 4_000);
  expect(other.read()).toMatchObject({ phase: "ready", detail: "well", pinned: true });
});
