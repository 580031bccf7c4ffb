import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseConfig } from "@holdfast/config";
import type { ServiceStatus } from "@holdfast/recovery";
import { Alerts } from "../src/monitor/alerts.ts";

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "holdfast-alerts-"))));
afterEach(() => rmSync(folder, { recursive: true }));

/** What is told when the store goes from one status to the next. */
async function toldOf(...statuses: ServiceStatus[]): Promise<string[]> {
  const file = join(folder, "told");
  const text = `alerts: {on: [degraded, down, unknown], cooldown: "0", channels: [{type: file, path: "${file}"}]}`;
  const { config } = parseConfig(text, { file: join(folder, "holdfast.yaml"), environment: {} });
  const undelivered: string[] = [];
  const onUndelivered = (line: string): void => void undelivered.push(line);
  const alerts = new Alerts(config.alerts, { environment: {}, onUndelivered });
  let from: ServiceStatus = "healthy";
  for (const to of statuses) {
    alerts.see({ type: "status", from, to, report: { status: to, checks: [], at: 0 } });
    from = to;
  }
  await alerts.flush();
  expect(undelivered).toEqual([]);
  const lines = readFileSync(file, "utf8").trim().split("\n");
  return lines.map((line) => {
    const { state, subject } = JSON.parse(line) as { state: string; subject: string };
    return `${state} ${subject}`;
  });
}

test("what has become worse is not told as over", async () => {
  const told = await toldOf("degraded", "offline", "recovering", "unknown", "offline");
  expect(told).toEqual([
    "firing memory-store/degraded",
    "firing memory-store/down",
    "firing memory-store/unknown",
    "firing memory-store/down",
  ]);
});

test("what is over is told once it is known to be", async () => {
  const told = await toldOf("unknown", "degraded", "healthy");
  expect(told).toEqual([
    "firing memory-store/unknown",
    "firing memory-store/degraded",
    "resolved memory-store/unknown",
    "resolved memory-store/degraded",
  ]);
});
