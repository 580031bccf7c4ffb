import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after } from "./scratch.ts";

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stderr: string;
}

/** A fixture running in a process of its own, which does not outlive the test. */
export class Child {
  readonly process: ChildProcessWithoutNullStreams;
  readonly lines: string[] = [];
  readonly ended: Promise<Ended>;
  #stderr = "";

  constructor(fixture: string, ...args: string[]) {
    const script = join(import.meta.dirname, "fixtures", fixture);
    const flags = ["--conditions=@holdfast/source", "--disable-warning=ExperimentalWarning"];
    this.process = spawn(process.execPath, [...flags, script, ...args]);
    after(() => this.process.kill("SIGKILL"));
    this.process.stderr.on("data", (chunk: Buffer) => (this.#stderr += chunk.toString()));
    createInterface(this.process.stdout).on("line", (line) => this.lines.push(line));
    this.ended = once(this.process, "close").then(([code, signal]) => ({
      code: code as number | null,
      signal: signal as NodeJS.Signals | null,
      stderr: this.#stderr,
    }));
  }

  /** Resolves when so many lines were printed; rejects when the process ends before. */
  async printed(lines: number): Promise<void> {
    while (this.lines.length < lines) {
      const how = await Promise.race([once(this.process.stdout, "data"), this.ended]);
      if (!Array.isArray(how)) throw new Error(`The fixture ended: ${how.stderr}`);
      await new Promise(setImmediate);
    }
  }
}
