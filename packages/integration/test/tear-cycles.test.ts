import { expect, jest, test } from "@jest/globals";
import { runTearCycles } from "./support/tear-cycles.ts";
import { testedBuilds } from "./support/server-builds.ts";

// Real servers on a machine that may be busy: how long it takes is not what is tested.
jest.setTimeout(600_000);

/** One of each space. `pnpm run tear-stores` does as many as it is told. */
const CYCLES = 3;

test.each(testedBuilds())(
  "$name: stores torn by a kill -9 in the middle of adds are salvaged whole",
  async (build) => {
    const seed = Date.now() % 1_000_000;
    const lines: string[] = [];
    const report = await runTearCycles({
      build,
      cycles: CYCLES,
      killsMax: 30,
      seed,
      log: (line) => lines.push(line),
    });
    const { torn, sound, compared } = report;
    const count = torn.cosine + torn.l2 + torn.ip;
    expect({ seed, lines, stores: count + sound }).toMatchObject({ stores: CYCLES });
    expect({ seed, lines, isAnyTorn: count > 0 }).toMatchObject({ isAnyTorn: true });
    expect(compared).toBeGreaterThan(0);
  },
);
