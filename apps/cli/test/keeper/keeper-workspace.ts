import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { managedEndpoint } from "@holdfast/chroma";
import { loadConfig } from "@holdfast/config";
import { stopKeeper } from "../../src/keeper/control-keeper.ts";
import {
  ensureKeeper,
  type EnsureKeeperOptions,
  type KeeperUse,
} from "../../src/keeper/ensure-keeper.ts";
import { type Parts, wire } from "../../src/wire.ts";
import { type Workspace, workspaceOf } from "../../src/workspace.ts";

/** A folder with a configuration and a managed data directory, and what was opened on it. */
export class KeeperWorkspace implements AsyncDisposable {
  readonly folder: string;
  readonly configFile: string;
  readonly dataDirectory: string;
  readonly #workspace: Workspace;
  readonly #opened: Parts[] = [];
  readonly #uses: KeeperUse[] = [];

  constructor(where: string = tmpdir()) {
    this.folder = realpathSync(mkdtempSync(join(where, "holdfast-keeper-")));
    this.configFile = join(this.folder, "holdfast.yaml");
    this.dataDirectory = join(this.folder, "chroma");
    writeFileSync(
      this.configFile,
      `vector_store: { config: { persist_directory: chroma, collection_name: notes } }
embedder: { provider: hash }
`,
    );
    this.#workspace = workspaceOf(
      loadConfig({
        file: this.configFile,
        environment: {},
        workingDirectory: this.folder,
        userDataDirectory: this.folder,
      }),
    );
  }

  async ensure(options: Partial<EnsureKeeperOptions> = {}): Promise<KeeperUse> {
    const use = await ensureKeeper({
      configFile: this.configFile,
      dataDirectory: this.dataDirectory,
      ...options,
    });
    this.#uses.push(use);
    return use;
  }

  /** The workspace's parts, as a command opens them. */
  async open(): Promise<Parts> {
    const parts = await wire(this.#workspace, {
      readSecret: () => "",
      endpoint: managedEndpoint(this.dataDirectory),
      background: false,
    });
    this.#opened.push(parts);
    return parts;
  }

  /** Everything of this process is closed; keeper and server are ended. */
  async stop(): Promise<void> {
    for (const parts of this.#opened.splice(0)) await parts.close();
    for (const use of this.#uses.splice(0)) use.release();
    await stopKeeper(this.dataDirectory);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
