import type { CheckReport } from "@holdfast/recovery";
import type { MonitorEvent } from "../monitor-process.ts";
import type { Bench } from "./key-tests.ts";

/** What one look of a monitor that repairs nothing says, event by event. */
export async function look(bench: Bench, ...args: string[]): Promise<MonitorEvent[]> {
  const { stdout } = await bench.sandbox.run(["memory", "monitor", "--once", "--json", ...args]);
  const lines = stdout.split("\n").filter((line) => line !== "");
  return lines.map((line) => (JSON.parse(line) as { data: MonitorEvent }).data);
}

/** The checks that one look reports, by name. */
export async function checksOf(bench: Bench): Promise<Record<string, CheckReport>> {
  const [first] = await look(bench, "--no-recover");
  const { checks } = first.report as { checks: CheckReport[] };
  return Object.fromEntries(checks.map((check) => [check.check, check]));
}
