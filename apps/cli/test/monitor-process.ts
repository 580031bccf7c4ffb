import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { BIN, NODE_OPTIONS, type Sandbox } from "./run-cli.ts";

/** An event of `memory monitor --json`. */
// oxlint-disable-next-line typescript/no-explicit-any -- tests look into every shape
export type MonitorEvent = any;

/** A monitor that runs until it is stopped, which a test must do: `await using`. */
export class MonitorProcess implements AsyncDisposable {
  readonly events: MonitorEvent[] = [];
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #ended: Promise<unknown>;
  #hasEnded = false;
  #stderr = "";

  constructor(sandbox: Sandbox, args: readonly string[] = [], environment = {}) {
    this.#child = spawn(
      process.execPath,
      [...NODE_OPTIONS, BIN, "memory", "monitor", "--json", ...args],
      { cwd: sandbox.folder, env: { ...sandbox.environment, ...environment } },
    );
    // With all that it has said.
    this.#ended = once(this.#child, "close").then(() => (this.#hasEnded = true));
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => (this.#stderr += text));
    createInterface(this.#child.stdout).on("line", (line) => {
      this.events.push((JSON.parse(line) as { data: MonitorEvent }).data);
    });
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** Where `--listen` listens. */
  url(): Promise<string> {
    return this.until(() => /listening on (\S+)/.exec(this.#stderr)?.[1]);
  }

  /** Resolves with the first event of a type, from the `from`-th on, that `holds` holds of. */
  event(
    type: string,
    holds: (event: MonitorEvent) => boolean = () => true,
    from = 0,
  ): Promise<MonitorEvent> {
    return this.until(() =>
      this.events.slice(from).find((event) => event.type === type && holds(event)),
    );
  }

  /** What `look` finds as soon as it finds something. */
  async until<T>(look: () => T | undefined): Promise<T> {
    const deadline = performance.now() + 100_000;
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      if (this.#hasEnded || performance.now() > deadline) {
        throw new Error(`It never came: ${JSON.stringify(this.events.at(-1))} ${this.#stderr}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }

  async stop(): Promise<number | null> {
    this.#child.kill("SIGINT");
    await this.#ended;
    return this.#child.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
