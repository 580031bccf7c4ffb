import { TriggerService, type TriggerDeps, type TriggerOptions } from "@holdfast/memory";
import type { NewMemory } from "../../src/memory-record.ts";

/** Memories that were handed to a memory, in order, with what its next calls fail with. */
export class RecordingMemory {
  readonly written: NewMemory[] = [];
  readonly batches: number[] = [];
  readonly failures: unknown[] = [];

  async addMany(items: readonly NewMemory[]): Promise<[]> {
    await Promise.resolve();
    const failure = this.failures.shift();
    if (failure !== undefined) throw failure;
    this.written.push(...items);
    this.batches.push(items.length);
    return [];
  }

  get texts(): string[] {
    return this.written.map(({ text }) => text);
  }
}

export function recorder(
  options: TriggerOptions = {},
  deps: Partial<Omit<TriggerDeps, "memory">> = {},
): { triggers: TriggerService; memory: RecordingMemory } {
  const memory = new RecordingMemory();
  return { triggers: new TriggerService(options, { memory, ...deps }), memory };
}
