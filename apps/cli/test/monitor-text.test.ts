import { describe, expect, test } from "@jest/globals";
import type { CheckReport, HealthReport, SupervisorEvent } from "@holdfast/recovery";
import { eventLine, screenLines } from "../src/monitor/monitor-text.ts";
import { Output } from "../src/output.ts";

const output = new Output({
  command: "memory monitor",
  json: false,
  quiet: false,
  verbose: false,
  colour: false,
});
const AT = Date.UTC(2026, 0, 5, 12);

function check(name: string, more: Partial<CheckReport> & { message?: string } = {}): CheckReport {
  const { status = "pass", severity = "unhealthy", message = "fine" } = more;
  return {
    check: name,
    service: "chroma",
    severity,
    status,
    belief: status === "fail" ? "failing" : "passing",
    last: { check: name, service: "chroma", severity, status, message, at: AT, tookMs: 1_127 },
    streak: 1,
    since: AT,
    ageMs: 1_000,
    ...more,
  };
}

const checked = (status: HealthReport["status"], checks: CheckReport[]): SupervisorEvent => ({
  type: "checked",
  report: { status, checks, at: AT },
});
const lineOf = (event: SupervisorEvent): string =>
  (eventLine(event, output, AT) ?? "").replace(/^.{19} {2}/, "");

describe("a line", () => {
  test("of a healthy store counts its checks, and names what is foreseen", () => {
    const ahead = check("disk", { status: "warn", severity: "none", message: "full in 3 h" });
    expect(lineOf(checked("healthy", [check("canary"), check("place")]))).toBe(
      "healthy  2 checks pass",
    );
    expect(lineOf(checked("healthy", [check("canary"), ahead]))).toBe(
      "healthy  1 check passes; foreseen: disk: full in 3 h",
    );
  });

  test("of a store that nothing answers for names that alone", () => {
    const failures = [
      check("place", { status: "fail", severity: "offline", message: "ECONNREFUSED" }),
      check("canary", { status: "fail", message: "no answer" }),
    ];
    expect(lineOf(checked("offline", failures))).toBe("offline  place: ECONNREFUSED");
  });

  test.each([
    [{ type: "exit", exit: { how: "SIGKILL", ranMs: 9_800 } }, "SIGKILL, after 9.8 s"],
    [{ type: "recovered", downMs: 450 }, "recovered, after 450 ms"],
    [
      { type: "gave-up", message: "it is torn", hint: "holdfast memory recover" },
      "given up: it is torn (next: holdfast memory recover)",
    ],
    [
      { type: "decided", decision: { action: "recover", attempt: 2, waitMs: 0, why: "it ended" } },
      "looking for what is wrong (attempt 2): it ended",
    ],
  ] as const)("of %j", (event, line) => {
    expect(lineOf(event)).toBe(line);
  });

  test("cannot steer a terminal", () => {
    const evil = check("place", { status: "fail", severity: "offline", message: "\u001B[2Jboo" });
    expect(lineOf(checked("offline", [evil]))).toBe("offline  place: \\u001b[2Jboo");
  });
});

test("the screen shows each check with its age, and what to do", () => {
  const report: HealthReport = { status: "degraded", checks: [check("canary")], at: AT };
  const lines = screenLines(report, { place: "managed Chroma", recent: ["earlier"], output });
  expect(lines[0]).toContain("degraded  managed Chroma");
  expect(lines).toContain("✓  chroma  canary  1.1 s  1 s ago  fine");
  expect(lines).toContain("earlier");
});
