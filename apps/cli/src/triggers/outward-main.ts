/** Alerts and webhooks of what a trigger captured: `node outward-main`, an OutwardOrder on stdin. */
import { text } from "node:stream/consumers";
import { join } from "node:path";
import { loadConfig, readSecret } from "@holdfast/config";
import { createChannel } from "@holdfast/notify";
import { type EffectHandlers, type EffectReport, EffectRunner } from "@holdfast/policy";
import { outwardActions } from "../policy/outward-actions.ts";
import { userDataDirectory } from "../user-directories.ts";
import { workspaceOf } from "../workspace.ts";
import type { OutwardOrder } from "./outward-effects.ts";

/** However long the actions' own limits are, this process ends. */
const LIFE_MS = 120_000;

await carryOut(JSON.parse(await text(process.stdin)) as OutwardOrder);

async function carryOut({ configFile, again, effects }: OutwardOrder): Promise<void> {
  const workspace = workspaceOf(
    loadConfig({
      file: configFile,
      // Without a file these are the built-in defaults, whichever other file is named by now.
      environment: { ...process.env, HOLDFAST_CONFIG: undefined, HOLDFAST_ENV: undefined },
      settings: again.settings,
      workingDirectory: again.workingDirectory,
      search: false,
      userDataDirectory: userDataDirectory(),
    }),
  );
  const log = createChannel({ type: "file", path: join(workspace.stateDirectory, "policy.log") });
  const failed: Promise<void>[] = [];
  const note = ({ outcome, rule, type, key, error }: EffectReport): void => {
    if (outcome !== "failed") return;
    const at = Date.now();
    const subject = `policy/${rule}`;
    const title = `The policy ${rule} could not carry out ${type}`;
    const message = error?.message ?? "it failed";
    const told = { id: key, at, since: at, count: 1, subject, title, message };
    failed.push(log.send({ ...told, state: "firing", severity: "warning" }));
  };
  const outward = outwardActions(workspace, {
    readSecret: (reference) => readSecret(reference, process.env),
    // Nobody reads what this process says.
    write: () => undefined,
  });
  const runner = new EffectRunner(outward as EffectHandlers, { onReport: note });
  const life = setTimeout(() => process.exit(1), LIFE_MS);
  // One after the other, as the rules say.
  // oxlint-disable-next-line no-await-in-loop
  for (const { event, effect } of effects) await runner.run([effect], event);
  await runner.idle();
  await Promise.all(failed);
  clearTimeout(life);
}
