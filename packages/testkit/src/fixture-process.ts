import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A TypeScript file that runs as a process of its own, with imports resolved to source. */
export interface FixtureProcess extends AsyncDisposable {
  readonly pid: number;
  /** Everything it wrote to standard error so far. */
  readonly stderr: string;
  /** The next line of its standard output. Rejects when it ends without one. */
  nextLine(): Promise<string>;
  /** The rest of its standard output, in lines, once it has ended. */
  restOfLines(): Promise<string[]>;
  send(line: string): void;
  kill(signal: NodeJS.Signals): void;
  /** Resolves when it has ended. */
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** Kills it, if it lives, and resolves when it is gone. */
  stop(): Promise<void>;
}

/** Starts `file` with `arguments_`; its environment is ours and `environment`. */
export function startFixture(
  file: URL | string,
  arguments_: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
): FixtureProcess {
  const path = typeof file === "string" ? file : fileURLToPath(file);
  const child = spawn(
    process.execPath,
    ["--conditions=@holdfast/source", "--disable-warning=ExperimentalWarning", path, ...arguments_],
    { stdio: ["pipe", "pipe", "pipe"], env: { ...process.env, ...environment } },
  );
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString("utf8");
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ended = endOf(child);
  const stop = async (): Promise<void> => {
    child.kill("SIGKILL");
    await ended;
  };
  return {
    pid: child.pid ?? 0,
    get stderr() {
      return stderr;
    },
    async nextLine() {
      const next = await lines.next();
      if (next.done !== true) return next.value;
      const { code, signal } = await ended;
      throw new Error(`${path} ended (${signal ?? code}) without a line: ${stderr}`);
    },
    async restOfLines() {
      const rest: string[] = [];
      for (let next = await lines.next(); next.done !== true; next = await lines.next()) {
        rest.push(next.value);
      }
      return rest;
    },
    send: (line) => void child.stdin.write(`${line}\n`),
    kill: (signal) => void child.kill(signal),
    ended,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function endOf(
  child: ChildProcess,
): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ code, signal }));
  });
}
