import type { Command } from "commander";
import { planLines, type RecoveryEvent, type RecoveryReport } from "@holdfast/recovery";
import type { Context } from "../../context.ts";
import { EXIT } from "../../exit-codes.ts";
import { example } from "../../help.ts";
import { printable } from "../../output.ts";
import { counted } from "../../counted.ts";

interface Options {
  force?: boolean;
  testAfter?: boolean;
  dryRun?: boolean;
}

export function register(command: Command, context: Context): void {
  command
    .option("--force", "ask for repairs although nothing is found wrong")
    .option("--test-after", "run the self-test afterwards")
    .option("--dry-run", "print the plan, and change nothing")
    .action((options: Options) => recover(options, context));
  example(command, ["holdfast memory recover --dry-run", "holdfast memory recover --test-after"]);
}

async function recover(options: Options, context: Context): Promise<void> {
  if (options.dryRun === true) return plan(options, context);
  const { output, signal } = context;
  const { recoverStore } = await import("../../recovery/recover-store.ts");
  const { report, drained, selfTest } = await recoverStore(context, {
    force: options.force ?? false,
    testAfter: options.testAfter ?? false,
    signal,
    onEvent: (event) => tell(event, (line) => output.note(line)),
  });
  const isBack = report.outcome === "recovered" || report.outcome === "healthy";
  if (!isBack || selfTest?.passed === false) context.exitStatus = EXIT.failed;
  output.result(
    { ...report, drained, selfTest },
    [
      ...reportLines(report),
      ...(drained === undefined || drained.queued === 0
        ? []
        : [
            `${counted(drained.queued, "write")} still waiting: ${drained.stoppedBy ?? "their turn comes"}`,
          ]),
      ...(selfTest?.parts ?? []).map(
        ({ name, passed, message }) =>
          `self-test ${name}: ${passed ? "passed" : "FAILED"}, ${message}`,
      ),
    ]
      .map(printable)
      .join("\n"),
  );
}

async function plan({ force = false }: Options, context: Context): Promise<void> {
  const { withRecovery } = await import("../../recovery/store-recovery.ts");
  const { signal, output } = context;
  const found = await withRecovery(
    context,
    () => undefined,
    ({ engine }) => engine.plan({ signal, force }),
  );
  if (!found.healthy) context.exitStatus = EXIT.degraded;
  const next =
    found.steps.length > 0
      ? [`Nothing was changed. To run it: holdfast memory recover${force ? " --force" : ""}`]
      : ["Nothing was changed."];
  output.result(found, [...planLines(found), ...next].map(printable).join("\n"));
}

function tell(event: RecoveryEvent, note: (line: string) => void): void {
  if (event.type === "planned") for (const line of planLines(event.plan)) note(printable(line));
  else if (event.type === "noted") note(printable(`  ${event.message}`));
  else if (event.type === "resumed") note(`taking up incident ${event.incident}`);
  else if (event.type === "step-began") note(printable(`running: ${event.title}`));
  else if (event.type === "step-ended") note(printable(`  ${event.state}: ${event.message}`));
}

function reportLines({ outcome, message, hint, incident }: RecoveryReport): string[] {
  const verdict = {
    healthy: "healthy: nothing was wrong",
    recovered: "recovered",
    failed: "not recovered",
    refused: "not recovered, since it needs a person",
  }[outcome];
  return [
    `${verdict}: ${message}`,
    ...(hint === undefined ? [] : [`next: ${hint}`]),
    ...(incident === undefined ? [] : [`incident: ${incident.id}`]),
  ];
}
