import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { inspectDataDirectory, quarantine, statePathsOf } from "@holdfast/chroma";
import { headerOf, makeStore, pickleOf, SEGMENT } from "./fixtures/store-files.ts";

let scratch: string;
let data: string;

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), "holdfast-inspect-"));
  data = join(scratch, "data");
});

afterEach(() => rmSync(scratch, { recursive: true, force: true }));

const kinds = (): string[] => inspectDataDirectory(data).findings.map(({ kind }) => kind);
const inSegment = (file: string): string => join(data, SEGMENT, file);

describe("whole directories", () => {
  test("one that does not exist yet is whole and empty", () => {
    expect(inspectDataDirectory(data)).toEqual({ findings: [], damaged: false, collections: [] });
  });

  test("a persisted index is whole, and its ids are known, those still queued included", () => {
    makeStore(data, {
      ids: ["a", "b"],
      queued: [
        ["c", 2],
        ["a", 3],
        ["ghost", 1],
      ],
    });
    const { findings, damaged, collections } = inspectDataDirectory(data);
    expect({ findings, damaged }).toEqual({ findings: [], damaged: false });
    expect(collections).toEqual([
      { name: "notes", tenant: "t", database: "d", ids: new Set(["b", "c"]) },
    ]);
  });

  test.each(["none of the files", "a laid out header and empty links"])(
    "below the first threshold there is no pickle: %s",
    (layout) => {
      makeStore(data, { ids: ["a"], persisted: false });
      rmSync(inSegment("index_metadata.pickle"));
      if (layout === "none of the files") rmSync(join(data, SEGMENT), { recursive: true });
      else writeFileSync(inSegment("link_lists.bin"), "");
      expect(kinds()).toEqual([]);
    },
  );

  test("a folder that no collection names is told and harmless", () => {
    makeStore(data, { ids: ["a"] });
    mkdirSync(join(data, "11111111-2222-3333-4444-555555555555"));
    expect(inspectDataDirectory(data)).toMatchObject({
      damaged: false,
      findings: [{ kind: "orphan-segments", segments: ["11111111-2222-3333-4444-555555555555"] }],
    });
  });

  test("deleting the last collection leaves its folder, and is no loss", () => {
    makeStore(data, { ids: ["a"] });
    const database = new DatabaseSync(join(data, "chroma.sqlite3"));
    for (const table of ["collections", "segments", "embeddings", "max_seq_id"]) {
      database.exec(`DELETE FROM ${table}`);
    }
    database.close();
    expect(kinds()).toEqual(["orphan-segments"]);
  });

  test("a transaction that a killed server left half-done is rolled back first", () => {
    makeStore(data, { ids: ["a"] });
    const database = new DatabaseSync(join(data, "chroma.sqlite3"));
    database.exec("PRAGMA cache_size = 1; BEGIN; CREATE TABLE half (x)");
    for (let i = 0; i < 200; i += 1) {
      database.prepare("INSERT INTO half VALUES (?)").run("x".repeat(5_000));
    }
    const copy = join(scratch, "copy");
    execFileSync("cp", ["-r", data, copy]);
    database.close();
    expect(existsSync(join(copy, "chroma.sqlite3-journal"))).toBe(true);
    expect(inspectDataDirectory(copy)).toMatchObject({ damaged: false });
    expect(existsSync(join(copy, "chroma.sqlite3-journal"))).toBe(false);
  });
});

