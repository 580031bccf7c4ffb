import type { LoadedConfig } from "@holdfast/config";
import type { Context } from "../context.ts";
import { pinKeeper, stopKeeper } from "../keeper/control-keeper.ts";
import { keeperStatus } from "../keeper/keeper-status.ts";
import { ensureKeeper } from "../keeper/ensure-keeper.ts";
import { keeperTeller } from "../keeper-teller.ts";
import { workspaceOf } from "../workspace.ts";

/**
 * Lets the keeper of a managed store run under the configuration that is in force now. It is ended
 * and started again: Chroma itself takes its settings only when it starts. Writes queue meanwhile.
 */
export class KeeperReload {
  readonly #context: Context;
  readonly #dataDirectory: string | undefined;
  readonly #before: { running: boolean; pinned: boolean };

  /** Notes how the keeper of `loaded` fares before anything changes. */
  constructor(loaded: LoadedConfig, context: Context) {
    this.#context = context;
    this.#dataDirectory = workspaceOf(loaded).dataDirectory;
    const status =
      this.#dataDirectory === undefined ? undefined : keeperStatus(this.#dataDirectory);
    this.#before = { running: status?.running === true, pinned: status?.pinned === true };
  }

  get needed(): boolean {
    return this.#before.running;
  }

  /** Ends it, so that whoever uses the store next starts it under what is in force then. */
  async end(): Promise<void> {
    if (this.#dataDirectory !== undefined) await stopKeeper(this.#dataDirectory);
  }

  /** Starts it again under `loaded` if it ran before, and then as it ran. */
  async restart(loaded: LoadedConfig | undefined): Promise<void> {
    const dataDirectory = this.#dataDirectory;
    if (!this.#before.running || dataDirectory === undefined || loaded === undefined) return;
    if (workspaceOf(loaded).dataDirectory !== dataDirectory) return;
    const { output } = this.#context;
    const use = await ensureKeeper({
      configFile: loaded.file,
      again: loaded.again,
      dataDirectory,
      onProgress: keeperTeller(output),
    });
    use.release();
    if (this.#before.pinned) pinKeeper(dataDirectory, true);
  }
}
