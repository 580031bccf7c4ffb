import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { expect, test } from "@jest/globals";
import { type Manifest, readManifest, verifyBackup } from "@holdfast/memory";
import { readData, writeData } from "../../src/backup/data-file.ts";
import { formatManifest, sha256 } from "../../src/backup/manifest.ts";
import { type BackupWorkspace, backupWorkspace, remembered } from "./backup-fixture.ts";

async function backedUp(space: BackupWorkspace): Promise<{ path: string; data: string }> {
  await space.open().addMany(Array.from({ length: 40 }, (_, n) => ({ text: `memory ${n} 🦊` })));
  const path = join(space.folder, "b.yaml");
  await space.backups().backup({
    output: path,
    configuration: { file: "holdfast.yaml", text: "config_version: 1\n" },
  });
  return { path, data: join(space.folder, readManifest(path).data!.file) };
}

const refused = (path: string): Promise<unknown> =>
  expect(verifyBackup(path)).rejects.toMatchObject({
    code: "BACKUP_INVALID",
    hint: expect.stringContaining("Nothing was changed"),
  });

test("a flipped bit is found wherever it is, in manifest and data", async () => {
  await using space = backupWorkspace();
  const { path, data } = await backedUp(space);
  for (const file of [path, data]) {
    const sound = readFileSync(file);
    // Every byte of the manifest; of the data every region, and both of its ends.
    const step = file === path ? 1 : Math.max(1, Math.floor(sound.length / 400));
    for (let at = 0; at < sound.length; at += step) {
      const flipped = Buffer.from(sound);
      flipped[at]! ^= 1 << (at % 8);
      writeFileSync(file, flipped);
      await refused(path);
    }
    const last = Buffer.from(sound);
    last[sound.length - 1]! ^= 1;
    writeFileSync(file, last);
    await refused(path);
    writeFileSync(file, sound);
  }
  expect(await verifyBackup(path)).toMatchObject({ memories: 40 });
}, 240_000);

test.each(["manifest", "data"])("a truncated %s is refused, at every length", async (which) => {
  await using space = backupWorkspace();
  const { path, data } = await backedUp(space);
  const file = which === "data" ? data : path;
  const sound = readFileSync(file);
  for (let length = 0; length < sound.length; length += Math.ceil(sound.length / 50)) {
    truncateSync(file, length);
    await refused(path);
    writeFileSync(file, sound);
  }
  rmSync(data);
  await expect(verifyBackup(path)).rejects.toMatchObject({ code: "BACKUP_NOT_FOUND" });
});

test("links, pipes and folders in a file's place are refused, and nothing waits", async () => {
  await using space = backupWorkspace();
  const { path, data } = await backedUp(space);
  const aside = join(space.folder, "aside");
  for (const file of [path, data]) {
    renameSync(file, aside);
    symlinkSync(aside, file);
    await refused(path);
    rmSync(file);
    execFileSync("mkfifo", [file]);
    await refused(path);
    rmSync(file);
    mkdirSync(file);
    await refused(path);
    rmSync(file, { recursive: true });
    renameSync(aside, file);
  }
  expect(await verifyBackup(path)).toMatchObject({ memories: 40 });
});

/** A manifest that somebody made by hand, with a seal that holds. */
function forge(path: string, change: (manifest: Manifest) => unknown): void {
  writeFileSync(path, formatManifest(change(readManifest(path)) as Manifest));
}

test.each(["../b.jsonl.zst", "/etc/passwd", "..", "a\\b", "a/b"])(
  "a manifest cannot lead to %s",
  async (file) => {
    await using space = backupWorkspace();
    const { path } = await backedUp(space);
    const sound = readFileSync(path);
    forge(path, (manifest) => ({ ...manifest, data: { ...manifest.data!, file } }));
    await refused(path);
    writeFileSync(path, sound);
    forge(path, (manifest) => ({ ...manifest, kind: "incremental", base: { id: "b", file } }));
    await refused(path);
    expect(() => readManifest(path)).toThrow("is not the name of a file beside it");
  },
);

