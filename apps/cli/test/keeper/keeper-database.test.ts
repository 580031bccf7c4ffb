import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { FakeClock } from "@holdfast/core/testing";
import { KeeperDatabase } from "../../src/keeper/keeper-database.ts";

const DAY_MS = 86_400_000;

let folder: string;
let clock: FakeClock;
let database: KeeperDatabase;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "holdfast-keeper-db-"));
  clock = new FakeClock();
  database = KeeperDatabase.open(folder, clock);
  database.begin(1, "start");
});

afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true, force: true });
});

test("a keeper is idle only after the whole time without users", async () => {
  await clock.advance(999);
  expect(database.drainIfIdle(1_000)).toBe(false);
  await clock.advance(1);
  expect(database.drainIfIdle(1_000)).toBe(true);
});

test("a user keeps it, for as long as the row is renewed", async () => {
  await clock.advance(500);
  expect(database.use("a", 7, 100)).toBe(true);
  await clock.advance(3_500);
  expect(database.use("a", 7, 100)).toBe(true);
  await clock.advance(99);
  expect(database.users()).toBe(1);
  await clock.advance(900);
  expect(database.drainIfIdle(1_000)).toBe(false);
  // Killed users do not leave; their row expires, and the idle time runs from there.
  expect(database.users()).toBe(0);
  await clock.advance(100);
  expect(database.drainIfIdle(1_000)).toBe(false);
  await clock.advance(1);
  expect(database.drainIfIdle(1_000)).toBe(true);
});

test("the idle time runs from when the last user left", async () => {
  database.use("a", 7, 60_000);
  await clock.advance(2_000);
  database.leave("a");
  await clock.advance(999);
  expect(database.drainIfIdle(1_000)).toBe(false);
  await clock.advance(1);
  expect(database.drainIfIdle(1_000)).toBe(true);
});

test.each([DAY_MS, -DAY_MS])("a wall clock that jumps by %i ms ends no use", async (jumpMs) => {
  database.setPhase("ready", "well");
  database.use("a", 7, 30_000);
  clock.jump(jumpMs);
  expect(database.users()).toBe(1);
  expect(database.drainIfIdle(1_000)).toBe(false);
  expect(database.read().silentMs).toBe(0);
  await clock.advance(31_000);
  expect(database.users()).toBe(0);
  expect(database.read().silentMs).toBe(31_000);
  expect(database.drainIfIdle(1_000)).toBe(true);
});

test("users from before the machine's last start are none of the next keeper's", async () => {
  await clock.advance(10 * DAY_MS);
  database.use("a", 7, 30_000);
  const started = new FakeClock();
  using after = KeeperDatabase.open(folder, started);
  after.begin(2, undefined);
  expect(after.users()).toBe(0);
  await started.advance(1_000);
  expect(after.drainIfIdle(1_000)).toBe(true);
});

test("nobody attaches to a draining keeper, and everybody to the next one", async () => {
  await clock.advance(8_000);
  expect(database.drainIfIdle(1_000)).toBe(true);
  expect(database.use("a", 7, 100)).toBe(false);
  database.begin(2, undefined);
  expect(database.use("a", 7, 100)).toBe(true);
});

test("a pinned keeper is never idle, until it is told to stop", async () => {
  database.pin(true);
  await clock.advance(DAY_MS);
  expect(database.drainIfIdle(1)).toBe(false);
  database.drain();
  expect(database.read()).toMatchObject({ pinned: false, draining: true });
});

test("what made a keeper give up is kept, and forgotten by the next one", () => {
  const failure = { code: "HEAL_REFUSED", message: "no", hint: undefined, at: 5 };
  database.end(failure);
  expect(database.read()).toMatchObject({ phase: "stopped", failure: { code: "HEAL_REFUSED" } });
  database.begin(2, undefined);
  expect(database.read().failure).toBeUndefined();
});

test("two processes see one state", () => {
  using other = KeeperDatabase.open(folder, clock);
  other.pin(true);
  database.setPhase("ready", "well");
  expect(other.read()).toMatchObject({ phase: "ready", detail: "well", pinned: true });
});
