import { execFile } from "node:child_process";
import { lstat, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "@jest/globals";
import { systemClock } from "@holdfast/core";
import { createChannel } from "@holdfast/notify";
import { notice } from "./notice.ts";

test("the console gets one line, and cannot be steered by it", async () => {
  const lines: string[] = [];
  const channel = createChannel({ type: "console" }, { write: (text) => lines.push(text) });
  await channel.send(notice({ message: "no\u001b[2Janswer\nfrom it", count: 3 }));
  await channel.send(notice({ state: "resolved", title: "Chroma answers" }));
  expect(lines).toEqual([
    "2026-01-01T00:00:00.000Z CRITICAL Chroma is away (3 times): no\\u001b[2Janswer\\u000afrom it\n",
    "2026-01-01T00:00:00.000Z RESOLVED Chroma answers\n",
  ]);
});

test("the file is the owner's, a line each, and rotated with a bound", async () => {
  await using folder = await temporary();
  const path = join(folder.path, "alerts.jsonl");
  await writeFile(path, "", { mode: 0o644 });
  const channel = createChannel({ type: "file", path, bytesMax: 500, keep: 2 });
  for (let number = 0; number < 20; number += 1) await channel.send(notice({ id: `n-${number}` }));
  const names = (await readdir(folder.path)).toSorted();
  expect(names).toEqual(["alerts.jsonl.1", "alerts.jsonl.2"]);
  for (const name of names) expect((await lstat(join(folder.path, name))).mode & 0o777).toBe(0o600);
  const lines = (await readFile(`${path}.1`, "utf8")).trimEnd().split("\n");
  expect(JSON.parse(lines.at(-1) ?? "")).toEqual(notice({ id: "n-19" }));
});

test("what is told while another rotates the file is no failure", async () => {
  await using folder = await temporary();
  const path = join(folder.path, "alerts.jsonl");
  const channels = Array.from({ length: 8 }, () =>
    createChannel({ type: "file", path, bytesMax: 1, keep: 3 }),
  );
  for (let round = 0; round < 25; round += 1)
    await Promise.all(channels.map((channel) => channel.send(notice())));
  for (const name of await readdir(folder.path)) {
    const lines = (await readFile(join(folder.path, name), "utf8")).trimEnd().split("\n");
    for (const line of lines) expect(JSON.parse(line)).toEqual(notice());
  }
});

test("a line that the disk takes only in part is no delivery", async () => {
  await using folder = await temporary();
  const path = join(folder.path, "alerts.jsonl");
  const send = `
    import { createChannel } from "@holdfast/notify";
    process.on("SIGXFSZ", () => undefined);
    const told = JSON.parse(process.argv[1]);
    await createChannel({ type: "file", path: process.argv[2] }).send(told).then(
      () => console.log("delivered"),
      ({ code, message }) => console.log(code, message),
    );`;
  const told = JSON.stringify(notice({ message: "x".repeat(3_000) }));
  const node = `"$0" --conditions=@holdfast/source --input-type=module -e "$1" "$2" "$3"`;
  // Blocks of 1024 bytes: the first of them is all that fits.
  const { stdout } = await promisify(execFile)(
    "bash",
    ["-c", `ulimit -f 1; exec ${node}`, process.execPath, send, told, path],
    { cwd: import.meta.dirname },
  );
  expect((await lstat(path)).size).toBeLessThan(3_000);
  expect(stdout).toMatch(/^NOTICE_UNDELIVERED .*EFBIG/);
});

test("a link in the file's place is not followed", async () => {
  await using folder = await temporary();
  const target = join(folder.path, "target");
  await writeFile(target, "mine");
  await symlink(target, join(folder.path, "alerts"));
  const channel = createChannel({ type: "file", path: join(folder.path, "alerts") });
  await expect(channel.send(notice())).rejects.toMatchObject({ code: "NOTICE_UNDELIVERED" });
  expect(await readFile(target, "utf8")).toBe("mine");
});

test("a command gets the notification on stdin and in its environment, and no shell its arguments", async () => {
  await using folder = await temporary();
  const script = join(folder.path, "script.mjs");
  const output = join(folder.path, "out.json");
  await writeFile(
    script,
    `import { readFileSync, writeFileSync } from "node:fs";
    const { HOLDFAST_NOTICE, HOLDFAST_SEVERITY, HOLDFAST_STATE } = process.env;
    const given = JSON.parse(readFileSync(0, "utf8"));
    const all = { given, argument: process.argv[3], HOLDFAST_NOTICE, HOLDFAST_SEVERITY, HOLDFAST_STATE };
    writeFileSync(process.argv[2], JSON.stringify(all));`,
  );
  const command = [process.execPath, script, output, "$(touch x); `y`"];
  await createChannel({ type: "command", command }).send(notice());
  expect(JSON.parse(await readFile(output, "utf8"))).toEqual({
    given: notice(),
    argument: "$(touch x); `y`",
    HOLDFAST_NOTICE: "2026-01-01T00:00:00.000Z CRITICAL Chroma is away",
    HOLDFAST_SEVERITY: "critical",
    HOLDFAST_STATE: "firing",
  });
});

test("a command that fails says why, within a bound; one that is missing says so", async () => {
  const failing = [
    process.execPath,
    "-e",
    "console.error('x'.repeat(1e5), 'why'); process.exit(3)",
  ];
  const error = await createChannel({ type: "command", command: failing })
    .send(notice())
    .catch((thrown: Error) => thrown);
  expect(error).toMatchObject({ code: "NOTICE_UNDELIVERED", retryable: true });
  expect((error as Error).message).toMatch(/ended with 3: x+ why$/);
  expect((error as Error).message.length).toBeLessThan(2_200);
  const missing = createChannel({ type: "command", command: ["/nowhere/at-all"] });
  await expect(missing.send(notice())).rejects.toMatchObject({ code: "NOTICE_UNDELIVERED" });
});

// The process ended by an error that nobody listened for.
test("a command for which there is no file descriptor left is no delivery", async () => {
  const send = `
    import { openSync } from "node:fs";
    import { createChannel } from "@holdfast/notify";
    const channel = createChannel({ type: "command", command: ["true"] });
    const open = () => { for (;;) openSync("/dev/null"); };
    try { open(); } catch {}
    await channel.send(JSON.parse(process.argv[1])).then(
      () => console.log("delivered"),
      ({ code, message }) => console.log(code, message),
    );`;
  const node = `"$0" --conditions=@holdfast/source --input-type=module -e "$1" "$2"`;
  const { stdout } = await promisify(execFile)(
    "bash",
    ["-c", `ulimit -n 64; exec ${node}`, process.execPath, send, JSON.stringify(notice())],
    { cwd: import.meta.dirname },
  );
  expect(stdout).toMatch(/^NOTICE_UNDELIVERED true cannot be run: .*EMFILE/);
});

test("of many commands that fail at once, each says why", async () => {
  const channel = createChannel({
    type: "command",
    command: ["sh", "-c", "echo why >&2; exit 3"],
  });
  const errors = await Promise.all(
    Array.from({ length: 16 }, () => channel.send(notice()).catch((thrown: Error) => thrown)),
  );
  expect(new Set(errors.map((error) => (error as Error).message))).toEqual(
    new Set(["sh ended with 3: why"]),
  );
});

test("a command that hangs is killed at its time limit, with what it started", async () => {
  await using folder = await temporary();
  const pids = join(folder.path, "pids");
  const hang = "setInterval(() => {}, 1000)";
  const script = `const child = require("node:child_process").spawn(process.execPath, ["-e", ${JSON.stringify(hang)}]);
    require("node:fs").writeFileSync(${JSON.stringify(pids)}, process.pid + " " + child.pid); ${hang}`;
  const command = [process.execPath, "-e", script];
  // Its time is over as soon as it hangs.
  const clock = { ...systemClock, sleep: () => written(pids) };
  const channel = createChannel({ type: "command", command, timeoutMs: 3_000 }, { clock });
  await expect(channel.send(notice())).rejects.toMatchObject({ code: "NOTICE_TIMEOUT" });
  for (const pid of (await readFile(pids, "utf8")).split(" ")) await gone(Number(pid));
});

test("a command or a file without a name is refused when the channel is made", () => {
  for (const options of [
    { type: "command", command: [] },
    { type: "command", command: [""] },
    { type: "file", path: "" },
  ] as const)
    expect(() => createChannel(options)).toThrow(
      expect.objectContaining({ code: "CHANNEL_INVALID" }),
    );
});

async function temporary(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), "holdfast-notify-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

async function written(path: string): Promise<void> {
  while ((await readFile(path, "utf8").catch(() => "")) === "")
    await new Promise((resolve) => setTimeout(resolve, 20));
}

/** A killed process is gone, or a zombie that waits for whoever reaps it. */
async function gone(pid: number): Promise<void> {
  for (;;) {
    const state = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
    if (state === "" || / Z /.test(state)) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