test.each(["policies/..", "..", "policies/../x.yaml", "policies/.x.yaml", "policies/x.js"])(
  "a policy cannot be written to %s, nor two to one place",
  async (file) => {
    await using space = backupWorkspace();
    const { path } = await backedUp(space);
    const sound = readFileSync(path);
    const policy = { file, text: "{}\n", sha256: sha256("{}\n") };
    forge(path, (manifest) => ({ ...manifest, policies: [policy] }));
    await refused(path);
    writeFileSync(path, sound);
    const good = { ...policy, file: "policies/x.yaml" };
    forge(path, (manifest) => ({ ...manifest, policies: [good, good] }));
    await refused(path);
    writeFileSync(path, sound);
    const json = { ...policy, file: "policies/x.json" };
    forge(path, (manifest) => ({ ...manifest, policies: [good, json] }));
    expect((await verifyBackup(path)).memories).toBe(40);
  },
);

test("long records are handed over a few at a time, so that none fill the memory", async () => {
  await using space = backupWorkspace();
  const path = join(space.folder, "long.zst");
  const lines = Array.from({ length: 40 }, (_, n) => ({
    t: "removed" as const,
    id: `${n} ${"x".repeat(1 << 20)}`,
  }));
  const written = await writeData(path, Readable.from(lines), "gzip", {});
  const sizes: number[] = [];
  for await (const batch of readData(path, { file: "long.zst", ...written }))
    sizes.push(batch.length);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(40);
  expect(Math.max(...sizes)).toBeLessThan(6);
}, 240_000);

test("a size bomb ends where the manifest says that the content does", async () => {
  await using space = backupWorkspace();
  const { path, data } = await backedUp(space);
  const bomb = gzipSync(Buffer.alloc(80 * 1024 * 1024, "x"));
  writeFileSync(data, bomb);
  const { createHash } = await import("node:crypto");
  const said = {
    file: basename(data),
    compression: "gzip",
    bytes: bomb.length,
    sha256: createHash("sha256").update(bomb).digest("hex"),
    lines: 1,
  } as const;
  forge(path, (manifest) => ({ ...manifest, data: { ...said, content_bytes: 1_000 } }));
  await expect(verifyBackup(path)).rejects.toThrow("holds more than the manifest says");
  // One that says how large it is: no record is so long.
  forge(path, (manifest) => ({ ...manifest, data: { ...said, content_bytes: 80 << 20 } }));
  await expect(verifyBackup(path)).rejects.toThrow("a record in it is too long");
});

test("what is not what it says is refused though every checksum holds", async () => {
  await using space = backupWorkspace();
  const { path } = await backedUp(space);
  const sound = readFileSync(path);
  const changes: ((manifest: Manifest) => unknown)[] = [
    (manifest) => ({ ...manifest, version: 2 }),
    (manifest) => ({ ...manifest, extra: true }),
    (manifest) => ({ ...manifest, kind: "configuration" }),
    (manifest) => ({ ...manifest, kind: "incremental" }),
    (manifest) => ({ ...manifest, collections: [] }),
    (manifest) => ({ ...manifest, collections: [{ ...manifest.collections[0]!, memories: 39 }] }),
    (manifest) => ({
      ...manifest,
      collections: [
        {
          ...manifest.collections[0]!,
          embedder: { ...manifest.collections[0]!.embedder!, dimension: 17 },
        },
      ],
    }),
    (manifest) => ({
      ...manifest,
      configuration: { file: "holdfast.yaml", sha256: sha256("a"), text: "b" },
    }),
  ];
  for (const change of changes) {
    writeFileSync(path, sound);
    forge(path, change);
    await refused(path);
  }
  writeFileSync(path, sound);
  expect(await verifyBackup(path)).toMatchObject({ memories: 40 });
});

test("a damaged backup changes nothing", async () => {
  await using space = backupWorkspace();
  const { path, data } = await backedUp(space);
  const memory = space.open();
  await memory.add("since then");
  const before = remembered(memory);
  const bytes = readFileSync(data);
  bytes[bytes.length >> 1]! ^= 8;
  writeFileSync(data, bytes);
  await expect(space.backups().plan(path)).rejects.toMatchObject({ code: "BACKUP_INVALID" });
  expect(remembered(memory)).toEqual(before);
  expect((await space.store.listCollections()).map(({ name }) => name)).toEqual(["memories"]);
});

test("an incremental backup whose base is gone, or another one, is refused", async () => {
  await using space = backupWorkspace();
  const { path, data } = await backedUp(space);
  const next = join(space.folder, "next.yaml");
  await space.backups().backup({ output: next, incremental: true });
  await space.backups().backup({ output: path, overwrite: true });
  await refused(next);
  rmSync(path);
  rmSync(data, { force: true });
  await expect(verifyBackup(next)).rejects.toMatchObject({ code: "BACKUP_NOT_FOUND" });
});
