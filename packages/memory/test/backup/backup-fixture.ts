import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { CircuitBreaker } from "@holdfast/breaker";
import {
  type BackupDeps,
  type Backups,
  breakerOutcome,
  createBackups,
  type Filter,
  type Memory,
  type MemoryOptions,
  type MemoryRecord,
} from "@holdfast/memory";
import { type Workspace, workspace } from "../fixture.ts";

export interface BackupWorkspace extends Workspace {
  /** A folder for backups. */
  folder: string;
  backups(deps?: Partial<BackupDeps>, options?: Partial<MemoryOptions>): Backups;
}

/** A workspace with backups; what it opens it closes. */
export function backupWorkspace(...args: Parameters<typeof workspace>): BackupWorkspace {
  const space = workspace(...args);
  const folder = join(space.directory, "backups");
  mkdirSync(folder);
  const opened: Backups[] = [];
  return {
    ...space,
    folder,
    backups(deps = {}, options = {}) {
      const breaker = new CircuitBreaker({ name: "test", classify: breakerOutcome });
      const backups = createBackups(
        { stateDirectory: space.directory, ...options },
        { store: space.store, embedder: space.embedder, breaker, ...deps },
      );
      opened.push(backups);
      return backups;
    },
    async [Symbol.asyncDispose]() {
      for (const backups of opened) await backups.close();
      await space[Symbol.asyncDispose]();
    },
  };
}

/** What is remembered, apart from when and where: id to text, metadata, scope, tags. */
export function remembered(memory: Memory, filter: Filter = {}): Record<string, unknown> {
  return Object.fromEntries(
    memory.list({ ...filter, limit: 10_000 }).memories.map((record) => [record.id, saying(record)]),
  );
}

function saying(record: MemoryRecord): unknown {
  const { text, metadata, scope, tags, createdAt, updatedAt, expiresAt } = record;
  return { text, metadata, scope, tags, createdAt, updatedAt, expiresAt };
}
