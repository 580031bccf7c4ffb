import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from "@jest/globals";
import { inspectDataDirectory, listQuarantine } from "@holdfast/chroma";
import type { RecoveryReport } from "@holdfast/recovery";
import { startFixture } from "@holdfast/testkit";
import { addForeign, makeModel, MEMORIES, MEMORIES_FEW, Stage } from "./fault-matrix/stage.ts";
import type { RawRecord } from "./support/raw-chroma.ts";
import { testedBuilds } from "./support/server-builds.ts";

// Real servers, on a machine that may be busy: how long it takes is not what is tested.
jest.setTimeout(600_000);

const FIXTURE = new URL("fixtures/recovery.ts", import.meta.url);
const [build = { name: "", command: undefined }] = testedBuilds();

let foreign: Map<string, RawRecord>;
/** Torn where the mirror has all of it, and where it does not. */
const models = { own: "", others: "" };
let root: string;

beforeAll(async () => {
  models.own = await makeModel(build, MEMORIES);
  models.others = await makeModel(build, MEMORIES_FEW);
  const stage = await Stage.copyOf(models.others, { build });
  foreign = await addForeign(stage);
  await stage.putAway();
  rmSync(models.others, { recursive: true });
  models.others = stage.root;
  for (const model of Object.values(models)) tear(model);
});

afterAll(() => {
  for (const model of Object.values(models)) rmSync(model, { recursive: true, force: true });
});

beforeEach(() => void (root = mkdtempSync(join(tmpdir(), "holdfast-kills-"))));
afterEach(() => rmSync(root, { recursive: true, force: true }));

test.each([
  ["others", "opened"],
  ["others", "step-began"],
  ["others", "after-clear"],
  ["others", "noted"],
  ["others", "before-start"],
  ["others", "after-start"],
  ["others", "step-ended"],
  ["own", "noted"],
  ["own", "before-start"],
  ["own", "before-rebuild"],
  ["own", "after-rebuild"],
  ["own", "proved"],
] as const)("the index of %s is torn, and its recovery killed at %s", async (model, point) => {
  cpSync(models[model], root, { recursive: true });
  expect(await recover(point)).toBeUndefined();
  const report = await recover();
  expect(report).toMatchObject({ outcome: "recovered", incident: { resumed: 1 } });
  expect(damagedAside()).toBe(1);
  await expectWhole(model);
  // Compared with what it was made from, also when that was begun by a process that was killed.
  const { notes = [] } = report?.incident ?? {};
  expect(notes.some(({ message }) => message.includes("compared"))).toBe(true);
});

test("a recovery that is killed at the same step twice is undone, and all is where it was", async () => {
  cpSync(models.others, root, { recursive: true });
  expect(await recover("before-start")).toBeUndefined();
  expect(await recover("before-start")).toBeUndefined();
  const report = await recover();
  expect(report?.incident?.steps[0]).toMatchObject({ state: "undone" });
  expect(inspectDataDirectory(join(root, "chroma")).damaged).toBe(true);
});

/** Undefined when it was killed. */
async function recover(point = ""): Promise<RecoveryReport | undefined> {
  await using recovery = startFixture(FIXTURE, [root, point]);
  const lines = await recovery.restOfLines();
  expect(recovery.stderr).toBe("");
  expect((await recovery.ended).signal).toBe(point === "" ? null : "SIGKILL");
  return lines[0] === undefined ? undefined : (JSON.parse(lines[0]) as RecoveryReport);
}

/** As a kill between the writes of two of its files leaves the one index that was persisted. */
function tear(model: string): void {
  const [pickle = ""] = globSync(join(model, "chroma/*/index_metadata.pickle"));
  const header = join(dirname(pickle), "header.bin");
  const bytes = readFileSync(header);
  bytes.writeUInt32LE(bytes.readUInt32LE(20) + 30, 20);
  writeFileSync(header, bytes);
}

function damagedAside(): number {
  return listQuarantine(join(root, "chroma")).filter(
    ({ folder }) => inspectDataDirectory(join(folder, "data")).damaged,
  ).length;
}

async function expectWhole(model: "own" | "others"): Promise<void> {
  const stage = await Stage.copyOf(root, { build });
  try {
    expect(await stage.memory.compare()).toMatchObject({ equal: true, foreign: 0 });
    if (model === "own") return;
    const found = await stage.raw.read(await stage.raw.idOf("others"));
    expect([...found.keys()].toSorted()).toEqual([...foreign.keys()].toSorted());
    for (const [id, { text, vector }] of foreign) {
      const { text: now, vector: got = [] } = found.get(id) ?? {};
      const near = [...vector].every((value, i) => Math.abs(value - (got[i] ?? 0)) < 1e-5);
      expect([id, now, near]).toEqual([id, text, true]);
    }
  } finally {
    await stage.putAway();
    rmSync(stage.root, { recursive: true, force: true });
  }
}
