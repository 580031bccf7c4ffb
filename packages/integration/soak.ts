/**
 * The kill test of `test/kill-cycles.test.ts` for as long as you like:
 *
 *     pnpm --filter @holdfast/integration soak --cycles 1000 [--writers 3] [--seed 1]
 *
 * Prints a line a cycle; exits 1 when anything acknowledged is missing, wrong or there twice.
 */
import { parseArgs } from "node:util";
import { runKillCycles } from "./test/support/kill-cycles.ts";

const { values } = parseArgs({
  options: {
    cycles: { type: "string", default: "1000" },
    writers: { type: "string", default: "3" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
  },
});
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const settings = {
  cycles: Number(values.cycles),
  writers: Number(values.writers),
  seed: Number(values.seed),
};
say(`soak: ${JSON.stringify(settings)}`);
const { acknowledged, lost, torn, comparison, status } = await runKillCycles({
  ...settings,
  lifeMs: [50, 3_000],
  log: say,
});
const { residual, queued, dead } = status.ledger;
const held =
  lost.length + residual + queued + dead === 0 && comparison.equal && comparison.foreign === 0;
say(`acknowledged ${acknowledged.size}, lost ${lost.length}, torn and rebuilt ${torn}`);
say(`ledger ${JSON.stringify(status.ledger)}`);
say(
  held ? "held: nothing acknowledged is missing, nothing is twice" : `FAILED: ${lost.join(", ")}`,
);
process.exitCode = held ? 0 : 1;
