import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import {
  chmodSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Finding, validateConfig } from "@holdfast/config";

let folder: string;
beforeEach(() => void (folder = realpathSync(mkdtempSync(join(tmpdir(), "holdfast-validate-")))));
afterEach(() => rmSync(folder, { recursive: true }));

async function strictly(
  text: string,
  environment: Record<string, string> = {},
): Promise<Pick<Finding, "rule" | "path" | "line">[]> {
  const file = join(folder, "holdfast.yaml");
  const { findings } = await validateConfig(text, { file, environment, strict: true });
  return findings.map(({ rule, path, line }) => ({ rule: rule ?? "", path, line }));
}

test("the real configuration that names its folder twice passes strictly, with a note", async () => {
  const file = join(import.meta.dirname, "fixtures/both-paths.yaml");
  const text = readFileSync(file, "utf8");
  const { findings } = await validateConfig(text, { file, environment: {}, strict: true });
  expect(findings).toMatchObject([
    { severity: "note", rule: "older-name", line: 6, message: expect.stringContaining("wins") },
  ]);
});

describe("strictly, what is named must be there", () => {
  test("a folder that cannot be made", async () => {
    writeFileSync(join(folder, "file"), "");
    expect(await strictly("vector_store:\n  config:\n    persist_directory: file/data\n")).toEqual([
      { rule: "folder-writable", path: "vector_store.config.persist_directory", line: 3 },
    ]);
  });

  test("secrets", async () => {
    const text = "embedder:\n  options:\n    one: {env: ONE}\n    two: {file: two.txt}\n";
    expect(await strictly(text)).toEqual([
      { rule: "secret-available", path: "embedder.options.one", line: 3 },
      { rule: "secret-available", path: "embedder.options.two", line: 4 },
    ]);
    writeFileSync(join(folder, "two.txt"), "s3cret\n");
    expect(await strictly(text, { ONE: "s3cret" })).toEqual([]);
  });

  test("the folder of a file that is written, and what stands in a list, where it stands", async () => {
    writeFileSync(join(folder, "file"), "");
    const text = [
      "alerts:",
      "  channels:",
      "    - {type: console}",
      "    - {type: file, path: file/alerts.log}",
      "    - {type: webhook, url: 'http://x', secret: {env: NONE}}",
      "    - {type: command, command: [no-such-program]}",
      "recovery: {restart_command: [no-such-program]}",
      "health: {services: {web: {command: [no-such-program]}}}",
      "",
    ];
    expect(await strictly(text.join("\n"))).toEqual([
      { rule: "folder-writable", path: "alerts.channels[1].path", line: 4 },
      { rule: "secret-available", path: "alerts.channels[2].secret", line: 5 },
      { rule: "command-available", path: "alerts.channels[3].command[0]", line: 6 },
      { rule: "command-available", path: "recovery.restart_command[0]", line: 7 },
      { rule: "command-available", path: "health.services.web.command[0]", line: 8 },
    ]);
  });

  test("a server that answers", async () => {
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const text = `vector_store: {config: {host: 127.0.0.1, port: ${port}}}\n`;
    expect(await strictly(text)).toEqual([]);
    await new Promise((resolve) => server.close(resolve));
    expect(await strictly(text)).toEqual([
      { rule: "server-reachable", path: "vector_store.config.host", line: 1 },
    ]);
  });

  test("a command that can be run", async () => {
    const text = (program: string): string => `vector_store: {config: {command: [${program}]}}\n`;
    const program = join(folder, "chroma");
    writeFileSync(program, "#!/bin/sh\n");
    const rule = "command-available";
    const missing = [{ rule, path: "vector_store.config.command[0]", line: 1 }];
    expect(await strictly(text(program))).toEqual(missing);
    chmodSync(program, 0o755);
    expect(await strictly(text(program))).toEqual([]);
    expect(await strictly(text("chroma"), { PATH: "/nowhere" })).toEqual(missing);
    expect(await strictly(text("chroma"), { PATH: `/nowhere:${folder}` })).toEqual([]);
    // A folder of PATH that cannot be looked into ended the check with the system's error.
    symlinkSync("loop", join(folder, "loop"));
    expect(await strictly(text("chroma"), { PATH: join(folder, "loop") })).toEqual(missing);
  });

  test("and nothing of it is looked at otherwise", async () => {
    const file = join(folder, "holdfast.yaml");
    const text = "vector_store: {config: {host: 127.0.0.1, port: 9, token: {env: NONE}}}\n";
    expect((await validateConfig(text, { file, environment: {} })).findings).toEqual([]);
  });
});

test("the overlay of the file's environment is part of it, and findings name it", async () => {
  const file = join(folder, "holdfast.yaml");
  const overlay = join(folder, "holdfast.staging.yaml");
  writeFileSync(overlay, "outbox:\n  wait: soon\n");
  const staging = await validateConfig("environment: staging\n", { file, environment: {} });
  expect(staging.findings).toMatchObject([{ file: overlay, line: 2, column: 9 }]);
  expect([...staging.texts.keys()]).toEqual([file, overlay]);
  expect((await validateConfig("", { file, environment: {} })).findings).toEqual([]);
});

// With a scan of the text for each finding it would take minutes.
test("a file of 10,000 lines, all of them wrong, has a finding on each", async () => {
  const lines = Array.from({ length: 10_000 }, (_, at) => `  key_${at}: wrong`);
  const text = `outbox:\n${lines.join("\n")}\n`;
  const { findings } = await validateConfig(text, { file: join(folder, "f"), environment: {} });
  expect(findings).toHaveLength(10_000);
  expect(findings.at(-1)).toMatchObject({ line: 10_001, column: 3 });
});
