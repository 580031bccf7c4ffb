import { SqliteError } from "@holdfast/sqlite";
import type { KeeperDatabase } from "./keeper-database.ts";
import type { KeeperLogger } from "./keeper-log.ts";

/**
 * What a keeper says in its database while it keeps. That a full disk takes none of it is no reason
 * to stop a server that can still be read.
 */
export class KeeperWords {
  readonly #database: KeeperDatabase;
  readonly #logger: KeeperLogger;
  #heard = true;

  constructor(database: KeeperDatabase, logger: KeeperLogger) {
    this.#database = database;
    this.#logger = logger;
  }

  /** What `say` returned; undefined when the disk did not take it. @throws what is no fault of it. */
  say<T>(say: (database: KeeperDatabase) => T): T | undefined {
    try {
      const result = say(this.#database);
      this.#heard = true;
      return result;
    } catch (error) {
      if (!(error instanceof SqliteError)) throw error;
      // Once: it is tried again four times a second.
      if (this.#heard) this.#logger.warn({ error }, "others cannot be told how the store is");
      this.#heard = false;
      return undefined;
    }
  }
}
