import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { findServer, installServer } from "@holdfast/chroma";
import { isRunning } from "@holdfast/sqlite";

let scratch: string;
let cacheDirectory: string;
const { PATH } = process.env;

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), "holdfast-install-"));
  cacheDirectory = join(scratch, "cache");
});

afterEach(() => {
  process.env["PATH"] = PATH;
  rmSync(scratch, { recursive: true, force: true });
});

/** An npm of the test's own, before any other. */
function npmThat(script: string): void {
  const folder = join(scratch, "bin");
  mkdirSync(folder);
  writeFileSync(join(folder, "npm"), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, "npm"), 0o755);
  process.env["PATH"] = `${folder}:${PATH}`;
}

const leftovers = (): string[] =>
  readdirSync(join(cacheDirectory, "servers")).filter((name) => name !== "install.lock");

describe("a fetch that fails says why, what to do, and leaves nothing", () => {
  test.each([
    ["npm error code ENOTFOUND", "cannot be reached"],
    ["npm error code ECONNREFUSED", "cannot be reached"],
    ["npm error code ENOSPC", "the disk is full"],
    ["npm error code EINTEGRITY", "its hash differs"],
    ["npm error code E403", "refused the credentials"],
    ["npm error code E404", "does not have it"],
    ["npm error something odd", "something odd"],
  ])("%s", async (said, why) => {
    npmThat(`echo '${said}' >&2; exit 1`);
    await expect(installServer({ cacheDirectory })).rejects.toMatchObject({
      code: "SERVER_INSTALL_FAILED",
      message: expect.stringContaining(why) as unknown,
      hint: expect.any(String) as unknown,
    });
    expect(leftovers()).toEqual([]);
  });

  test("npm is not there", async () => {
    process.env["PATH"] = scratch;
    await expect(installServer({ cacheDirectory })).rejects.toMatchObject({
      code: "SERVER_INSTALL_FAILED",
      message: expect.stringContaining("npm is not on PATH") as unknown,
    });
  });

  test("npm succeeds, and what it brought cannot be loaded", async () => {
    npmThat("exit 0");
    await expect(installServer({ cacheDirectory })).rejects.toMatchObject({
      code: "SERVER_UNSUPPORTED",
    });
    expect(leftovers()).toEqual([]);
  });

  test("the cache is not a folder", async () => {
    writeFileSync(cacheDirectory, "");
    await expect(installServer({ cacheDirectory })).rejects.toMatchObject({
      code: "SERVER_INSTALL_FAILED",
    });
  });
});

test("npm is told to check a pinned hash, to run no script, and of no registry", async () => {
  const seen = join(scratch, "seen");
  npmThat(`echo "$@" > ${seen}; cat package-lock.json >> ${seen}; exit 1`);
  await expect(installServer({ cacheDirectory })).rejects.toThrow("could not be fetched");
  const told = readFileSync(seen, "utf8");
  expect(told).toMatch(/^ci --ignore-scripts/);
  expect(told).toContain('"integrity":"sha512-');
  expect(told).not.toContain("://");
});

test("an abort ends npm and removes what it left", async () => {
  const controller = new AbortController();
  npmThat("touch half; exec sleep 60");
  const installing = installServer({
    cacheDirectory,
    signal: controller.signal,
    onProgress: ({ phase }) => {
      if (phase === "fetching") controller.abort(new Error("enough"));
    },
  });
  await expect(installing).rejects.toThrow("enough");
  expect(leftovers()).toEqual([]);
});

// It was told to end and not waited for: it went on in a folder that was being removed.
test("an abort ends an npm that does not want to, before the folder goes", async () => {
  const controller = new AbortController();
  const file = join(scratch, "pid");
  npmThat(`trap '' TERM INT; echo $$ > ${file}; while :; do touch half; sleep 0.05; done`);
  const installing = installServer({ cacheDirectory, signal: controller.signal });
  const pidOf = (): string => (existsSync(file) ? readFileSync(file, "utf8") : "");
  const waited = setInterval(() => {
    if (pidOf() !== "") controller.abort(new Error("enough"));
  }, 10);
  await expect(installing).rejects.toThrow("enough");
  clearInterval(waited);
  expect(isRunning(Number(pidOf()))).toBe(false);
  expect(leftovers()).toEqual([]);
});

test("what a killed fetch left is removed by the next", async () => {
  mkdirSync(join(cacheDirectory, "servers", ".fetching-dead"), { recursive: true });
  npmThat("exit 1");
  await expect(installServer({ cacheDirectory })).rejects.toThrow("could not be fetched");
  expect(leftovers()).toEqual([]);
});

describe("finding a server", () => {
  function command(name: string, script: string): string {
    const file = join(scratch, name);
    writeFileSync(file, `#!/bin/sh\n${script}\n`);
    chmodSync(file, 0o755);
    return file;
  }

  test("the configured command is the only one tried", async () => {
    const good = command("good", "echo chroma 1.4.4");
    await expect(findServer({ command: [good] })).resolves.toEqual({
      source: "command",
      build: { name: "chroma", version: "1.4.4" },
      launch: { kind: "command", argv: [good] },
    });
    const bad = command("bad", "echo 'cannot open shared object' >&2; exit 127");
    await expect(findServer({ command: [bad] })).rejects.toMatchObject({
      code: "SERVER_UNSUPPORTED",
      message: expect.stringContaining("cannot open shared object") as unknown,
    });
  });

  test("chroma on PATH comes before any other", async () => {
    const file = command("chroma", "echo chroma 1.2.3");
    process.env["PATH"] = `${scratch}:${PATH}`;
    await expect(findServer({ install: false })).resolves.toMatchObject({
      source: "path",
      launch: { argv: [file] },
    });
  });

  test("a chroma on PATH that does not run here is passed over", async () => {
    command("chroma", "echo boom >&2; exit 1");
    process.env["PATH"] = `${scratch}:${PATH}`;
    const found = await findServer({ install: false, cacheDirectory }).then(
      ({ source }) => source,
      (error: { code: string; message: string }) => error.message,
    );
    // Where the chromadb package's own build runs, it is next; else the message says what was tried.
    expect(found).toMatch(/^package$|exited with code 1/);
  });
});
