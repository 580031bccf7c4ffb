import { expect, test } from "@jest/globals";
import type { Memory } from "@holdfast/memory";
import * as fc from "fast-check";
import { unavailable, workspace, type Workspace } from "./fixture.ts";

/** How the store treats the calls that follow. */
type Weather = "fair" | "down" | "applies-and-fails" | "fails-now-and-then";

type Step =
  | { kind: "add"; id: string; text: string; tag: string; by: number }
  | { kind: "update"; id: string; text: string; by: number }
  | { kind: "forget"; id: string; by: number }
  | { kind: "drain"; by: number }
  | { kind: "reopen"; by: number }
  | { kind: "weather"; weather: Weather };

const id = fc.constantFrom("a", "b", "c", "d");
const text = fc.string({ minLength: 1, maxLength: 12, unit: "grapheme" });
const by = fc.constantFrom(0, 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("add"),
      id,
      text,
      tag: fc.constantFrom("x", "y"),
      by,
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("update"), id, text, by }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("forget"), id, by }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("drain"), by }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("reopen"), by }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("weather"),
      weather: fc.constantFrom<Weather>("fair", "down", "applies-and-fails", "fails-now-and-then"),
    }),
  },
) as fc.Arbitrary<Step>;

test("whatever the store does, two processes end with exactly what was acknowledged", async () => {
  const seed = Date.now() % 2 ** 31;
  const property = fc.asyncProperty(
    fc.array(step, { minLength: 1, maxLength: 25 }),
    async (steps) => {
      await using space = workspace();
      await play(space, steps);
    },
  );
  // A failure's message holds the seed and the shortest steps that lead to it.
  await expect(fc.assert(property, { seed, numRuns: 120 })).resolves.toBeUndefined();
}, 300_000);

async function play(space: Workspace, steps: readonly Step[]): Promise<void> {
  const memories = [space.open(), space.open()];
  const model = new Map<string, string>();
  let accepted = 0;
  for (const next of steps) {
    const memory = "by" in next ? (memories[next.by] as Memory) : undefined;
    switch (next.kind) {
      case "add":
        await memory?.add(next.text, { id: next.id, tags: [next.tag] });
        model.set(next.id, next.text);
        accepted += 1;
        break;
      case "update":
        if (!model.has(next.id)) break;
        await memory?.update(next.id, { text: next.text });
        model.set(next.id, next.text);
        accepted += 1;
        break;
      case "forget":
        if (!model.has(next.id)) break;
        await memory?.forget([next.id]);
        model.delete(next.id);
        accepted += 1;
        break;
      case "drain":
        await memory?.drain();
        break;
      case "reopen":
        await memory?.close();
        memories[next.by] = space.open();
        break;
      case "weather":
        setWeather(space, next.weather);
    }
    expect(told(memories[0] as Memory)).toEqual(model);
    expect(told(memories[1] as Memory)).toEqual(model);
  }
  setWeather(space, "fair");
  const [memory] = memories as [Memory, Memory];
  await memory.drain();
  expect(memory.status().ledger).toMatchObject({
    accepted,
    stored: accepted,
    queued: 0,
    residual: 0,
  });
  if (accepted === 0) return;
  expect(await memory.compare()).toMatchObject({ equal: true, compared: model.size, foreign: 0 });
}

function told(memory: Memory): Map<string, string> {
  return new Map(memory.list().memories.map((record) => [record.id, record.text]));
}

function setWeather({ store }: Workspace, weather: Weather): void {
  let calls = 0;
  store.setFaults(({ operation, moment }) => {
    const writes = operation === "upsert" || operation === "delete";
    if (weather === "down" && moment === "before") throw unavailable(writes);
    if (weather === "applies-and-fails" && writes && moment === "after") throw unavailable(true);
    if (weather === "fails-now-and-then" && ++calls % 3 === 0) throw unavailable(writes);
  });
}
