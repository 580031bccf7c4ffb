import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { commands } from "../src/catalogue.ts";
import { BIN, NODE_OPTIONS, Sandbox } from "./run-cli.ts";

let sandbox: Sandbox;
beforeEach(() => void (sandbox = new Sandbox()));
afterEach(() => sandbox.remove());

test("an old Node is told so in one line", async () => {
  const pretend =
    "data:text/javascript,Object.defineProperty(process.versions,'node',{value:'20.11.1'})";
  const result = await sandbox.run([], { environment: { NODE_OPTIONS: `--import=${pretend}` } });
  expect(result).toMatchObject({ status: 1, stdout: "" });
  expect(result.stderr).toMatch(/^holdfast needs Node 22\.16 .* this is 20\.11\.1.*\n$/);
});

// Node ended it with 0, as if it were done.
test("a command that nothing keeps awake has not ended well", () => {
  const fixture = join(import.meta.dirname, "fixtures/ends-early.ts");
  const flags = ["--conditions=@holdfast/source", "--disable-warning=ExperimentalWarning"];
  const { status, stderr } = spawnSync(process.execPath, [...flags, fixture], { encoding: "utf8" });
  expect({ status, stderr }).toEqual({
    status: 1,
    stderr: "error: It ended before it was done, which is a bug: please report it\n",
  });
});

test("--version, in each of its ways", async () => {
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  expect(await sandbox.run(["--version"])).toMatchObject({ status: 0, stdout: `${version}\n` });
  const { json } = await sandbox.run(["--version", "--json"]);
  expect(json).toMatchObject({ ok: true, data: { version } });
});

test.each(commands.map((entry) => [entry.name]))(
  "%s --help shows an example first",
  async (name) => {
    const { status, stdout } = await sandbox.run([...name.split(" "), "--help"]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^Examples?:\n {2}\$ .*holdfast/);
    expect(stdout).toContain(`Usage: holdfast ${name}`);
    expect(stdout).toContain("--json");
  },
);

test("help, before the command's words, among them, and behind them", async () => {
  const behind = await sandbox.run(["memory", "policy", "add", "--help"]);
  expect(await sandbox.run(["help", "policy", "add"])).toEqual(behind);
  expect(await sandbox.run(["memory", "policy", "help", "add"])).toEqual(behind);
  expect(await sandbox.run(["policy", "help", "add"])).toEqual(behind);
  expect((await sandbox.run(["help"])).stdout).toContain("Usage: holdfast [options] <command>");
  expect(await sandbox.run(["help", "nonsense"])).toMatchObject({ status: 2 });
});

describe("init", () => {
  test("makes a workspace whose configuration is valid, and says what next", async () => {
    const made = await sandbox.run(["init"]);
    expect(made).toMatchObject({ status: 0, stderr: "" });
    expect(made.stdout).toContain("holdfast memory add");
    expect(readFileSync(join(sandbox.folder, ".holdfast/.gitignore"), "utf8")).toBe("*\n");
    expect(statSync(join(sandbox.folder, ".holdfast")).mode & 0o777).toBe(0o700);
  });

  test("never overwrites", async () => {
    writeFileSync(join(sandbox.folder, "holdfast.yaml"), "mine");
    const again = await sandbox.run(["init", "--json"]);
    expect(again).toMatchObject({
      status: 1,
      json: { ok: false, error: { code: "WORKSPACE_EXISTS" } },
    });
    expect(readFileSync(join(sandbox.folder, "holdfast.yaml"), "utf8")).toBe("mine");
  });

  test("in another folder, which it creates", async () => {
    const { json } = await sandbox.run(["init", "a/b", "--json"]);
    expect(json.data.file).toBe(join(sandbox.folder, "a/b/holdfast.yaml"));
    expect(statSync(json.data.file).isFile()).toBe(true);
  });

  test("where it cannot write, it says so and leaves nothing", async () => {
    writeFileSync(join(sandbox.folder, "file"), "");
    const { status, stderr } = await sandbox.run(["init", "file/x"]);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^error: No workspace can be made in .*\nnext: .*holdfast init FOLDER/);
  });
});

