import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { type Memory, MEMORY_DEFAULTS } from "@holdfast/memory";
import { CaptureJournal, type CaptureJournalOptions } from "@holdfast/memory/capture";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Workspace, workspace } from "../fixture.ts";

let place: Workspace;
let memory: Memory;
const opened: CaptureJournal[] = [];

beforeEach(() => {
  place = workspace();
  memory = place.open({ waitMs: 0 });
});
afterEach(async () => {
  for (const made of opened.splice(0)) made.close();
  await place[Symbol.asyncDispose]();
});

function journal(options: Partial<CaptureJournalOptions> = {}): CaptureJournal {
  const { collection, outbox } = MEMORY_DEFAULTS;
  const made = CaptureJournal.open({
    stateDirectory: place.directory,
    collection,
    outbox,
    ...options,
  });
  if (made === undefined) throw new Error("there is no memory here");
  opened.push(made);
  return made;
}

const command = (
  text: string,
): { text: string; metadata: { category: string }; tags: string[] } => ({
  text,
  metadata: { category: "command" },
  tags: ["command"],
});
const NOW = 1_800_000_000_000;

test("what it captured is a memory like any other: listed, drained, recalled", async () => {
  expect(journal().add(command("holdfast memory list"), Date.now())).toMatchObject({
    result: "captured",
  });
  expect(memory.list({ tags: ["command"] }).memories).toMatchObject([
    { text: "holdfast memory list", durability: "queued" },
  ]);
  expect(await memory.drain()).toMatchObject({ stored: 1 });
  expect(memory.status().ledger).toMatchObject({ accepted: 1, stored: 1, residual: 0 });
});

test("it creates nothing where nothing is", () => {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-capture-"));
  try {
    const { collection, outbox } = MEMORY_DEFAULTS;
    const options = { stateDirectory: folder, collection, outbox };
    expect(CaptureJournal.open(options)).toBeUndefined();
    expect(readdirSync(folder)).toEqual([]);
    const other = { ...options, stateDirectory: place.directory, collection: "others" };
    expect(CaptureJournal.open(other)).toBeUndefined();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("processes merge what says the same within the window", () => {
  const [one, two] = [journal({ mergeWindowMs: 1_000 }), journal({ mergeWindowMs: 1_000 })];
  const first = one.add(command("job 1 took 3 ms"), NOW);
  expect(two.add(command("Job 2 took 44 ms"), NOW + 600)).toEqual({ ...first, result: "merged" });
  // Over the edge of a window, but not yet a window later.
  expect(one.add(command("job 3 took 5 ms"), NOW + 999)).toEqual({ ...first, result: "merged" });
  expect(two.add(command("job 4 took 5 ms"), NOW + 1_000)).toMatchObject({ result: "captured" });
  expect(one.recent({ tags: ["command"] }, 10, NOW)).toMatchObject([
    { text: "job 4 took 5 ms" },
    { text: "job 3 took 5 ms", metadata: { count: 3 } },
  ]);
});

test("limits hold across processes", () => {
  const limits = { command: { perMinute: 2 }, task: { cooldownMs: 5_000 } };
  const results = [0, 1, 2, 60_003].map(
    (later) => journal({ limits }).add(command(`command ${"abcd"[later % 4]}`), NOW + later).result,
  );
  expect(results).toEqual(["captured", "captured", "limited", "captured"]);
  const task = (text: string): object => ({ text, metadata: { category: "task" }, tags: ["task"] });
  const cooled = [0, 4_999, 5_000].map(
    (later) =>
      journal({ limits }).add(task(`task ${"xyz"[later % 3]}`) as never, NOW + later).result,
  );
  expect(cooled).toEqual(["captured", "limited", "captured"]);
});

// Until the clock had caught up, nothing of that category was captured.
test("limits do not count what was noted before the clock was set back", () => {
  const capture = journal({ limits: { command: { cooldownMs: 5_000 } } });
  expect(capture.add(command("before"), NOW)).toMatchObject({ result: "captured" });
  expect(capture.add(command("after"), NOW - 86_400_000)).toMatchObject({ result: "captured" });
  expect(capture.add(command("next"), NOW - 86_399_000)).toEqual({ result: "limited" });
});

test("captures leave half of the outbox to writes that somebody waits for", async () => {
  const outbox = { ...MEMORY_DEFAULTS.outbox, recordsMax: 4 };
  const capture = journal({ outbox });
  const results = ["a", "b", "c"].map((text) => capture.add(command(text), NOW).result);
  expect(results).toEqual(["captured", "captured", "full"]);
  await memory.add("this one still fits");
});

test("it recalls by words and by age, from this machine alone", async () => {
  await memory.add("Ada prefers green tea", { tags: ["drink"] });
  await memory.add("The build needs Node 24", { tags: ["build"] });
  const capture = journal();
  const found = capture.recall("which tea does she drink?", {}, 5, Date.now());
  expect(found.map(({ text }) => text)).toEqual(["Ada prefers green tea"]);
  expect(capture.recent({}, 1, Date.now()).map(({ text }) => text)).toEqual([
    "The build needs Node 24",
  ]);
});
