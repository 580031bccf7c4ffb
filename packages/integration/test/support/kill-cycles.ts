import { inspectDataDirectory, quarantine } from "@holdfast/chroma";
import { seededRandom } from "@holdfast/core";
import type { Comparison, Memory, MemoryStatus } from "@holdfast/memory";
import { startChroma, type TestChroma } from "@holdfast/testkit";
import { openMemory } from "./open-memory.ts";
import { startWriter, type Writer } from "./writer-process.ts";

export interface KillCyclesOptions {
  cycles: number;
  writers: number;
  /** Decides how long each server lives. */
  seed: number;
  /** How long a server lives at least and at most before it is killed, in milliseconds. */
  lifeMs: readonly [number, number];
  log?: (line: string) => void;
}

export interface KillCyclesReport {
  /** Every receipt that any writer was given: id → text. */
  acknowledged: ReadonlyMap<string, string>;
  /** Acknowledged ids that the store does not hold with the acknowledged text, read one by one. */
  lost: readonly string[];
  /** Kills that left an index torn, found before the next start and rebuilt from the mirror. */
  torn: number;
  comparison: Comparison;
  status: MemoryStatus;
}

/**
 * Kills a real Chroma again and again while several processes write through it, starting it anew
 * each time as a keeper would: look at the directory first, move it aside when it is torn, rebuild.
 * At the end everything that was acknowledged is read back.
 */
export async function runKillCycles(options: KillCyclesOptions): Promise<KillCyclesReport> {
  const random = seededRandom(options.seed);
  const log = options.log ?? (() => undefined);
  await using chroma = await startChroma();
  const { dataDirectory } = chroma;
  await using memory = openMemory(dataDirectory, { breaker: { enabled: false } });
  const writers: Writer[] = [];
  let torn = 0;
  try {
    for (let n = 0; n < options.writers; n++) {
      const writer = await startWriter({ dataDirectory });
      writers.push(writer);
      writer.send({ do: "stream", prefix: `w${n}` });
    }
    for (let cycle = 1; cycle <= options.cycles; cycle++) {
      const [least, most] = options.lifeMs;
      const lifeMs = least + random.next() * (most - least);
      const draining = memory.drain();
      await new Promise((resolve) => setTimeout(resolve, lifeMs));
      await chroma.kill9();
      await draining;
      if (await bringBack(chroma, memory)) torn += 1;
      const { ledger } = memory.status();
      log(`cycle ${cycle}: lived ${lifeMs.toFixed(0)} ms, ${JSON.stringify(ledger)}, torn ${torn}`);
      if (ledger.residual !== 0) throw new Error(`the ledger does not balance in cycle ${cycle}`);
    }
    for (const writer of writers) writer.send({ do: "stop" });
    await Promise.all(
      writers.map((writer) => writer.answer((answer) => answer["stopped"] === true)),
    );
  } finally {
    for (const writer of writers) writer.close();
    await Promise.all(writers.map((writer) => writer.ended()));
  }
  return await settle(memory, writers, torn);
}

/** True when the kill had torn the store. */
async function bringBack(chroma: TestChroma, memory: Memory): Promise<boolean> {
  const { damaged, findings } = inspectDataDirectory(chroma.dataDirectory);
  if (damaged) {
    quarantine(chroma.dataDirectory, { reason: "torn by a kill", evidence: findings });
  }
  await chroma.restart();
  if (damaged) await memory.rebuild();
  return damaged;
}

async function settle(
  memory: Memory,
  writers: readonly Writer[],
  torn: number,
): Promise<KillCyclesReport> {
  for (let attempt = 0; attempt < 100; attempt++) {
    if ((await memory.drain()).queued === 0) break;
  }
  const acknowledged = new Map<string, string>();
  for (const { answers } of writers) {
    for (const { id, text } of answers) {
      if (typeof id === "string") acknowledged.set(id, String(text));
    }
  }
  const lost: string[] = [];
  for (const [id, text] of acknowledged) {
    const { memory: found, degraded } = await memory.get(id);
    if (degraded || found?.text !== text || found.durability !== "stored") lost.push(id);
  }
  const comparison = await memory.compare();
  return { acknowledged, lost, torn, comparison, status: memory.status() };
}