describe("a wrong command line: what, and the next command, exit 2", () => {
  test.each([
    [["nonsense"], "unknown command 'nonsense'", "holdfast --help"],
    [["initt"], "unknown command 'initt'", "Did you mean init?"],
    [["init", "--jsn"], "unknown option '--jsn'", "Did you mean --json?"],
    [["init", "a", "b"], "too many arguments", "holdfast init --help"],
    [["completion"], "missing required argument 'shell'", "holdfast completion --help"],
    [["completion", "tcsh"], "bash, zsh, fish", "holdfast completion --help"],
    [["init", "--config"], "argument missing", "holdfast init --help"],
    [["health", "--interval", "9s"], "--interval is between two looks of --watch", "Add --watch"],
    [["health", "--force"], "--force replaces the file of --report", "Add --report FILE"],
  ])("%j", async (args, message, next) => {
    const told = await sandbox.run(args);
    expect(told).toMatchObject({ status: 2, stdout: "" });
    expect(told.stderr).toMatch(/^error: .*\nnext: .*\n$/);
    expect(told.stderr).toContain(message);
    expect(told.stderr).toContain(next);
    // `--config` would take `--json` for its value.
    const { status, json } = await sandbox.run(["--json", ...args]);
    expect({ status, json }).toMatchObject({
      status: 2,
      json: { ok: false, error: { code: "USAGE" } },
    });
  });

  test("nothing at all shows the help on stderr", async () => {
    const { status, stdout, stderr } = await sandbox.run([]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toContain("Usage: holdfast");
    expect((await sandbox.run(["--json"])).json.error.message).toBe("No command was given");
  });
});

describe("completion", () => {
  test("bash completes commands, then their options", async () => {
    const { stdout } = await sandbox.run(["completion", "bash"]);
    const complete = (line: string): string => {
      const words = line.split(" ");
      const script = `${stdout}\nCOMP_WORDS=(${words.map((w) => `"${w}"`).join(" ")})
COMP_CWORD=${words.length - 1}; _holdfast; echo "\${COMPREPLY[*]}"`;
      return execFileSync("bash", ["-c", script], { encoding: "utf8" }).trim();
    };
    expect(complete("holdfast in")).toBe("init");
    expect(complete("holdfast completion --js")).toBe("--json");
    expect(complete("holdfast completion b")).toBe("bash");
    expect(complete("holdfast memory quarantine ")).toMatch(/^list prune --config/);
    expect(complete("holdfast --env staging memory backup ve")).toBe("verify");
    expect(complete("holdfast memory deploy holdfast.yaml --b")).toBe("--backup");
    expect(complete("holdfast pol")).toBe("policy");
    expect(complete("holdfast policy rep")).toBe("replay");
    expect(complete("holdfast health --export op")).toBe("openmetrics");
    // A file, which is the shell's to offer.
    expect(complete("holdfast health --report ")).toBe("");
    for (const { name } of commands) {
      const last = name.split(" ").at(-1) ?? "";
      expect(complete(`holdfast ${name}`).split("\n").join(" ").split(" ")).toContain(last);
    }
  });

  test.each(["zsh", "fish"])("%s names every command", async (shell) => {
    const { status, stdout } = await sandbox.run(["completion", shell]);
    expect(status).toBe(0);
    for (const { name } of commands) expect(stdout).toContain(name.replaceAll(" ", "/"));
  });
});

const OFFERED: readonly (readonly [line: string, offered: string])[] = [
  ["holdfast memory quar", "quarantine"],
  ["holdfast --env staging memory backup ve", "verify"],
  ["holdfast pol", "policy"],
  ["holdfast policy rep", "replay"],
  ["holdfast completion z", "zsh"],
  ["holdfast health --detailed --export op", "openmetrics"],
];
const hasZsh = spawnSync("zsh", ["--version"]).status === 0;
const hasFish = spawnSync("fish", ["--version"]).status === 0;

(hasZsh ? describe : describe.skip)("zsh, where it is on PATH", () => {
  test.each(OFFERED)("completes %j with %s", async (line, offered) => {
    const { stdout } = await sandbox.run(["completion", "zsh"]);
    const words = line.split(" ");
    const script = `compdef() { : }; _describe() { print -l -- "\${(@P)2}" }
${stdout}
words=(${words.map((word) => `"${word}"`).join(" ")}); CURRENT=${words.length}; _holdfast`;
    const out = execFileSync("zsh", ["-f", "-c", script], { encoding: "utf8" });
    const begun = out.split("\n").filter((each) => each.startsWith(words.at(-1) ?? ""));
    expect(begun.map((each) => each.split(":")[0])).toEqual([offered]);
  });

  // The first TAB of a session only loaded it.
  test("completes at once where it lies in a folder of fpath, as its help has it", async () => {
    const { stdout } = await sandbox.run(["completion", "zsh"]);
    writeFileSync(join(sandbox.folder, "_holdfast"), stdout);
    const script = `fpath=(${sandbox.folder} $fpath); autoload -Uz compinit; compinit -D -u
_describe() { print -l -- "\${(@P)2}" }; words=(holdfast memory ba); CURRENT=3; _holdfast`;
    expect(execFileSync("zsh", ["-f", "-c", script], { encoding: "utf8" })).toMatch(/^backup:/m);
  });
});

(hasFish ? describe : describe.skip)("fish, where it is on PATH", () => {
  test.each(OFFERED)("completes %j with %s", async (line, offered) => {
    const { stdout } = await sandbox.run(["completion", "fish"]);
    const script = `${stdout}\ncomplete -C "${line}"`;
    const options = {
      cwd: sandbox.folder,
      env: { ...sandbox.environment },
      encoding: "utf8",
    } as const;
    const out = spawnSync("fish", ["--no-config", "-c", script], options);
    expect(out.stderr).toBe("");
    expect(out.stdout.trim().split("\t")[0]).toBe(offered);
  });
});

test("a reader that leaves early is no failure", () => {
  const line = `"$0" ${NODE_OPTIONS.join(" ")} ${BIN} --help | head -1; echo "\${PIPESTATUS[0]}"`;
  const out = execFileSync("bash", ["-c", line, process.execPath], { encoding: "utf8" });
  expect(out).toBe("Examples:\n0\n");
});

test("a command that goes on ends well, and cleans up, when its reader has left", () => {
  const line = `"$0" ${NODE_OPTIONS.join(" ")} ${BIN} health --watch --interval 100ms | head -1; echo "\${PIPESTATUS[0]}"`;
  const out = execFileSync("bash", ["-c", line, process.execPath], {
    cwd: sandbox.folder,
    env: sandbox.environment,
    encoding: "utf8",
  });
  expect(out).toMatch(/\n0\n$/);
});

const whenFull = existsSync("/dev/full") ? describe : describe.skip;

whenFull("on a full disk", () => {
  test("an answer that cannot be written is an error of one line", () => {
    const line = `"$0" ${NODE_OPTIONS.join(" ")} ${BIN} --help 2>&1 >/dev/full; echo "$?"`;
    const out = execFileSync("bash", ["-c", line, process.execPath], { encoding: "utf8" });
    expect(out).toMatch(/^error: The answer cannot be written: ENOSPC.*\n1\n$/);
  });
});
