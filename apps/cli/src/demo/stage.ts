import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type InstallProgress,
  managedEndpoint,
  ManagedServer,
  readServerRecord,
} from "@holdfast/chroma";
import { loadConfig } from "@holdfast/config";
import { isRunning } from "@holdfast/sqlite";
import { stopKeeper } from "../keeper/control-keeper.ts";
import { keeperStatus } from "../keeper/keeper-status.ts";
import { ensureKeeper, type KeeperUse } from "../keeper/ensure-keeper.ts";
import { serverState } from "../server-state.ts";
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
  readonly #configFile: string;
  readonly #processes = new Set<number>();
  #parts: Parts | undefined;
  #use: KeeperUse | undefined;

  constructor(tell: (progress: InstallProgress) => void) {
    process.once("exit", this.#onExit);
    const file = join(this.folder, "holdfast.yaml");
    this.#configFile = file;
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
    this.#processes.add(pid);
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
    // A server is watched by what keeps no process awake.
    const awake = setInterval(() => undefined, 1_000);
    process.kill(pid, "SIGKILL");
    await gone;
    clearInterval(awake);
  }

  /** Lets the keeper have what this process only held back; resolves when the store answers. */
  async startKeeper(signal: AbortSignal): Promise<{ pid: number; port: number }> {
    this.#server.release();
    this.#use = await ensureKeeper({
      configFile: this.#configFile,
      fileAlone: true,
      dataDirectory: this.dataDirectory,
      signal,
    });
    const { pid = 0, port = 0 } = readServerRecord(this.dataDirectory) ?? {};
    const keeper = keeperStatus(this.dataDirectory);
    for (const each of [pid, keeper?.pid]) if (each !== undefined) this.#processes.add(each);
    return { pid, port };
  }

  /** The worst case: server stopped, every file of the database deleted. */
  async destroyData(): Promise<void> {
    this.#use?.release();
    await stopKeeper(this.dataDirectory);
    rmSync(this.dataDirectory, { recursive: true, force: true });
  }

  /** Worse: the mirror and the outbox as well. What was opened is closed. */
  async destroyEverything(): Promise<void> {
    await this.#parts?.close();
    this.#parts = undefined;
    await this.destroyData();
    rmSync(this.workspace.stateDirectory, { recursive: true, force: true });
  }

  /** Of all processes that were started for it, those that still run. */
  survivors(): number[] {
    return [...this.#processes].filter(isRunning);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts?.close();
    this.#use?.release();
    await this.#server.stop();
    await stopKeeper(this.dataDirectory);
    rmSync(this.folder, { recursive: true, force: true });
    process.off("exit", this.#onExit);
  }

  /** For an exit that nothing can wait for, as by a second Ctrl-C. */
  #clearNow(): void {
    // What it still holds would be written at the exit, into a folder that is gone.
    this.#parts?.metrics.close();
    const keeper = keeperStatus(this.dataDirectory);
    if (keeper?.running && keeper.pid !== undefined) process.kill(keeper.pid, "SIGKILL");
    const server = serverState(this.dataDirectory);
    if (server.running) process.kill(server.pid, "SIGKILL");
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The breaker's own wait is so long that it is over on no machine before the canary ends it. */
const CONFIGURATION = `config_version: 1
circuit_breaker:
  recovery_timeout: 10m
vector_store:
  config:
    collection_name: demo
    persist_directory: chroma
`;
