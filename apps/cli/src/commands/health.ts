import { type Command, Option } from "commander";
import type { Context } from "../context.ts";
import { EXIT, type ExitStatus } from "../exit-codes.ts";
import { exitStatusOf } from "../health/exit-status.ts";
import type { HealthLook } from "../health/look.ts";
import { SERVICE_NAMES } from "../health/service-names.ts";
import { example } from "../help.ts";
import { duration, usage } from "../selection.ts";

export interface HealthOptions {
  service: string;
  detailed?: boolean;
  selfTest?: boolean;
  export?: "json" | "yaml" | "openmetrics";
  report?: string;
  force?: boolean;
  watch?: boolean;
  /** Milliseconds. */
  interval?: number;
}

export function register(command: Command, context: Context): void {
  command
    .option("--service <name>", `only ${SERVICE_NAMES.join(", ")}, or one of your own`, "all")
    .option("--detailed", "every check, recent activity, errors, and the last self-test")
    .option("--self-test", "run the self-test too, on scratch beside your memories")
    .addOption(
      new Option("--export <format>", "print it for a program").choices([
        "json",
        "yaml",
        "openmetrics",
      ]),
    )
    .option("--report <file>", "write a page about it, which needs no network")
    .option("--force", "replace that file")
    .option("--watch", "look again and again, until Ctrl-C")
    .addOption(
      new Option("--interval <duration>", "between two looks of --watch (default: 5s)").argParser(
        duration,
      ),
    )
    .action((options: HealthOptions) => health(options, context));
  example(command, [
    "holdfast health",
    "holdfast health --service chroma --detailed",
    "holdfast health --report health.html",
  ]);
}

async function health(options: HealthOptions, context: Context): Promise<void> {
  if (options.interval !== undefined && options.watch !== true)
    throw usage("--interval is between two looks of --watch", "Add --watch, or leave it out.");
  if (options.force === true && options.report === undefined)
    throw usage("--force replaces the file of --report", "Add --report FILE, or leave it out.");
  const [{ look }, { shown }] = await Promise.all([
    import("../health/look.ts"),
    import("../health/show-health.ts"),
  ]);
  const report = async (found: HealthLook, isFirst = true): Promise<void> => {
    if (options.report === undefined) return;
    const { writeReport } = await import("../health/write-report.ts");
    const replace = options.force === true || !isFirst;
    writeReport(found, { file: options.report, replace }, context);
  };
  if (options.watch === true) {
    const { watch } = await import("../health/watch.ts");
    return watch(options, context, { look: () => look(options, context), report });
  }
  const found = await look(options, context);
  await report(found);
  context.exitStatus = statusOf(found);
  const { data, text } = await shown(found, options, context.output);
  context.output.result(data, text);
}

/** A self-test that failed counts as a store that cannot be used. */
export function statusOf({ answer, selfTest }: HealthLook): ExitStatus {
  return selfTest?.passed === false ? EXIT.unavailable : exitStatusOf(answer.status);
}
