import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { BIN, NODE_OPTIONS, Sandbox } from "./run-cli.ts";

jest.setTimeout(180_000);

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = new Sandbox();
  await sandbox.run(["init"]);
  await sandbox.run(["memory", "add", "Ada likes blue", "--user", "ada", "--wait", "0"]);
});
afterAll(async () => {
  await sandbox.run(["server", "stop"]);
  sandbox.remove();
});

/** Runs the CLI on a terminal, and types `keys` as soon as it shows `cue`. */
async function onTerminal(
  args: readonly string[],
  { cue, keys }: { cue: RegExp; keys: string },
): Promise<{ status: number | null; shown: string }> {
  const line = [process.execPath, ...NODE_OPTIONS, BIN, ...args].join(" ");
  const child = spawn("script", ["-qec", line, "/dev/null"], {
    cwd: sandbox.folder,
    env: { ...sandbox.environment, TERM: "xterm" },
    stdio: ["pipe", "pipe", "inherit"],
  });
  let shown = "";
  let typed = false;
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    shown += text;
    if (!typed && cue.test(shown)) {
      typed = true;
      child.stdin.write(keys);
    }
  });
  const [status] = (await once(child, "close")) as [number | null];
  return { status, shown: shown.replaceAll("\r", "") };
}

describe("a question, on a terminal as script(1) of util-linux makes one", () => {
  const forget = ["memory", "forget", "--user", "ada"];
  const cue = /\[y\/N\]/;

  test("Ctrl-C ends the command with 130, and nothing is done", async () => {
    const { status, shown } = await onTerminal(forget, { cue, keys: "\u0003" });
    expect(status).toBe(130);
    expect(shown).toContain("Ended by SIGINT");
    expect(shown).not.toContain("Unexpected");
  });

  test.each([
    ["Ctrl-D", "\u0004"],
    ["n", "n\n"],
    ["nothing but Enter", "\n"],
  ])("%s is no", async (_, keys) => {
    const { status, shown } = await onTerminal(forget, { cue, keys });
    expect(status).toBe(0);
    expect(shown).toContain("Nothing was forgotten.");
  });

  test("y is yes", async () => {
    const { json } = await sandbox.run(["memory", "list", "--json"]);
    expect(json.data.total).toBe(1);
    const { status, shown } = await onTerminal(forget, { cue, keys: "y\n" });
    expect(status).toBe(0);
    expect(shown).toContain("Forgot 1 memory");
  });
});

test("Ctrl-C while it reads stdin ends it with 130, and nothing is remembered", async () => {
  const child: ChildProcess = spawn(
    process.execPath,
    [...NODE_OPTIONS, BIN, "memory", "add", "-"],
    { cwd: sandbox.folder, env: sandbox.environment, stdio: ["pipe", "ignore", "pipe"] },
  );
  // More than a pipe holds: once it is all written, the command is reading.
  await new Promise((resolve) => child.stdin?.write("half of it ".repeat(30_000), resolve));
  child.kill("SIGINT");
  const [status] = (await once(child, "close")) as [number | null];
  expect(status).toBe(130);
  const { stdout } = await sandbox.run(["memory", "list"]);
  expect(stdout).not.toContain("half of it");
});

// The screen stayed the monitor's own, without a cursor, and hid why it had ended.
test("a monitor that cannot listen says so on the terminal as it was", async () => {
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  const { port } = taken.address() as AddressInfo;
  const { status, shown } = await onTerminal(
    ["memory", "monitor", "--no-recover", "--listen", String(port)],
    { cue: /never/, keys: "" },
  );
  taken.close();
  expect(status).toBe(1);
  expect(shown).toContain("cannot be listened on");
  expect(shown.split("\u001B[?1049h").length).toBe(shown.split("\u001B[?1049l").length);
});
