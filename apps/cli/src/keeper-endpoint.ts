import type { ManagedEndpoint } from "@holdfast/chroma";
import { HoldfastError } from "@holdfast/core";
import { StoreError } from "@holdfast/store";
import { ensureKeeper, type EnsureKeeperOptions, type KeeperUse } from "./keeper/ensure-keeper.ts";
import { keeperTeller } from "./keeper-teller.ts";
import type { Output } from "./output.ts";

export type KeeperEndpointOptions = Pick<
  EnsureKeeperOptions,
  "configFile" | "again" | "dataDirectory"
>;

/**
 * Where the managed server answers, with a keeper that is started when somebody first asks, and
 * held in use until `close`.
 */
export class KeeperEndpoint {
  readonly #options: KeeperEndpointOptions;
  readonly #output: Output;
  readonly #closing = new AbortController();
  #use: Promise<KeeperUse> | undefined;

  constructor(options: KeeperEndpointOptions, output: Output) {
    this.#options = options;
    this.#output = output;
  }

  /** @throws StoreError that says why there is no server. */
  async endpoint(): Promise<ManagedEndpoint> {
    const held = (this.#use ??= this.#ensure());
    try {
      return await (await held).endpoint();
    } catch (error) {
      // The next call may find a keeper, or start another; one that runs beside may have by now.
      if (this.#use === held) this.#use = undefined;
      await letGo(held);
      if (!(error instanceof HoldfastError)) throw error;
      throw new StoreError(error.message, {
        code: "STORE_UNAVAILABLE",
        hint: error.hint ?? "See why with: holdfast server status",
        cause: error,
      });
    }
  }

  /** Stops waiting for a keeper, and no longer holds one in use. */
  async close(): Promise<void> {
    this.#closing.abort(closed());
    await letGo(this.#use);
  }

  #ensure(): Promise<KeeperUse> {
    return ensureKeeper({
      ...this.#options,
      signal: this.#closing.signal,
      onProgress: keeperTeller(this.#output),
    });
  }
}

async function letGo(held: Promise<KeeperUse> | undefined): Promise<void> {
  const use = await held?.catch((error: unknown) => {
    if (!(error instanceof HoldfastError)) throw error;
    return undefined;
  });
  use?.release();
}

function closed(): HoldfastError {
  return new HoldfastError("The command ended before Chroma was ready", {
    code: "KEEPER_UNAWAITED",
    retryable: true,
  });
}
