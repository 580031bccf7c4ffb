import { beforeEach, expect, test } from "@jest/globals";
import { assert, constantFrom, integer, property } from "fast-check";
import { memoryScope, type TriggerService, withMemory } from "@holdfast/memory";
import { createRedactor, cut, redactedCut } from "@holdfast/memory/capture";
import { ALNUM, Dice } from "../redaction/secret-corpus.ts";
import { type RecordingMemory, recorder } from "./fixture.ts";

const SEED = Number(process.env["HOLDFAST_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const redactor = createRedactor();
const redact = (text: string): string => redactor.redact(text).text;
/** Made at run time, since none may stand in a file; no piece of it is in anything else here. */
const SECRET: string = new Dice(SEED).of(ALNUM, 36);
const FORMS = {
  token: (secret: string) => `ghp_${secret}`,
  flag: (secret: string) => `--password ${secret}`,
  header: (secret: string) => `Authorization: Bearer ${secret}`,
  json: (secret: string) => `{"apiKey":"${secret}"}`,
};

let triggers: TriggerService;
let memory: RecordingMemory;
beforeEach(() => void ({ triggers, memory } = recorder({ mergeWindowMs: 0, textLengthMax: 600 })));

/** Whether a text holds six letters of it in a row. */
function holdsAPiece(text: string): boolean {
  return Array.from({ length: SECRET.length - 5 }, (_, at) => SECRET.slice(at, at + 6)).some(
    (piece) => text.includes(piece),
  );
}

test(`wherever a text is cut, no half of a secret is left (seed ${SEED})`, () => {
  const form = constantFrom(...Object.values(FORMS));
  const after = integer({ min: 0, max: 25_000 });
  assert(
    property(form, integer({ min: 0, max: 25_000 }), after, (write, before, behind) => {
      const text = `${"a ".repeat(before)}${write(SECRET)}${" z".repeat(behind)}`;
      const kept = redactedCut(text, 600, redact);
      expect(kept.length).toBeLessThanOrEqual(Math.min(600, text.length));
      // What is not cut is for the memory to redact.
      expect(text.length > 600 && holdsAPiece(kept)).toBe(false);
    }),
    { seed: SEED, numRuns: 300 },
  );
});

test("what is short enough is left alone, and one word without end is cut like any other", () => {
  expect(redactedCut("a b c", 5, redact)).toBe("a b c");
  expect(redactedCut(`x${"y".repeat(99_999)}`, 100, redact).length).toBeLessThanOrEqual(100);
  expect(cut("abcdefghij", 7)).toBe("ab … ij");
});

test.each(Object.entries(FORMS))(
  "neither a text, its context, an argument nor a note leaves half a secret: %s",
  async (_form, write) => {
    const secret = write(SECRET);
    for (let at = 0; at <= 60; at += 3) {
      const before = "a ".repeat(140 + at / 2);
      const long = `${before}${secret}${" z".repeat(1_000)}`;
      triggers.raise({ type: "task", text: long });
      triggers.raise({ type: "task", text: "short", context: { long } });
      withMemory((..._all: unknown[]) => 1, { triggers })(`${before.slice(0, 180)}${secret} z`, {
        long: "a ".repeat(4_070 + at) + secret + " z".repeat(100),
      });
      // oxlint-disable-next-line no-await-in-loop -- a scope ends in time
      await using scope = memoryScope("block", { triggers });
      scope.note(`${"a ".repeat(240 + at / 2)}${secret}${" z".repeat(1_000)}`);
    }
    await triggers.flush();
    expect(triggers.status().failed).toBe(0);
    expect(memory.written.length).toBe(21 * 4);
    // Those that were cut; the others are for the memory to redact.
    const stored = memory.written.map((each) => redact(JSON.stringify(each)));
    expect(stored.filter(holdsAPiece)).toEqual([]);
  },
);
