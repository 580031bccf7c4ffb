import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import {
  inspectDataDirectory,
  ManagedServer,
  type SalvagedIndex,
  type Space,
  statePathsOf,
} from "@holdfast/chroma";
import { seededRandom } from "@holdfast/core";
import { RawChroma, type RawRecord } from "./support/raw-chroma.ts";
import { testedBuilds } from "./support/server-builds.ts";
import { salvageTorn } from "./support/torn-store.ts";

// Real servers, on a machine that may be busy: how long it takes is not what is tested.
jest.setTimeout(300_000);

const DIMENSION = 24;
const builds = testedBuilds();

let scratch: string;
let data: string;

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), "holdfast-salvage-"));
  data = join(scratch, "data");
});

afterEach(() => rmSync(scratch, { recursive: true, force: true }));

describe.each(builds)("$name", ({ command }) => {
  const serve = async (work: (chroma: RawChroma) => Promise<void>): Promise<void> => {
    await using server = new ManagedServer({
      dataDirectory: data,
      ...(command === undefined ? {} : { command }),
    });
    await work(new RawChroma(await server.start()));
  };

  test.each<[Space, string, (folder: string) => void]>([
    ["cosine", "a header ahead of its pickle", headerAhead],
    ["l2", "a header ahead of its pickle", headerAhead],
    ["ip", "a header ahead of its pickle", headerAhead],
    ["cosine", "half a header", (folder) => truncateSync(join(folder, "header.bin"), 20)],
  ])("%s, %s: every vector is back, updates and deletions included", async (space, _name, tear) => {
    const expected = new Map<string, RawRecord>();
    let collection = "";
    await serve(async (chroma) => {
      collection = await chroma.create("others", { space, sync_threshold: 100 });
      await fillAndChange(chroma, collection, expected);
    });
    tear(segmentFolder());
    expect(await salvage()).toMatchObject([{ labels: "pickle" }]);
    await serve((chroma) => expectWhole(chroma, collection, expected));
    // The server has persisted what it replayed: it must start from that as well.
    await serve((chroma) => expectWhole(chroma, collection, expected));
  });

  test.each<Space>(["cosine", "l2", "ip"])("%s, the pickle gone: named by rank", async (space) => {
    const expected = new Map<string, RawRecord>();
    let collection = "";
    await serve(async (chroma) => {
      collection = await chroma.create("others", { space, sync_threshold: 100 });
      const records = someRecords("r", 350, 1);
      await chroma.write("add", collection, records.slice(0, 90), 7);
      // The rows of what was deleted stay, and must not be counted.
      await chroma.delete(collection, ["r7", "r60"]);
      await chroma.write("add", collection, records.slice(90), 7);
      for (const record of records) expected.set(record.id, record);
      for (const id of ["r7", "r60"]) expected.delete(id);
    });
    rmSync(join(segmentFolder(), "index_metadata.pickle"));
    expect(await salvage()).toMatchObject([{ labels: "rank" }]);
    await serve((chroma) => expectWhole(chroma, collection, expected));
  });

  test("the pickle gone after deletions: rank is not believed, and nothing is changed", async () => {
    await serve(async (chroma) => {
      const collection = await chroma.create("others", { space: "l2", sync_threshold: 100 });
      await chroma.write("add", collection, someRecords("r", 350, 1));
      await chroma.delete(collection, ["r3"]);
    });
    rmSync(join(segmentFolder(), "index_metadata.pickle"));
    const before = inspectDataDirectory(data);
    await expect(salvage()).rejects.toMatchObject({ code: "SALVAGE_IMPOSSIBLE" });
    expect(inspectDataDirectory(data)).toEqual(before);
    expect(existsSync(join(statePathsOf(data).stateDirectory, "repair"))).toBe(false);
  });

  test("rows that are gone are named, and nothing is changed", async () => {
    await serve(async (chroma) => {
      const collection = await chroma.create("others", { space: "l2", sync_threshold: 100 });
      await chroma.write("add", collection, someRecords("r", 350, 1));
    });
    truncateSync(join(segmentFolder(), "data_level0.bin"), 8_000);
    await expect(salvage()).rejects.toMatchObject({
      code: "SALVAGE_IMPOSSIBLE",
      lost: expect.arrayContaining([expect.stringMatching(/^r\d+$/)]),
    });
  });

  test("another collection of the same directory keeps what it has", async () => {
    expect.hasAssertions();
    const expected = new Map(someRecords("other", 120, 2).map((record) => [record.id, record]));
    let healthy = "";
    await serve(async (chroma) => {
      healthy = await chroma.create("healthy", { space: "cosine", sync_threshold: 1_000 });
      await chroma.write("add", healthy, [...expected.values()].slice(0, 60));
      const torn = await chroma.create("others", { space: "cosine", sync_threshold: 100 });
      await chroma.write("add", torn, someRecords("r", 350, 1));
      await chroma.write("add", healthy, [...expected.values()].slice(60));
    });
    headerAhead(segmentFolder());
    await salvage();
    await serve((chroma) => expectWhole(chroma, healthy, expected));
  });

  const archives = tornStores().filter(
    // An older build does not open what a newer one has written.
    (path) => command !== undefined || path.includes("older"),
  );

  for (const archive of archives)
    test(`${basename(archive)}, which a real kill tore`, async () => {
      execFileSync("tar", ["xJf", archive, "--strip-components=1", "--one-top-level=data"], {
        cwd: scratch,
      });
      const ids = inspectDataDirectory(data).collections?.[0]?.ids ?? new Set();
      expect(await salvage()).toHaveLength(1);
      await serve(async (chroma) => {
        const collection = collectionId();
        expect(await chroma.count(collection)).toBe(ids.size);
        const found = await chroma.read(collection);
        expect(new Set(found.keys())).toEqual(ids);
        for (const { vector } of found.values()) {
          expect(Math.abs(Math.hypot(...vector) - 1)).toBeLessThan(1e-3);
        }
        for (const { id, vector } of [...found.values()].filter((_, index) => index % 500 === 0)) {
          expect(await chroma.nearest(collection, vector)).toBe(id);
        }
      });
    });
});

