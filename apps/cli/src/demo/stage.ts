import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { managedEndpoint, ManagedServer, type InstallProgress } from "@holdfast/chroma";
import { loadConfig } from "@holdfast/config";
import { type Parts, wire } from "../wire.ts";
import { type Workspace, workspaceOf } from "../workspace.ts";

/**
 * A workspace in a temporary folder with a Chroma of its own. Whatever ends the process, its
 * server is ended and the folder removed.
 */
export class Stage implements AsyncDisposable {
  readonly folder: string = mkdtempSync(join(tmpdir(), "holdfast-demo-"));
  readonly workspace: Workspace;
  readonly dataDirectory: string;
  readonly #server: ManagedServer;
  readonly #onExit = (): void => this.#clearNow();
  #parts: Parts | undefined;

  constructor(tell: (progress: InstallProgress) => void) {
    process.once("exit", this.#onExit);
    const file = join(this.folder, "holdfast.yaml");
    writeFileSync(file, CONFIGURATION);
    this.workspace = workspaceOf(
      loadConfig({
        file,
        environment: {},
        workingDirectory: this.folder,
        userDataDirectory: this.folder,
      }),
    );
    this.dataDirectory = this.workspace.dataDirectory as string;
    this.#server = new ManagedServer({
      dataDirectory: this.dataDirectory,
      orphanMs: 60_000,
      find: { onProgress: tell },
    });
  }

  async open(): Promise<Parts> {
    this.#parts ??= await wire(this.workspace, {
      readSecret: () => "",
      endpoint: managedEndpoint(this.dataDirectory),
      background: true,
    });
    return this.#parts;
  }

  /** Starts Chroma with nobody to look after it. */
  async startServer(signal: AbortSignal): Promise<{ pid: number; version: string; port: number }> {
    const { pid, build, port } = await this.#server.start(signal);
    return { pid, version: build.version, port };
  }

  /** What a crash looks like: no warning, no clean-up. Resolves when the process is gone. */
  async killServer(): Promise<void> {
    const { pid } = this.#server.running ?? {};
    if (pid === undefined) return;
    const gone = new Promise<void>((resolve) => {
      const stop = this.#server.onCrash(() => {
        stop();
        resolve();
      });
    });
    process.kill(pid, "SIGKILL");
    await gone;
  }

  async startKeeper(signal: AbortSignal): Promise<{ pid: number; port: number }> {
    const { pid, port } = await this.#server.start(signal);
    await this.#parts?.breaker.probeNow("canary");
    return { pid, port };
  }

  /** The worst case: server stopped, every file of the database deleted. */
  async destroyData(): Promise<void> {
    await this.#server.stop();
    rmSync(this.dataDirectory, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts?.close();
    await this.#server.stop();
    rmSync(this.folder, { recursive: true, force: true });
    process.off("exit", this.#onExit);
  }

  /** For an exit that nothing can wait for, as by a second Ctrl-C. */
  #clearNow(): void {
    const { pid } = this.#server.running ?? {};
    if (pid !== undefined) process.kill(pid, "SIGKILL");
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const CONFIGURATION = `config_version: 1
vector_store:
  config:
    collection_name: demo
    persist_directory: chroma
`;
