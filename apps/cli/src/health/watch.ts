import { setTimeout as sleep } from "node:timers/promises";
import { type HealthOptions, statusOf } from "../commands/health.ts";
import type { Context } from "../context.ts";
import { moment } from "../memory-text.ts";
import type { HealthLook } from "./look.ts";
import { shown } from "./show-health.ts";

interface WatchDeps {
  look: () => Promise<HealthLook>;
  /** Writes the page of `--report`, over the last one but for the first. */
  report: (found: HealthLook, isFirst: boolean) => Promise<void>;
}

/** Where `--interval` says nothing else. */
const INTERVAL_MS = 5_000;
const CLEAR = "\u001B[H\u001B[2J";

/** Looks again and again until Ctrl-C, and reports each; the last look decides the exit status. */
export async function watch(
  options: HealthOptions,
  context: Context,
  { look, report }: WatchDeps,
): Promise<void> {
  const { output, signal } = context;
  const screen = process.stdout.isTTY && !output.json;
  for (let isFirst = true; !signal.aborted; isFirst = false) {
    const found = await look();
    await report(found, isFirst);
    context.exitStatus = statusOf(found);
    const { data, text } = await shown(found, options, output);
    const head = `${moment(found.answer.at)}\n`;
    output.each(data, screen ? `${CLEAR}${head}${text}` : `${head}${text}\n`);
    await sleep(options.interval ?? INTERVAL_MS, undefined, { signal });
  }
}