/** Adds, deletes and changes across several persists, so that index and queue both hold some. */
async function fillAndChange(
  chroma: RawChroma,
  collection: string,
  expected: Map<string, RawRecord>,
): Promise<void> {
  const keep = (records: readonly RawRecord[]): void => {
    for (const record of records) expected.set(record.id, record);
  };
  const records = someRecords("r", 430, 1);
  await chroma.write("add", collection, records, 50);
  keep(records);
  const early = someRecords("r", 20, 7);
  await chroma.write("update", collection, early);
  keep(early);
  await chroma.delete(collection, ["r30", "r31"]);
  const more = someRecords("s", 90, 3);
  await chroma.write("upsert", collection, more);
  keep(more);
  // Past the last persist: only the queue knows of these.
  const late = [...someRecords("r", 12, 9).slice(5), ...someRecords("s", 3, 9)];
  await chroma.write("update", collection, late);
  keep(late);
  await chroma.delete(collection, ["r40", "s4"]);
  for (const id of ["r30", "r31", "r40", "s4"]) expected.delete(id);
}

async function expectWhole(
  chroma: RawChroma,
  collection: string,
  expected: ReadonlyMap<string, RawRecord>,
): Promise<void> {
  expect(await chroma.count(collection)).toBe(expected.size);
  const found = await chroma.read(collection);
  expect(new Set(found.keys())).toEqual(new Set(expected.keys()));
  for (const [id, { vector, text }] of expected) {
    const record = found.get(id) as RawRecord;
    expect(record.text).toBe(text);
    const scale = Math.hypot(...vector);
    const worst = Math.max(
      ...vector.map((value, i) => Math.abs(value - (record.vector[i] ?? NaN))),
    );
    expect(worst / scale).toBeLessThan(1e-6);
  }
}

function someRecords(prefix: string, count: number, seed: number): RawRecord[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, (_, index) => ({
    id: `${prefix}${index}`,
    text: `text ${prefix} ${index} of ${seed}`,
    vector: new Float32Array(DIMENSION).map(() => (random.next() - 0.5) * 4),
  }));
}

async function salvage(): Promise<SalvagedIndex[]> {
  const { findings } = inspectDataDirectory(data);
  expect(findings.filter(({ kind }) => kind === "torn-index")).toHaveLength(1);
  const { salvaged, aside } = await salvageTorn(data);
  expect(inspectDataDirectory(aside).damaged).toBe(true);
  expect(inspectDataDirectory(data).damaged).toBe(false);
  return salvaged;
}

/** The folder of the index that was persisted. */
function segmentFolder(): string {
  const name = readdirSync(data).find((each) =>
    existsSync(join(data, each, "index_metadata.pickle")),
  );
  return join(data, name as string);
}

function collectionId(): string {
  using database = new DatabaseSync(join(data, "chroma.sqlite3"), { readOnly: true });
  return (database.prepare("SELECT id FROM collections").get() as { id: string }).id;
}

function headerAhead(folder: string): void {
  const header = readFileSync(join(folder, "header.bin"));
  header.writeUInt32LE(header.readUInt32LE(20) + 30, 20);
  writeFileSync(join(folder, "header.bin"), header);
}

function tornStores(): string[] {
  const folder =
    process.env["HOLDFAST_TORN_STORES"] ??
    fileURLToPath(new URL("../../../../shared/data/torn-stores/", import.meta.url));
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith(".tar.xz"))
    .map((name) => join(folder, name));
}
