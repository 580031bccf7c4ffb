import { existsSync, mkdtempSync, rmSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import {
  type BackupPort,
  ChromaStore,
  chromaStrategies,
  inspectDataDirectory,
  listQuarantine,
  type MirrorPort,
  type ServerControl,
} from "@holdfast/chroma";
import type { Diagnosis, RecoveryStrategy, StepContext } from "@holdfast/recovery";
import { makeStore, SEGMENT } from "../server/fixtures/store-files.ts";

let scratch: string;
let data: string;

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), "holdfast-strategy-"));
  data = join(scratch, "data");
  makeStore(data, { ids: ["a", "b"] });
});

afterEach(() => rmSync(scratch, { recursive: true, force: true }));

const signal = new AbortController().signal;
const context: StepContext = {
  signal,
  incident: "test",
  note: () => undefined,
  remember: () => undefined,
  remembered: undefined,
};

function strategy(mirrored: readonly string[], backup?: BackupPort): RecoveryStrategy {
  const memory: MirrorPort = {
    status: () => ({
      collection: "notes",
      mirrored: mirrored.length,
      ledger: { stored: mirrored.length, dead: 0 },
      outbox: { records: 0 },
    }),
    unmirrored: (ids) => [...ids].filter((id) => !mirrored.includes(id)),
    rebuild: () => Promise.resolve({ rebuilt: mirrored.length, compared: mirrored.length }),
    compare: () => Promise.resolve({ compared: 0, missing: [], different: [], equal: true }),
  };
  const server: ServerControl = {
    dataDirectory: data,
    running: undefined,
    start: () => Promise.resolve({ host: "", port: 0, incarnation: "", adopted: false }),
    halt: () => Promise.resolve(),
    clear: () => Promise.resolve(false),
  };
  const endpoint = (): Promise<never> => Promise.reject(new Error("no server runs"));
  const strategies = chromaStrategies({
    store: new ChromaStore({ mode: "managed", endpoint }),
    memory,
    target: endpoint,
    server,
    isOwnCollection: () => false,
    ...(backup === undefined ? {} : { backup }),
  });
  return strategies.find(({ name }) => name === "persistence") as RecoveryStrategy;
}

const actions = ({ steps }: Diagnosis): string[] => steps.map(({ action }) => action);
const tear = (): void => truncateSync(join(data, SEGMENT, "index_metadata.pickle"), 0);

test("what the mirror has is rebuilt from it, and salvaged only if that fails", async () => {
  tear();
  const found = await strategy(["a", "b"]).diagnose({ signal });
  expect(found.steps.map(({ action, risk }) => [action, risk])).toEqual([
    ["move-aside-and-rebuild", "low"],
    ["salvage-index", "medium"],
  ]);
});

test("what only the directory has is salvaged, and never moved aside", async () => {
  tear();
  expect(actions(await strategy(["a"]).diagnose({ signal }))).toEqual(["salvage-index"]);
});

test("with SQLite gone, nothing is done to what nobody else has, and it is named", async () => {
  rmSync(join(data, "chroma.sqlite3"));
  const found = await strategy(["a"]).diagnose({ signal });
  expect(found).toMatchObject({
    healthy: false,
    steps: [],
    refusal: { message: expect.stringContaining("?/b") },
  });
  expect(actions(await strategy(["a", "b"]).diagnose({ signal }))).toEqual([
    "move-aside-and-rebuild",
  ]);
});

test("a backup is the last resort, and the damaged directory is kept when it is restored", async () => {
  rmSync(join(data, "chroma.sqlite3"));
  const restored: string[] = [];
  const asked = strategy(["a"], {
    describe: () => Promise.resolve("the backup of Monday"),
    restore: () => {
      expect(existsSync(data)).toBe(false);
      restored.push("Monday");
      return Promise.resolve("as of Monday");
    },
  });
  const found = await asked.diagnose({ signal });
  expect(found.steps).toMatchObject([{ action: "restore-backup", risk: "high" }]);
  const action = asked.actions.find(({ name }) => name === "restore-backup");
  expect(await action?.run({}, context)).toEqual({ result: "repaired", message: "as of Monday" });
  expect(restored).toEqual(["Monday"]);
  const [kept] = listQuarantine(data);
  expect(inspectDataDirectory(join(kept?.folder ?? "", "data")).damaged).toBe(true);
});

// Killed between the two, nobody knew any more where it was: what was put back was another's.
test.each(["move-aside-and-rebuild", "rewrite-sqlite-magic"])(
  "%s keeps where the damaged directory will be before it moves it",
  async (name) => {
    const action = strategy(["a", "b"]).actions.find((each) => each.name === name);
    const remember: StepContext["remember"] = (state) => {
      if ("aside" in state) throw new Error("killed");
    };
    await expect(
      action?.run({ reason: "wrong answers", whole: true }, { ...context, remember }),
    ).rejects.toThrow("killed");
    const moved = listQuarantine(data).filter(({ folder }) => existsSync(join(folder, "data")));
    expect([existsSync(join(data, "chroma.sqlite3")), moved]).toEqual([true, []]);
  },
);

test("files that look whole are moved aside when they were not yet before a kill", async () => {
  const action = strategy(["a", "b"]).actions.find(({ name }) => name === "move-aside-and-rebuild");
  const remembered = { aside: join(scratch, "never-moved") };
  const store = { reason: "wrong answers", whole: true };
  // It goes on to ask a store, of which there is none here.
  await action?.run(store, { ...context, remembered }).catch(() => undefined);
  expect(existsSync(data)).toBe(false);
});