describe("damage", () => {
  const torn: [string, () => void][] = [
    ["an empty pickle", () => truncateSync(inSegment("index_metadata.pickle"), 0)],
    ["half a pickle", () => truncateSync(inSegment("index_metadata.pickle"), 40)],
    ["no pickle", () => rmSync(inSegment("index_metadata.pickle"))],
    ["no header", () => rmSync(inSegment("header.bin"))],
    ["half a header", () => truncateSync(inSegment("header.bin"), 20)],
    ["a header ahead of the pickle", () => writeFileSync(inSegment("header.bin"), headerOf(3))],
    ["a header behind the pickle", () => writeFileSync(inSegment("header.bin"), headerOf(1))],
    ["missing rows", () => truncateSync(inSegment("data_level0.bin"), 100)],
    ["no folder", () => rmSync(join(data, SEGMENT), { recursive: true })],
    ["garbage for a pickle", () => writeFileSync(inSegment("index_metadata.pickle"), "garbage")],
    [
      "a pickle of something else",
      () =>
        writeFileSync(inSegment("index_metadata.pickle"), pickleOf(2).subarray(0, 3).toString()),
    ],
  ];
  test.each(torn)("%s is a torn index, named with its collection", (_name, damage) => {
    makeStore(data, { ids: ["a", "b"] });
    damage();
    const { findings, damaged, collections } = inspectDataDirectory(data);
    expect(findings).toMatchObject([{ kind: "torn-index", segment: SEGMENT, collection: "notes" }]);
    expect(damaged).toBe(true);
    expect(collections?.[0]?.ids).toEqual(new Set(["a", "b"]));
  });

  test("a record of which neither index nor queue holds a vector is damage", () => {
    makeStore(data, { ids: ["a", "b"] });
    writeFileSync(inSegment("index_metadata.pickle"), pickleOf(2, ["a"]));
    expect(inspectDataDirectory(data)).toMatchObject({
      damaged: true,
      findings: [{ kind: "torn-index", detail: expect.stringContaining("1 records, b among") }],
    });
  });

  test("a filled index without a pickle is torn even if it was never persisted before", () => {
    makeStore(data, { ids: ["a"], persisted: false });
    rmSync(inSegment("index_metadata.pickle"));
    expect(kinds()).toEqual(["torn-index"]);
  });

  test.each(["missing", "empty"])(
    "index folders beside a %s SQLite are a lost catalogue",
    (how) => {
      makeStore(data, { ids: ["a"] });
      rmSync(join(data, "chroma.sqlite3"));
      if (how === "empty") writeFileSync(join(data, "chroma.sqlite3"), "");
      expect(inspectDataDirectory(data)).toMatchObject({
        damaged: true,
        collections: undefined,
        findings: [{ kind: "catalogue-lost", segments: [SEGMENT] }],
      });
    },
  );

  test("a server's new, empty SQLite beside index folders is a lost catalogue", () => {
    makeStore(data, { ids: ["a"] });
    const empty = join(scratch, "empty");
    makeStore(empty, { ids: [], collection: false });
    writeFileSync(join(data, "chroma.sqlite3"), readFileSync(join(empty, "chroma.sqlite3")));
    expect(kinds()).toEqual(["catalogue-lost"]);
  });

  // Reading all of a file of more than 2 GiB for four of its bytes threw ERR_FS_FILE_TOO_LARGE.
  test("a store that was emptied is no lost catalogue, however large its SQLite has grown", () => {
    makeStore(data, { ids: ["a"] });
    const file = join(data, "chroma.sqlite3");
    {
      using database = new DatabaseSync(file);
      for (const table of ["collections", "segments", "embeddings"]) {
        database.exec(`DELETE FROM ${table}`);
      }
    }
    truncateSync(file, 2 ** 31 + 4_096);
    expect(kinds()).toEqual(["orphan-segments"]);
  });

  test.each([
    ["its header", 0],
    ["a page in its middle", 8_192],
  ])("SQLite with garbage over %s is damaged", (_name, at) => {
    makeStore(data, { ids: Array.from({ length: 500 }, (_, i) => `id-${i}`) });
    const file = join(data, "chroma.sqlite3");
    const bytes = readFileSync(file);
    bytes.fill(0xa5, at, at + 4_096);
    writeFileSync(file, bytes);
    expect(inspectDataDirectory(data)).toMatchObject({
      damaged: true,
      collections: undefined,
      findings: [{ kind: "sqlite-damaged" }],
    });
  });
});

test("quarantine moves the whole directory aside, with the reason, and never twice to one place", () => {
  makeStore(data, { ids: ["a"] });
  const first = quarantine(data, { reason: "torn", evidence: [1] });
  expect(existsSync(data)).toBe(false);
  expect(inspectDataDirectory(first.data).collections?.[0]?.ids).toEqual(new Set(["a"]));
  const manifest = JSON.parse(readFileSync(join(first.folder, "manifest.json"), "utf8")) as object;
  expect(manifest).toMatchObject({ dataDirectory: data, reason: "torn", evidence: [1] });
  makeStore(data, { ids: ["b"] });
  const second = quarantine(data, { reason: "again" });
  expect(readdirSync(statePathsOf(data).quarantine)).toHaveLength(2);
  expect(second.folder).not.toBe(first.folder);
});

const TORN_STORES = fileURLToPath(
  new URL("../../../../../shared/data/torn-stores/", import.meta.url),
);
const archives = existsSync(TORN_STORES)
  ? readdirSync(TORN_STORES).filter((name) => name.endsWith(".tar.xz"))
  : [];

// Stores that a real kill tore are too large for this repository; tear-cycles.test.ts tears its own.
for (const archive of archives)
  test(`${archive}, which a real kill tore, is found torn`, () => {
    execFileSync("tar", ["xJf", join(TORN_STORES, archive), "-C", scratch]);
    const inspection = inspectDataDirectory(join(scratch, readdirSync(scratch)[0] as string));
    expect(inspection.findings.map(({ kind }) => kind)).toEqual(["torn-index"]);
    expect(inspection.collections?.[0]?.ids.size).toBeGreaterThanOrEqual(3_050);
  });
