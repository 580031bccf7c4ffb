import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ManagedServer, type ManagedServerOptions } from "@holdfast/chroma";
import { type Clock, systemClock } from "@holdfast/core";
import { isRunning } from "@holdfast/sqlite";

export const FAKE: string = fileURLToPath(new URL("fixtures/fake-chroma.ts", import.meta.url));

/** A folder for a data directory, and managers of servers on it that only look like Chroma. */
export class ServerBench implements AsyncDisposable {
  readonly scratch: string = mkdtempSync(join(tmpdir(), "holdfast-server-"));
  readonly data: string = join(this.scratch, "data");
  readonly #servers: ManagedServer[] = [];

  fake(
    behaviour: string,
    version = "1.4.4",
    options: Partial<ManagedServerOptions> = {},
    clock: Clock = systemClock,
  ): ManagedServer {
    const command = [process.execPath, FAKE, behaviour, version];
    return this.keep(
      new ManagedServer(
        { dataDirectory: this.data, command, stopTimeoutMs: 200, lockWaitMs: 0, ...options },
        { clock },
      ),
    );
  }

  /** It is stopped with the bench. */
  keep(server: ManagedServer): ManagedServer {
    this.#servers.push(server);
    return server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers.splice(0)) await server.stop();
    rmSync(this.scratch, { recursive: true, force: true });
  }
}

export const isAlive = (pid: number | undefined): boolean => pid !== undefined && isRunning(pid);
