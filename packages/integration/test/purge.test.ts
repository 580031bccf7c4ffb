import { expect, test } from "@jest/globals";
import { closeSync, globSync, openSync, readFileSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { compactDirectory } from "@holdfast/chroma";
import { startChroma } from "@holdfast/testkit";
import { openMemory } from "./support/open-memory.ts";

function filesWith(directory: string, needle: string): string[] {
  return globSync("**/*", { cwd: directory }).filter((name) => {
    const path = join(directory, name);
    return statSync(path).isFile() && readFileSync(path).includes(needle);
  });
}

test("what was forgotten is in no file of Chroma's once it was compacted; the rest works", async () => {
  const chroma = await startChroma();
  try {
    const memory = openMemory(chroma.dataDirectory);
    await memory.addMany(
      Array.from({ length: 60 }, (_, n) => ({ id: `id-${n}`, text: `memory number ${n}` })),
    );
    const secret = { metadata: { place: "zanzibarquay" }, tags: ["xyltag"] };
    await memory.add("the xylophone stands in the quartzroom", { id: "secret", ...secret });
    await memory.update("secret", { text: "the xylophone stands in the marbleroom" });
    expect(await memory.forget(["secret"])).toMatchObject({ durability: "stored" });
    await memory.close();
    await chroma.kill9();
    const needles = ["xylophone", "quartzroom", "marbleroom", "zanzibarquay", "xyltag"];
    const before = needles.flatMap((needle) => filesWith(chroma.dataDirectory, needle));
    // Without this, there would be nothing to compact and nothing to show.
    expect(before).toContain("chroma.sqlite3");

    // As a server's memory gets into the rows that an index keeps in reserve.
    const [reserve = ""] = globSync("*/length.bin", { cwd: chroma.dataDirectory });
    const index = openSync(join(chroma.dataDirectory, reserve), "r+");
    writeSync(index, "the xylophone stands", 30_000);
    closeSync(index);

    compactDirectory(chroma.dataDirectory, ["secret"]);
    for (const needle of needles) expect(filesWith(chroma.dataDirectory, needle)).toEqual([]);

    await chroma.restart();
    const again = openMemory(chroma.dataDirectory);
    expect(await again.compare()).toMatchObject({ equal: true, compared: 60 });
    const found = await again.search("memory number 7", { limit: 3 });
    expect(found).toMatchObject({ degraded: false });
    expect(found.hits[0]).toMatchObject({ id: "id-7", text: "memory number 7" });
    await again.add("written afterwards", { id: "after" });
    expect(await again.compare()).toMatchObject({ equal: true, compared: 61 });
    await again.close();
  } finally {
    await chroma.stop();
  }
}, 120_000);
