import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import {
  finishReplacement,
  listQuarantine,
  moveOrphansAside,
  pruneQuarantine,
  quarantine,
  replaceDirectory,
  statePathsOf,
} from "@holdfast/chroma";
import { ManualClock } from "../manual-clock.ts";

let scratch: string;
let data: string;

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), "holdfast-replace-"));
  data = join(scratch, "data");
  mkdirSync(join(data, "segment"), { recursive: true });
  writeFileSync(join(data, "segment", "file"), "broken");
});

afterEach(() => rmSync(scratch, { recursive: true, force: true }));

const content = (directory: string): string =>
  readFileSync(join(directory, "segment", "file"), "utf8");
const copy = (): string => join(statePathsOf(data).stateDirectory, "repair");
const swapFile = (): string => join(statePathsOf(data).stateDirectory, "swap.json");
const repaired = (folder: string): void =>
  writeFileSync(join(folder, "segment", "file"), "repaired");

test("the repaired copy takes the directory's place, and the original is kept as it was", async () => {
  const { data: aside, result } = await replaceDirectory(data, { reason: "torn" }, (folder) => {
    expect(content(data)).toBe("broken");
    repaired(folder);
    return 7;
  });
  expect([content(data), content(aside), result]).toEqual(["repaired", "broken", 7]);
  expect([existsSync(copy()), existsSync(swapFile())]).toEqual([false, false]);
});

test("a repair that gives up leaves everything as it was", async () => {
  const giveUp = replaceDirectory(data, { reason: "torn" }, (folder) => {
    repaired(folder);
    throw new Error("no");
  });
  await expect(giveUp).rejects.toThrow("no");
  expect([content(data), existsSync(copy())]).toEqual(["broken", false]);
  expect(listQuarantine(data)).toEqual([]);
});

test("a copy that a killed process left is begun anew", async () => {
  mkdirSync(join(copy(), "segment"), { recursive: true });
  writeFileSync(join(copy(), "leftover"), "");
  await replaceDirectory(data, { reason: "torn" }, repaired);
  expect([content(data), existsSync(join(data, "leftover"))]).toEqual(["repaired", false]);
});

describe("killed in the middle of the swap", () => {
  const prepare = (): void => {
    mkdirSync(join(copy(), "segment"), { recursive: true });
    repaired(copy());
    writeFileSync(swapFile(), '{"reason":"torn"}');
  };

  test("before the original was moved: it stays, and the copy goes", () => {
    prepare();
    expect(finishReplacement(data)).toBe(false);
    expect([content(data), existsSync(copy()), existsSync(swapFile())]).toEqual([
      "broken",
      false,
      false,
    ]);
  });

  test.each(["nothing", "an empty directory"])(
    "after it was moved, with %s in its place: the copy takes it",
    (what) => {
      prepare();
      quarantine(data, { reason: "torn" });
      if (what !== "nothing") mkdirSync(data);
      expect(finishReplacement(data)).toBe(true);
      expect([content(data), existsSync(swapFile())]).toEqual(["repaired", false]);
      expect(finishReplacement(data)).toBe(false);
    },
  );

  test("with both gone it says so, and makes nothing up", () => {
    prepare();
    rmSync(copy(), { recursive: true });
    rmSync(data, { recursive: true });
    expect(() => finishReplacement(data)).toThrow(/neither/);
  });
});

test("quarantine is listed, oldest first, with size and reason, and pruned by name alone", () => {
  const clock = new ManualClock();
  quarantine(data, { reason: "first" }, clock);
  mkdirSync(join(data, "orphan"), { recursive: true });
  const folder = moveOrphansAside(data, ["orphan", "gone already"], clock);
  expect(existsSync(join(data, "orphan"))).toBe(false);
  expect(existsSync(join(folder, "data", "orphan"))).toBe(true);
  const entries = listQuarantine(data);
  expect(entries.map(({ reason }) => reason)).toEqual([
    "first",
    "2 folders belong to no collection",
  ]);
  expect(entries[0]?.bytes).toBeGreaterThan("broken".length);
  // One manifest that was damaged hid everything that was moved aside.
  writeFileSync(join(entries[0]?.folder ?? "", "manifest.json"), "{torn");
  expect(listQuarantine(data)).toMatchObject([
    { name: entries[0]?.name, quarantinedAt: undefined, reason: "nothing says why" },
    entries[1],
  ]);
  const [first, second] = entries.map(({ name }) => name);
  expect(() => pruneQuarantine(data, ["../data"])).toThrow(RangeError);
  pruneQuarantine(data, [first as string]);
  expect(listQuarantine(data).map(({ name }) => name)).toEqual([second]);
});
