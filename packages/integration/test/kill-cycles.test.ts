import { expect, test } from "@jest/globals";
import { runKillCycles } from "./support/kill-cycles.ts";

const CYCLES = 30;
const WRITERS = 3;

test("30 kills of Chroma under three writing processes lose nothing and store nothing twice", async () => {
  const seed = Date.now() % 1_000_000;
  const lines: string[] = [`seed ${seed}`];
  const report = await runKillCycles({
    cycles: CYCLES,
    writers: WRITERS,
    seed,
    lifeMs: [50, 800],
    log: (line) => lines.push(line),
  }).catch((error: unknown) => {
    throw new Error(lines.join("\n"), { cause: error });
  });
  expect({ seed, lost: report.lost }).toEqual({ seed, lost: [] });
  expect(report.acknowledged.size).toBeGreaterThan(CYCLES * WRITERS);
  const written = report.acknowledged.size;
  expect(report.comparison).toMatchObject({
    equal: true,
    missing: [],
    different: [],
    foreign: 0,
    compared: written,
  });
  expect(report.status.ledger).toMatchObject({
    accepted: written,
    stored: written,
    queued: 0,
    dead: 0,
    residual: 0,
  });
}, 600_000);
