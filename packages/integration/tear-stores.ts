/**
 * Tears stores by a real kill -9, on every build that runs here, and salvages each:
 *
 *     pnpm --filter @holdfast/integration tear-stores --cycles 100 [--seed 1]
 *
 * Prints a line a store; exits 1 at the first that is not whole, and keeps its files.
 */
import { parseArgs } from "node:util";
import { testedBuilds } from "./test/support/server-builds.ts";
import { runTearCycles } from "./test/support/tear-cycles.ts";

const { values } = parseArgs({
  options: {
    cycles: { type: "string", default: "30" },
    kills: { type: "string", default: "40" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
  },
});
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const settings = {
  cycles: Number(values.cycles),
  killsMax: Number(values.kills),
  seed: Number(values.seed),
};
say(`tear-stores: ${JSON.stringify(settings)}`);
for (const build of testedBuilds()) {
  const { kills, torn, sound, compared } = await runTearCycles({ ...settings, build, log: say });
  const { cosine, l2, ip } = torn;
  say(
    `${build.name}: ${kills} kills tore ${cosine + l2 + ip} of ${settings.cycles} stores (cosine ${cosine}, l2 ${l2}, ip ${ip}); all salvaged and whole, as were the ${sound} others; ${compared} records compared`,
  );
}
