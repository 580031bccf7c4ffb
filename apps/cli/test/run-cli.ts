import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** What is shipped, where it was built for the tests: it starts four times as fast as its sources. */
const built: boolean = process.env["HOLDFAST_TEST_BUILT"] === "1";
export const BIN: string = fileURLToPath(
  new URL(built ? "../dist/bin.js" : "../src/bin.ts", import.meta.url),
);
export const NODE_OPTIONS: readonly string[] = built ? [] : ["--conditions=@holdfast/source"];

export interface CliResult {
  status: number | null;
  stdout: string;
  stderr: string;
  /** The envelope, when stdout is one line of JSON. */
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into every shape
  json: any;
}

/** A user with an empty folder: own home, nothing set, no terminal. */
export class Sandbox {
  readonly folder: string = realpathSync(mkdtempSync(join(tmpdir(), "holdfast-cli-")));
  readonly environment: Record<string, string> = {
    PATH: process.env["PATH"] ?? "",
    HOME: join(this.folder, "home"),
    XDG_DATA_HOME: join(this.folder, "home/data"),
    // Tests count what they wrote; those of the triggers switch them on.
    HOLDFAST_TRIGGERS_ENABLED: "false",
    // A command that loads the default one's model takes four times as long. What the
    // documentation shows is run with it.
    HOLDFAST_EMBEDDER_PROVIDER: "hash",
    // A fetched server is worth keeping between tests.
    HOLDFAST_CACHE_DIR:
      process.env["HOLDFAST_CACHE_DIR"] ??
      join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "holdfast"),
  };

  async run(
    args: readonly string[],
    options: { input?: string | Buffer; environment?: Record<string, string>; cwd?: string } = {},
  ): Promise<CliResult> {
    const child = spawn(process.execPath, [...NODE_OPTIONS, BIN, ...args], {
      cwd: options.cwd ?? this.folder,
      env: { ...this.environment, ...options.environment },
    });
    // A command may well end before it has read all of it.
    child.stdin.on("error", () => undefined).end(options.input ?? "");
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    const status = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    return { status, stdout, stderr, json: envelope(stdout) };
  }

  /** On a busy machine a server may take longer to start than a write waits for it. */
  waitForServer(): void {
    this.environment["HOLDFAST_OUTBOX_WAIT"] = "90s";
  }

  /** With it go the keepers and servers of whatever workspaces were made in it. */
  remove(): void {
    spawnSync("pkill", ["-KILL", "-f", this.folder]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function envelope(stdout: string): unknown {
  if (!stdout.startsWith('{"schema":') || stdout.trimEnd().includes("\n")) return undefined;
  return JSON.parse(stdout);
}
